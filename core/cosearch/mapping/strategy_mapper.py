"""Any strategy as a mapper: it searches the mapspace of one layer on one machine."""

from __future__ import annotations

import time

import numpy as np
from attrs import define, field

from cosearch.errors import CosearchError, PluginError
from cosearch.hooks.discovery import Named
from cosearch.machine.cost import CostBatch
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.mapper import Budget, Mapped, Mapper, Unmappable
from cosearch.mapping.rejection import Rejections
from cosearch.search.objective import Objective
from cosearch.search.parameters import Space
from cosearch.search.strategy import Strategy
from cosearch.typing import FloatArray, Rows
from cosearch.workload.einsum import Einsum

EVALUATIONS = 1000
"""Mappings priced per layer when the budget does not say."""

BATCH = 100
"""Mappings asked for at once: ten generations of the default budget."""


class StrategyMapper(Mapper):
    """Finds a mapping with a search strategy; proves nothing.

    Args:
        strategy: a strategy's class with its options.
        batch: mappings asked for at once.
    """

    def __init__(self, strategy: Named[Strategy], batch: int = BATCH) -> None:
        self.strategy = strategy
        self.batch = batch

    def map(
        self,
        accelerator: Accelerator,
        layer: Einsum,
        objective: Objective,
        budget: Budget,
        rng: np.random.Generator,
    ) -> Mapped:
        """Return the best mapping found; the first of equally good ones."""
        started = time.perf_counter()
        space = accelerator.mapspace(layer)
        strategy = self.strategy.make(space, rng)
        found = _Findings()
        limit = budget.evaluations or budget.trials or EVALUATIONS
        while found.evaluations < limit:
            if budget.seconds is not None and time.perf_counter() - started > budget.seconds:
                break
            asked = min(self.batch, limit - found.evaluations)
            rows = asked_rows(strategy, asked, space, self.strategy.name)
            if len(rows) == 0:
                break
            costs = priced(accelerator, layer, rows)
            losses = mapping_losses(objective, accelerator, costs)
            found.add(rows, costs, losses)
            told = np.where(costs.feasible, losses, costs.excess - 1.0)
            strategy.tell(rows, told[:, None], costs.feasible)
        return found.best(layer, self.strategy.spec, time.perf_counter() - started)


@define
class _Findings:
    """What a search has met so far."""

    evaluations: int = 0
    loss: float = np.inf
    row: Rows | None = None
    energy_pj: float = np.inf
    cycles: float = np.inf
    rejections: Rejections = field(factory=Rejections)

    def add(self, rows: Rows, costs: CostBatch, losses: FloatArray) -> None:
        """Take in a batch and its losses, float64[n], infinite where infeasible."""
        self.evaluations += len(rows)
        self.rejections += Rejections.of(costs)
        best = int(np.argmin(losses))
        if losses[best] < self.loss:
            self.loss, self.row = float(losses[best]), rows[best].copy()
            self.energy_pj, self.cycles = float(costs.energy_pj[best]), float(costs.cycles[best])

    def best(self, layer: Einsum, mapper: str, seconds: float) -> Mapped:
        """Return the best mapping, or raise Unmappable with the nearest miss."""
        if self.row is None:
            raise self._unmappable(layer)
        return Mapped(
            self.row,
            self.energy_pj,
            self.cycles,
            evaluations=self.evaluations,
            seconds=seconds,
            rejections=dict(self.rejections.counts),
            mapper=mapper,
        )

    def _unmappable(self, layer: Einsum) -> Unmappable:
        nearest = self.rejections.nearest
        if nearest is None:
            return Unmappable(f"layer {layer.name!r}: the strategy found no mapping to try")
        miss = f"; the nearest: {nearest.reason}"
        if np.isfinite(nearest.nearest):
            miss += f", {nearest.nearest:.3g} times what is allowed"
        return Unmappable(
            f"layer {layer.name!r}: none of {self.evaluations} mappings can be run{miss}",
            {nearest.reason: nearest.nearest},
            self.evaluations,
            nearest.relax,
        )


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


def asked_rows(strategy: Strategy, n: int, space: Space, name: str) -> Rows:
    """Return what a strategy asks for, or raise PluginError when it is no set of rows."""
    return checked_rows(strategy.ask(n), n, space, name)


def checked_rows(asked: object, n: int, space: Space, name: str) -> Rows:
    """Return what a strategy said to `ask(n)` as rows, or raise PluginError."""
    rows = np.asarray(asked)
    width = len(space.names)
    if rows.ndim != 2 or rows.shape[1] != width or len(rows) > n or rows.dtype.kind not in "iu":
        raise PluginError(
            f"strategy {name!r} broke its contract: ask({n}) returned {rows.dtype}"
            f"{list(rows.shape)}, not int64[m, {width}] with m <= {n}"
        )
    return rows.astype(np.int64)


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
