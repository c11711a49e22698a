"""Costs of mappings as a machine gives them, checked, and what an objective makes of them."""

from __future__ import annotations

import numpy as np

from cosearch.errors import CosearchError, PluginError
from cosearch.machine.cost import CostBatch
from cosearch.machine.hardware import Accelerator
from cosearch.search.objective import Objective
from cosearch.typing import FloatArray, Rows
from cosearch.workload.einsum import Einsum


def priced(accelerator: Accelerator, layer: Einsum, rows: Rows) -> CostBatch:
    """Return the costs of mappings, int64[n, d]; raises PluginError when they make no sense."""
    try:
        costs = accelerator.evaluate(layer, rows)
    except CosearchError:
        raise
    except Exception as error:
        raise PluginError(
            f"{accelerator.name} raised {type(error).__name__} in evaluate: "
            + " ".join(str(error).split())
        ) from error
    return _checked(costs, len(rows), accelerator.name)


def _checked(costs: CostBatch, n: int, name: str) -> CostBatch:
    """Return the costs of n mappings, or raise PluginError when they make no sense."""
    arrays = (costs.energy_pj, costs.cycles, costs.feasible, costs.reason, costs.excess)
    shapes = {np.shape(array) for array in arrays}
    if shapes != {(n,)}:
        raise PluginError(f"{name}: evaluate priced {n} mappings with arrays of shapes {shapes}")
    ok = np.asarray(costs.feasible, dtype=bool)
    for what, values in (("energy_pj", costs.energy_pj), ("cycles", costs.cycles)):
        wrong = ok & ~((values >= 0) & np.isfinite(values))
        if wrong.any():
            value = values[np.flatnonzero(wrong)[0]]
            raise PluginError(f"{name}: evaluate gave a feasible mapping {what} of {value:g}")
    if ((costs.reason < 0) | (costs.reason >= len(costs.reasons))).any():
        raise PluginError(f"{name}: evaluate gave a reason without a text")
    return costs


def mapping_losses(objective: Objective, accelerator: Accelerator, costs: CostBatch) -> FloatArray:
    """Return the objective of each mapping, float64[n]; infinite where infeasible."""
    n = len(costs.feasible)
    clock = np.nan if accelerator.clock_mhz is None else accelerator.clock_mhz
    feasible = costs.feasible
    metrics = {
        "energy_pj": np.where(feasible, costs.energy_pj, 1.0),
        "cycles": np.where(feasible, costs.cycles, 1.0),
        "area_mm2": np.full(n, accelerator.area_mm2),
        "clock_mhz": np.full(n, clock),
    }
    return np.where(feasible, np.asarray(objective.of(metrics), dtype=np.float64), np.inf)
