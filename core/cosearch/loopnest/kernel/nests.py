"""Pricing whole batches of mappings, given as structs of arrays."""

from __future__ import annotations

import logging

import numpy as np

from cosearch.compiling.parts import prepare
from cosearch.errors import CosearchError
from cosearch.lately import Lately
from cosearch.loopnest.kernel.batch import Programs, Source
from cosearch.loopnest.kernel.feed import KERNEL
from cosearch.loopnest.kernel.geometry import Inputs
from cosearch.loopnest.kernel.pack import ALWAYS, MAYBE, NEVER, Nests, inexact, pack, reasons
from cosearch.loopnest.orders import order_of_word
from cosearch.loopnest.slots import TIME
from cosearch.machine.architecture import Architecture
from cosearch.machine.cost import CostBatch
from cosearch.typing import IntArray
from cosearch.workload.einsum import Einsum

ORDERS_WORTH_A_PROGRAM = 20_000
"""Mappings from which on a program for their common loop orders pays for being written."""

REMEMBERED_PROGRAMS = 16

_log = logging.getLogger(__name__)


class NestPricer:
    """Checks and prices mappings of one layer on one machine, given as a struct of arrays.

    Programs are written for what a batch holds fixed (levels without spatial loops, tensors kept
    or bypassed throughout, common loop orders) and remembered.

    Raises:
        CosearchError: float64 does not hold the layer's counts exactly.
    """

    def __init__(self, architecture: Architecture, layer: Einsum) -> None:
        prepare(KERNEL)
        why_not = inexact(architecture, layer)
        if why_not:
            raise CosearchError(
                f"layer {layer.name!r} cannot be priced in batches: {why_not}",
                "use cosearch.loopnest.model.reference.analyse",
            )
        self.pack = pack(architecture, layer)
        self.reasons = reasons(architecture, layer)
        self._programs: Lately[tuple[object, ...], Programs] = Lately(REMEMBERED_PROGRAMS)

    def price(self, nests: Nests, *, threads: int = 1, only_check: bool = False) -> CostBatch:
        """Price n mappings; whether factors multiply up to the layer is not checked."""
        n = nests.bounds.shape[2]
        programs = self._programs_for(nests, n)
        out = programs.run(Source(n, nests=nests), threads=threads, only_check=only_check)
        return CostBatch(
            out.energy_pj, out.cycles, out.reason == 0, out.reason, self.reasons, out.excess
        )

    def _programs_for(self, nests: Nests, n: int) -> Programs:
        levels, dims = len(self.pack.leak_pj), len(self.pack.sizes)
        fixed = np.full((3 * levels, dims), np.nan)
        for slot in range(3 * levels):
            if slot % 3 != TIME and (nests.bounds[slot] == 1).all():
                fixed[slot] = 1.0
        always, ever = nests.keep.all(axis=2), nests.keep.any(axis=2)
        modes = np.where(always, ALWAYS, np.where(ever, MAYBE, NEVER)).astype(np.int64)
        words = tuple(_common_word(nests.order[level], n) for level in range(levels))
        key = (fixed.tobytes(), modes.tobytes(), words)

        def written() -> Programs:
            orders = [None if w is None else order_of_word(w, dims) for w in words]
            orders[0] = tuple(range(dims))
            return Programs.of(Inputs(self.pack, fixed, modes, tuple(orders)))

        return self._programs.get(key, written)


def _common_word(words: IntArray, n: int) -> int | None:
    if n < ORDERS_WORTH_A_PROGRAM or (words != words[0]).any():
        return None
    return int(words[0])
