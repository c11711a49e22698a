"""The cheapest network that is accurate enough, of a space of independent parts, with a gap.

One choice of each group, the sum of what they lack at most a budget: a multiple-choice knapsack,
solved by dynamic programming over the budget in steps. Rounding what choices lack up finds networks
that are accurate enough; rounding down finds a bound that none undercuts.

A product of energy and cycles is no sum. By Young's inequality

    E^p C^q = min over s > 0 of  p s^q E + q s^-p C,    p + q = 1,

so the least product is the least of such sums; s = C / E is the best one. A grid of s with ratio r
between neighbours has one within t = sqrt(r) of it, and loses at most the factor p t^q + q t^-p.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from attrs import frozen

from cosearch.typing import FloatArray, IntArray, Rows
from cosearch_plugins.landscape.separable import Separable

STEPS = 8_000
"""Of the budget."""

RATIO = 1.05
"""Between neighbouring weights of energy and cycles."""

MOST_WEIGHTS = 200


@frozen(eq=False)
class Cheapest:
    """A network and how far from the best it can be.

    Attributes:
        row: int64[d].
        energy_pj, cycles: of the sums of its layers.
        gap: how far below its cost another network's can be, relative.
    """

    row: Rows
    energy_pj: float
    cycles: float
    gap: float


def cheapest_network(
    space: Separable,
    energy_pj: FloatArray,
    cycles: FloatArray,
    powers: tuple[float, float],
    floor: float | None,
    steps: int = STEPS,
) -> Cheapest | None:
    """Return the network of the least energy^a cycles^b; None where none is accurate enough.

    Args:
        space: of networks.
        energy_pj: float64[l], of each layer; infinite where it cannot be run.
        cycles: the same of cycles.
        powers: a and b, not negative.
        floor: least accuracy in per cent; None is none.
        steps: of the budget.
    """
    fixed = np.array([_times(space.always, costs) for costs in (energy_pj, cycles)])
    costs = [
        np.stack([_times(g.counts, energy_pj), _times(g.counts, cycles)]) for g in space.groups
    ]
    lacking = [group.lacking for group in space.groups]
    budget = np.inf
    if floor is not None:
        if floor >= space.model.ceiling:
            return None
        budget = float(np.log(space.model.ceiling - floor)) - space.model.intercept
    found = least_product(fixed, costs, lacking, budget, powers, steps)
    if found is None:
        return None
    picks, bound = found
    row = space.networks.space.index(space.networks.baseline)
    for group, pick in zip(space.groups, picks.tolist(), strict=True):
        row[group.columns] = group.choices[pick]
    energy, time = _sum(fixed, costs, picks)
    value = energy ** powers[0] * time ** powers[1]
    return Cheapest(row, float(energy), float(time), max(0.0, 1.0 - bound / value))


def least_product(
    fixed: FloatArray,
    costs: Sequence[FloatArray],
    lacking: Sequence[FloatArray],
    budget: float,
    powers: tuple[float, float],
    steps: int,
) -> tuple[IntArray, float] | None:
    """Return a choice of each group and what no choice undercuts; None where none is allowed.

    Args:
        fixed: float64[2], energy and cycles that every choice pays.
        costs: float64[2, c] of each group.
        lacking: float64[c] of each group; their sum is at most the budget.
        budget: of what may lack.
        powers: of energy and cycles.
        steps: of the budget.
    """
    knapsack = _Knapsack.of(lacking, budget, steps)
    if knapsack is None:
        return None
    total = powers[0] + powers[1]
    p, q = powers[0] / total, powers[1] / total
    best: tuple[float, IntArray] | None = None
    bound = np.inf
    for weights, loses in _weights(knapsack, fixed, costs, p, q):
        prices = [_weighed(weights, each) for each in costs]
        least, candidates = knapsack.solved(prices)
        bound = min(bound, (least + float(weights @ fixed)) / loses)
        for picks in candidates:
            energy, time = _sum(fixed, costs, picks)
            value = float(energy**p * time**q)
            if np.isfinite(value) and (best is None or value < best[0]):
                best = value, picks
    return None if best is None else (best[1], min(bound, best[0]) ** total)


def _weights(
    knapsack: _Knapsack, fixed: FloatArray, costs: Sequence[FloatArray], p: float, q: float
) -> Iterator[tuple[FloatArray, float]]:
    """Yield weights of energy and cycles, and by which factor their grid may lose."""
    if p == 0.0 or q == 0.0:
        yield np.array([p, q]), 1.0
        return
    ends = []
    for alone in (0, 1):
        least, candidates = knapsack.solved([each[alone] for each in costs])
        ends.append((least + fixed[alone], [_sum(fixed, costs, picks) for picks in candidates]))
    (energy, _), (time, _) = ends
    met = [pair for _, pairs in ends for pair in pairs if np.isfinite(pair).all()]
    if not met or not energy or not time:
        return
    value = min(float(e**p * t**q) for e, t in met)
    lowest = time / (value / time**q) ** (1 / p)
    highest = (value / energy**p) ** (1 / q) / energy
    count = int(np.ceil(np.log(max(highest / lowest, 1.0)) / np.log(RATIO))) + 1
    grid = np.geomspace(lowest, max(highest, lowest), min(max(count, 2), MOST_WEIGHTS))
    t = np.sqrt(grid[1] / grid[0])
    loses = max(p * t**q + q * t**-p, p * t**-q + q * t**p)
    for s in grid:
        yield np.array([p * s**q, q * s**-p]), float(loses)


@frozen(eq=False)
class _Knapsack:
    """Groups of choices with what each lacks, in steps of the budget.

    Attributes:
        lacking: float64[c] each, least 0.
        up, down: int64[c] each: rounded.
        budget: of the sum of `lacking`.
        steps: of the budget; 0 where everything is allowed.
    """

    lacking: list[FloatArray]
    up: list[IntArray]
    down: list[IntArray]
    budget: float
    steps: int

    @classmethod
    def of(cls, lacking: Sequence[FloatArray], budget: float, steps: int) -> _Knapsack | None:
        """Return it; None where nothing is allowed."""
        shifted = [each - each.min() for each in lacking]
        left = budget - float(np.sum([each.min() for each in lacking]))
        if left < 0:
            return None
        most = float(np.sum([each.max() for each in shifted]))
        if left >= most:
            none = [np.zeros(len(each), dtype=np.int64) for each in shifted]
            return cls(shifted, none, none, np.inf, 0)
        step = left / steps or 1.0
        up = [np.ceil(each / step).astype(np.int64) for each in shifted]
        down = [np.floor(each / step * (1 - 1e-12)).astype(np.int64) for each in shifted]
        return cls(shifted, up, down, left, steps)

    def solved(self, prices: Sequence[FloatArray]) -> tuple[float, list[IntArray]]:
        """Return what no allowed choice undercuts, and allowed choices."""
        least, picks = self._least(prices, self.down)
        found = [picks] if self._allowed(picks) else []
        if self.steps and not found:
            found = [each for _, each in [self._least(prices, self.up)] if self._allowed(each)]
        return least, found

    def _allowed(self, picks: IntArray) -> bool:
        sums = [each[k] for each, k in zip(self.lacking, picks.tolist(), strict=True)]
        return float(np.sum(sums)) <= self.budget

    def _least(
        self, prices: Sequence[FloatArray], adds: Sequence[IntArray]
    ) -> tuple[float, IntArray]:
        """Return the least price and its choices, by dynamic programming over the steps."""
        best = np.zeros(self.steps + 1)
        chosen = np.zeros((len(prices), self.steps + 1), dtype=np.int64)
        for g, (price, steps) in enumerate(zip(prices, adds, strict=True)):
            after = np.full(self.steps + 1, np.inf)
            for k in np.lexsort((price, steps)).tolist():
                if steps[k] > self.steps:
                    break
                with_it = best[: self.steps + 1 - steps[k]] + price[k]
                better = with_it < after[steps[k] :]
                after[steps[k] :][better] = with_it[better]
                chosen[g, steps[k] :][better] = k
            best = after
        picks, left = np.zeros(len(prices), dtype=np.int64), self.steps
        for g in range(len(prices) - 1, -1, -1):
            picks[g] = chosen[g, left]
            left -= int(adds[g][picks[g]])
        return float(best[self.steps]), picks


def _weighed(weights: FloatArray, costs: FloatArray) -> FloatArray:
    """Return weighed sums of energy and cycles, float64[c]; infinite where one is."""
    known = np.isfinite(costs).all(axis=0)
    return np.where(known, weights @ np.where(known, costs, 0.0), np.inf)


def _sum(fixed: FloatArray, costs: Sequence[FloatArray], picks: IntArray) -> FloatArray:
    parts = [each[:, k] for each, k in zip(costs, picks.tolist(), strict=True)]
    return np.asarray(fixed + np.sum(parts, axis=0))


def _times(counts: IntArray, costs: FloatArray) -> FloatArray:
    """Return sums of costs, float64[...], of counts int64[..., l]; infinite where one is needed."""
    lacks = ~np.isfinite(costs)
    total = counts @ np.where(lacks, 0.0, costs)
    return np.where((counts[..., lacks] > 0).any(axis=-1), np.inf, total)
