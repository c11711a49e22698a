"""Pricing whole batches of mappings: rows of a mapspace, or structs of arrays."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from cosearch.errors import CosearchError
from cosearch.loopnest.kernel.batch import Programs, Source
from cosearch.loopnest.kernel.geometry import Inputs
from cosearch.loopnest.kernel.pack import ALWAYS, MAYBE, NEVER, Nests, inexact, pack, reasons
from cosearch.loopnest.kernel.readiness import announce
from cosearch.loopnest.model.reference import analyse
from cosearch.loopnest.orders import order_of_word
from cosearch.loopnest.slots import TIME
from cosearch.loopnest.space.decoding import Orders, decoder, row_inputs
from cosearch.machine.architecture import Architecture
from cosearch.machine.cost import CostBatch
from cosearch.typing import BoolArray, IntArray, Rows
from cosearch.workload.einsum import Einsum

if TYPE_CHECKING:
    from cosearch.loopnest.space.mapspace import MapSpace

ORDERS_WORTH_A_PROGRAM = 20_000
"""Mappings from which on a program for their common loop orders pays for being written."""

REMEMBERED_PROGRAMS = 16

_log = logging.getLogger(__name__)


class RowPricer:
    """Checks and prices rows of one mapspace.

    Layers whose counts float64 does not hold exactly, and link transfers, are priced by the
    reference model, mapping by mapping: slow, and right.
    """

    def __init__(self, space: MapSpace) -> None:
        announce()
        self.space = space
        self.programs = Programs.of(row_inputs(space))
        self.decoder = decoder(space, self.programs.inputs)
        self.by_reference = inexact(space.architecture, space.layer)
        self._ordered: tuple[bytes, Programs] | None = None
        if self.by_reference:
            _log.warning(
                "layer %s is priced by the slow reference model: %s",
                space.layer.name,
                self.by_reference,
            )

    def feasible(self, rows: Rows) -> BoolArray:
        """Return bool[n]: which rows, int64[n, d], pass every check."""
        source = Source(len(rows), np.ascontiguousarray(rows), self.decoder)
        return np.asarray(self.programs.run(source, only_check=True).reason == 0)

    def price(self, rows: Rows, *, threads: int = 1) -> CostBatch:
        """Price rows, int64[n, d]; the result does not depend on the number of threads."""
        rows = np.ascontiguousarray(rows)
        source = Source(len(rows), rows, self.decoder)
        programs = self.programs
        if len(rows) >= ORDERS_WORTH_A_PROGRAM and not self.by_reference:
            programs, source = self._common_orders(source)
        only_check = self.by_reference is not None
        out = programs.run(source, threads=threads, only_check=only_check)
        feasible = out.reason == 0
        if only_check:
            for i in np.flatnonzero(feasible):
                cost = analyse(
                    self.space.architecture, self.space.layer, self.space.mapping_of(rows[i])
                )
                out.energy_pj[i], out.cycles[i] = cost.energy_pj, cost.cycles
        return CostBatch(
            out.energy_pj, out.cycles, feasible, out.reason, self.space.reasons, out.excess
        )

    def _common_orders(self, source: Source) -> tuple[Programs, Source]:
        """Return the programs for the orders that all rows share, where they do."""
        first = len(self.space.open_columns)
        columns = source.rows[:, first : first + len(self.space.order_levels)]
        if columns.shape[1] == 0 or (columns != columns[0]).any():
            return self.programs, source
        if self._ordered is None or self._ordered[0] != columns[0].tobytes():
            known: Orders = tuple(
                tuple(int(d) for d in self.space.order_of(source.rows[:1], level)[0])
                for level in range(len(self.space.orders))
            )
            programs = Programs.of(row_inputs(self.space, known))
            self._ordered = columns[0].tobytes(), programs
        programs = self._ordered[1]
        tables = decoder(self.space, programs.inputs)
        return programs, Source(source.n, source.rows, tables)


class NestPricer:
    """Checks and prices mappings of one layer on one machine, given as a struct of arrays.

    Programs are written for what a batch holds fixed (levels without spatial loops, tensors kept
    or bypassed throughout, common loop orders) and remembered.

    Raises:
        CosearchError: float64 does not hold the layer's counts exactly.
    """

    def __init__(self, architecture: Architecture, layer: Einsum) -> None:
        announce()
        why_not = inexact(architecture, layer)
        if why_not:
            raise CosearchError(
                f"layer {layer.name!r} cannot be priced in batches: {why_not}",
                "use cosearch.loopnest.model.reference.analyse",
            )
        self.pack = pack(architecture, layer)
        self.reasons = reasons(architecture, layer)
        self._programs: dict[tuple[object, ...], Programs] = {}

    def price(self, nests: Nests, *, threads: int = 1, only_check: bool = False) -> CostBatch:
        """Price n mappings; whether factors multiply up to the layer is not checked."""
        n = nests.bounds.shape[2]
        programs = self._programs_for(nests, n)
        out = programs.run(Source(n, nests=nests), threads=threads, only_check=only_check)
        return CostBatch(
            out.energy_pj, out.cycles, out.reason == 0, out.reason, self.reasons, out.excess
        )

    def _programs_for(self, nests: Nests, n: int) -> Programs:
        levels, dims = len(self.pack.block), len(self.pack.sizes)
        fixed = np.full((3 * levels, dims), np.nan)
        for slot in range(3 * levels):
            if slot % 3 != TIME and (nests.bounds[slot] == 1).all():
                fixed[slot] = 1.0
        always, ever = nests.keep.all(axis=2), nests.keep.any(axis=2)
        modes = np.where(always, ALWAYS, np.where(ever, MAYBE, NEVER)).astype(np.int64)
        words = tuple(_common_word(nests.order[level], n) for level in range(levels))
        key = (fixed.tobytes(), modes.tobytes(), words)
        programs = self._programs.pop(key, None)
        if programs is None:
            orders = [None if w is None else order_of_word(w, dims) for w in words]
            orders[0] = tuple(range(dims))
            programs = Programs.of(Inputs(self.pack, fixed, modes, tuple(orders)))
            while len(self._programs) >= REMEMBERED_PROGRAMS:
                del self._programs[next(iter(self._programs))]
        self._programs[key] = programs
        return programs


def _common_word(words: IntArray, n: int) -> int | None:
    if n < ORDERS_WORTH_A_PROGRAM or (words != words[0]).any():
        return None
    return int(words[0])
