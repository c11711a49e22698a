"""Costs of mappings as a machine gives them, checked, and what an objective makes of them."""

from __future__ import annotations

import numpy as np

from cosearch.errors import CosearchError, PluginError, broken, pass_on
from cosearch.machine.cost import CostBatch
from cosearch.machine.hardware import Accelerator
from cosearch.origin import origin
from cosearch.quantities import duration
from cosearch.search.objective import Objective
from cosearch.typing import FloatArray, Rows
from cosearch.workload.einsum import Einsum


def priced(accelerator: Accelerator, layer: Einsum, rows: Rows) -> CostBatch:
    """Return the costs of mappings, int64[n, d]; raises PluginError when they make no sense."""
    try:
        costs = accelerator.evaluate(layer, rows)
    except CosearchError:
        raise
    except BaseException as error:
        pass_on(error)
        raise broken("machine", accelerator.name, "evaluate", error, accelerator) from error
    wrong = _wrong(costs, len(rows))
    if wrong:
        raise PluginError(f"{accelerator.name} {origin(accelerator)}: evaluate {wrong}")
    return costs


SOON = 1.0
"""Seconds within which a first mapping is priced whatever the limit, so that there is one."""


def affordable(
    accelerator: Accelerator, layer: Einsum, rows: Rows, seconds: float, *, some: bool
) -> int:
    """Return how many rows, the first ones, are priced within a time, by the machine's account.

    Args:
        accelerator: prices them.
        layer: to be mapped.
        rows: int64[n, d].
        seconds: that are left.
        some: whether there is a mapping already.

    Raises:
        CosearchError: there is none, and the first row alone takes longer, and not a second.
    """
    if len(rows) == 0:
        return 0
    until = np.cumsum(accelerator.pricing_seconds(layer, rows))
    within = int(np.searchsorted(until, seconds, side="right"))
    if within or some or until[0] <= SOON:
        return max(within, 0 if some else 1)
    raise CosearchError(
        f"layer {layer.name!r}: {accelerator.name} takes about {duration(float(until[0]))} to "
        f"price one mapping, and {duration(max(seconds, 0.0))} are left",
        "allow more seconds, or map a smaller layer",
    )


_KINDS = {"energy_pj": "fiu", "cycles": "fiu", "feasible": "b", "reason": "iu", "excess": "fiu"}
"""What numpy calls the kinds of numbers that each column may hold: real ones, truth, whole ones."""


_MEANING = {"fiu": "real numbers", "b": "bool", "iu": "whole numbers"}


def _wrong(costs: object, n: int) -> str:
    """Return what is wrong with the costs of n mappings; empty where they make sense."""
    if not isinstance(costs, CostBatch):
        return f"returned {type(costs).__name__}, no CostBatch"
    for what, kinds in _KINDS.items():
        column = getattr(costs, what)
        if not isinstance(column, np.ndarray) or column.dtype.kind not in kinds:
            kind = getattr(column, "dtype", type(column).__name__)
            return f"gave {what} as {kind}: an array of {_MEANING[kinds]} is needed"
    arrays = (costs.energy_pj, costs.cycles, costs.feasible, costs.reason, costs.excess)
    shapes = {np.shape(array) for array in arrays}
    if shapes != {(n,)}:
        return f"priced {n} mappings with arrays of shapes {shapes}"
    for what, values in (("energy_pj", costs.energy_pj), ("cycles", costs.cycles)):
        wrong = costs.feasible & ~((values > 0) & (values < np.inf))
        if wrong.any():
            value = values[np.flatnonzero(wrong)[0]]
            return f"gave a feasible mapping {what} of {value:g}"
    if n and not 0 <= costs.reason.min() <= costs.reason.max() < len(costs.reasons):
        return "gave a reason without a text"
    return ""


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
