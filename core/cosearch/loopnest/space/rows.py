"""The compiled programs that check and price the rows of a mapspace."""

from __future__ import annotations

import logging

import numpy as np

from cosearch.compiling.parts import prepare
from cosearch.loopnest.kernel.batch import Programs, Source
from cosearch.loopnest.kernel.feed import KERNEL
from cosearch.loopnest.kernel.nests import ORDERS_WORTH_A_PROGRAM
from cosearch.loopnest.kernel.pack import inexact
from cosearch.loopnest.model.reference import analyse
from cosearch.loopnest.space.decoding import Orders, decoder, row_inputs
from cosearch.loopnest.space.layout import RowLayout
from cosearch.machine.cost import CostBatch
from cosearch.typing import BoolArray, Rows

_log = logging.getLogger(__name__)


class RowPricer:
    """Checks and prices rows of one mapspace.

    Layers whose counts float64 does not hold exactly, and link transfers, are priced by the
    reference model, mapping by mapping: slow, and right.

    Args:
        space: the mapspace.
        of_its_form: take the programs that all machines of this form share; see `row_inputs`.
    """

    def __init__(self, space: RowLayout, *, of_its_form: bool = False) -> None:
        prepare(KERNEL)
        self.space = space
        self.programs = Programs.of(row_inputs(space, of_its_form=of_its_form))
        self.decoder = decoder(space, self.programs.inputs)
        self.by_reference = inexact(space.architecture, space.layer)
        self._ordered: tuple[bytes, Programs] | None = None
        if self.by_reference and not of_its_form:
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
