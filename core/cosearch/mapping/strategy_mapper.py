"""Any strategy as a mapper: it searches the mapspace of one layer on one machine."""

from __future__ import annotations

import time

import numpy as np
from attrs import define, field

from cosearch.machine.cost import CostBatch
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.mapper import Budget, Mapped, Mapper, Unmappable
from cosearch.mapping.priced import affordable, mapping_losses, priced
from cosearch.mapping.rejection import Rejections
from cosearch.registry.registry import Named
from cosearch.search.asked import asked_rows
from cosearch.search.limits import Limits
from cosearch.search.objective import Objective
from cosearch.search.space import Space
from cosearch.search.strategy import Strategy
from cosearch.typing import FloatArray, Rows
from cosearch.workload.einsum import Einsum

EVALUATIONS = 1000
"""Mappings priced per layer when the budget does not say."""


class StrategyMapper(Mapper):
    """Finds a mapping with a search strategy; proves nothing.

    Args:
        strategy: a strategy's class with its options.
        batch: mappings asked for at once; None: as many as the strategy likes.
    """

    def __init__(self, strategy: Named[Strategy], batch: int | None = None) -> None:
        self.strategy = strategy
        self.batch = batch
        target: object = strategy.target  # or an instance in place of a class
        self.rests_on = (target if isinstance(target, type) else type(target),)

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
        if space.size == 1:
            return self._only(space, accelerator, layer, objective).best(
                layer, self.strategy.spec, time.perf_counter() - started
            )
        strategy = self.strategy.make(space, rng)
        batch = self.batch or strategy.at_once
        found, limits = _Findings(), Limits()
        limit = budget.evaluations or budget.trials or EVALUATIONS
        while found.evaluations < limit:
            if budget.seconds is not None and time.perf_counter() - started > budget.seconds:
                break
            asked = min(batch, limit - found.evaluations)
            rows = asked_rows(strategy, asked, space, self.strategy.name)
            if len(rows) == 0:
                break
            if budget.seconds is not None:
                left, some = budget.seconds - time.perf_counter() + started, found.row is not None
                within = affordable(accelerator, layer, rows, max(left, 0.0), some=some)
                if within == 0:
                    break
                rows = rows[:within]  # the strategy is told of these, and asked again in vain
            costs, losses = found.take(rows, accelerator, layer, objective)
            missed = _violations(costs, limits)
            strategy.tell(rows, losses[:, None], costs.feasible, missed)
        return found.best(layer, self.strategy.spec, time.perf_counter() - started)

    def _only(
        self, space: Space, accelerator: Accelerator, layer: Einsum, objective: Objective
    ) -> _Findings:
        """Return what is found where a machine runs a layer in one way: there is no search."""
        found, rows = _Findings(), np.zeros((1, len(space.names)), dtype=np.int64)
        if space.feasible(rows)[0]:
            found.take(rows, accelerator, layer, objective)
        return found


@define
class _Findings:
    """What a search has met so far."""

    evaluations: int = 0
    loss: float = np.inf
    row: Rows | None = None
    energy_pj: float = np.inf
    cycles: float = np.inf
    rejections: Rejections = field(factory=Rejections)

    def take(
        self, rows: Rows, accelerator: Accelerator, layer: Einsum, objective: Objective
    ) -> tuple[CostBatch, FloatArray]:
        """Price a batch; return costs and losses, float64[n], infinite where infeasible."""
        costs = priced(accelerator, layer, rows)
        losses = mapping_losses(objective, accelerator, costs)
        self.evaluations += len(rows)
        self.rejections += Rejections.of(costs)
        best = int(np.argmin(losses))
        if losses[best] < self.loss:
            self.loss, self.row = float(losses[best]), rows[best].copy()
            self.energy_pj, self.cycles = float(costs.energy_pj[best]), float(costs.cycles[best])
        return costs, losses

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


def _violations(costs: CostBatch, limits: Limits) -> FloatArray:
    """Return by how much each mapping misses the rule that ruled it out, float64[n, k]."""
    columns = limits.columns(costs.reasons)
    table = np.full((len(costs.feasible), len(limits)), np.nan)
    missed = np.flatnonzero(~costs.feasible)
    table[missed, columns[costs.reason[missed]]] = costs.excess[missed] - 1.0
    return table
