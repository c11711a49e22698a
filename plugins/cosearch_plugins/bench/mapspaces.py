"""A mapspace whose every mapping is known: five levels of memory, and a matrix product.

No shipped machine has five; this one is a Simba whose PEs stand in two groups, each with a buffer
of its own. Loop orders are free at one level alone, so that all mappings can be priced.
"""

from __future__ import annotations

import numpy as np

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.mapping import LevelConstraint
from cosearch.machine.architecture import Architecture, Compute, Memory
from cosearch.machine.hardware import Accelerator
from cosearch.machine.technology import UNPRICED, priced
from cosearch.search.limits import Limits
from cosearch.search.parameters import Space
from cosearch.typing import FloatArray
from cosearch.workload.einsum import Einsum
from cosearch_hardware.pricing import CHIP_16_NM, SCALED

AT_ONCE = 65_536
"""Mappings priced in one call."""


def five_levels() -> SpatialAccelerator:
    """Return the machine: registers, scratchpads, buffers of two groups, a buffer, DRAM."""
    levels = (
        Memory("register", 1, UNPRICED, 8, mesh_x=4, mesh_y=4, keeps={"Weights"}),
        Memory("scratchpad", 32, UNPRICED, 8, mesh_x=2, mesh_y=2, keeps={"Inputs", "Outputs"}),
        Memory("group", 96, UNPRICED, 8, mesh_x=2, keeps={"Weights", "Inputs"}),
        Memory("buffer", 192, UNPRICED, 8, shared_bandwidth=8, keeps={"Inputs", "Outputs"}),
        Memory("DRAM", None, UNPRICED, 8, shared_bandwidth=2, is_dram=True),
    )
    order = LevelConstraint(order=("M", "N", "K"))
    machine = Architecture("five-levels", levels, Compute(0.0, 4, 4, 8))
    return SpatialAccelerator(
        priced(machine, SCALED, CHIP_16_NM, kinds={"register": "regfile"}),
        {"register": order, "scratchpad": order, "group": order, "DRAM": order},
    )


def priced_mappings(machine: Accelerator, layer: Einsum, space: Space) -> tuple[FloatArray, ...]:
    """Return EDPs, float64[size, 1], and violations, float64[size, k], of all mappings.

    Infinite and NaN as `Table` has them.
    """
    losses, tables, limits = np.full((space.size, 1), np.inf), [], Limits()
    for start in range(0, space.size, AT_ONCE):
        numbers = np.arange(start, min(start + AT_ONCE, space.size))
        known = space.feasible(rows := space.unrank(numbers))
        costs = machine.evaluate(layer, rows[known])
        edp = np.where(costs.feasible, costs.energy_pj * costs.cycles, np.inf)
        losses[numbers[known], 0] = edp
        columns = limits.columns(costs.reasons)
        table = np.full((len(numbers), len(limits)), np.nan)
        missed = np.flatnonzero(~costs.feasible)
        at = np.flatnonzero(known)[missed]
        table[at, columns[costs.reason[missed]]] = costs.excess[missed] - 1.0
        tables.append(table)
    widest = max(table.shape[1] for table in tables)
    filled = [np.pad(t, ((0, 0), (0, widest - t.shape[1])), constant_values=np.nan) for t in tables]
    return losses, np.concatenate(filled)
