"""One strategy on one problem whose optimum is known: how far off it is as the search goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from attrs import frozen

from cosearch.compare.statistics import holm, permutation_test
from cosearch.registry.registry import Named
from cosearch.search.hypervolume import hypervolume, reference_point
from cosearch.search.objective import pareto_front
from cosearch.search.parameters import Space
from cosearch.search.pruning import Floors, PrunedSpace
from cosearch.search.strategy import Answer, Strategy
from cosearch.typing import FloatArray, Rows

WITHIN = 0.05
"""A search has arrived when its best is so near the optimum."""

SURE = 0.05
"""A contender is worse than the first where chance would do so more rarely than this."""

BUDGETS = (50, 200, 1000)
"""Designs after which regrets are noted."""


class Landscape(Protocol):
    """A space, what its points are worth, and the best of them.

    Attributes:
        space: to search.
        front: float64[f, m]: losses on the true Pareto front; of one loss, the optimum.
    """

    @property
    def space(self) -> Space:
        """To search."""

    @property
    def front(self) -> FloatArray:
        """float64[f, m]: losses on the true Pareto front; of one loss, the optimum."""

    def answer(self, rows: Rows) -> Answer:
        """Return what a strategy is told of rows."""


@frozen
class Race:
    """How one contender did on one problem from one seed.

    Attributes:
        task, strategy, seed: what was run.
        hit: designs until the regret is at most `WITHIN`; infinite if it never is.
        budgets: designs after which regrets are noted.
        regrets: after each of the budgets. Of one loss, best / optimum - 1, infinite while nothing
            is feasible; of several, 1 - the share of the true front's hypervolume.
        designs, feasible: asked for, and how many of them could be built.
        cpu_s: seconds of thought, to the microsecond, of this process alone.
    """

    task: str
    strategy: str
    seed: int
    hit: float
    budgets: tuple[int, ...]
    regrets: tuple[float, ...]
    designs: int
    feasible: int
    cpu_s: float


def race(
    task: str,
    land: Landscape,
    named: Named[Strategy],
    seed: int,
    budgets: Sequence[int] = BUDGETS,
    batch: int = 1,
    floors: Floors | None = None,
) -> Race:
    """Run one contender on one problem until the last budget, or the optimum.

    Args:
        task: name of the problem.
        land: the problem.
        named: the strategy with its options.
        seed: of the strategy.
        budgets: designs, ascending.
        batch: designs asked for at once.
        floors: by which designs leave the space; None where it is not pruned.
    """
    space = land.space if floors is None else PrunedSpace(land.space, floors)
    strategy = named.make(space, np.random.default_rng(seed))
    losses: list[FloatArray] = []
    asked, feasible, thought, arrived = 0, 0, 0.0, False
    while asked < budgets[-1] and not arrived:
        started = time.process_time()
        rows = strategy.ask(min(batch, budgets[-1] - asked))
        thought += time.process_time() - started
        if len(rows) == 0:
            break
        answer = land.answer(rows)
        if floors is not None:
            floors.learn(rows, *answer[:2])
        started = time.process_time()
        strategy.tell(rows, *answer)
        thought += time.process_time() - started
        found = np.where(answer[1][:, None], answer[0], np.inf)
        losses.extend(found)
        asked += len(rows)
        feasible += int(answer[1].sum())
        arrived = land.front.shape[1] == 1 and found.min() <= land.front.min() * (1 + 1e-9)
    curve = regret_curve(np.array(losses), land.front, budgets)
    near = np.flatnonzero(curve <= WITHIN)
    hit = float(near[0] + 1) if len(near) else math.inf
    regrets = tuple(float(curve[min(b, len(curve)) - 1]) for b in budgets)
    thought = round(thought, 6)
    return Race(task, named.spec, seed, hit, tuple(budgets), regrets, asked, feasible, thought)


def beaten(runs: Sequence[Race], budget: int) -> dict[str, bool]:
    """Return of each contender whether it is worse than the first after a budget, by a test.

    The first is the one of least median regret, of several that with most runs. The others are
    tested against it by permutation, Holm-corrected, at 5 %: whoever is not beaten is within noise
    of the first.

    Args:
        runs: of all contenders on one problem. Who was not run so far, NaN, is left out.
        budget: index of the budget.
    """
    of: dict[str, list[float]] = {}
    for run in runs:
        of.setdefault(run.strategy, []).append(run.regrets[budget])
    regrets = {name: np.array(v) for name, v in of.items() if not np.isnan(v).any()}
    if not regrets:
        return dict.fromkeys(of, False)
    first = min(
        regrets,
        key=lambda name: (
            float(np.median(regrets[name])), -len(regrets[name]), regrets[name].mean()
        ),
    )  # fmt: skip
    others = [name for name in regrets if name != first]
    p_values = holm(
        [
            permutation_test([regrets[first]], [regrets[name]], np.random.default_rng(i))
            for i, name in enumerate(others)
        ]
    )
    worse = {name: p <= SURE for name, p in zip(others, p_values, strict=True)}
    return {name: worse.get(name, False) for name in of}


def regret_curve(losses: FloatArray, front: FloatArray, budgets: Sequence[int]) -> FloatArray:
    """Return the regret, float64[n], after each design of a search.

    Of several losses it is found at every tenth design and at the budgets, and holds until the
    next of these.

    Args:
        losses: float64[n, m] in the order of asking; infinite where not feasible.
        front: float64[f, m], the best there are.
        budgets: designs at which it is exact.
    """
    if front.shape[1] == 1:
        return np.asarray(np.minimum.accumulate(losses[:, 0]) / front.min() - 1.0)
    n, corner = len(losses), reference_point(front)
    whole = hypervolume(front, corner)
    curve = np.ones(n)
    for at in sorted({*range(10, n + 1, 10), *(b for b in budgets if b <= n), n}):
        met = np.unique(losses[:at], axis=0)
        met = met[pareto_front(met)]
        curve[at - 1 :] = 1.0 - hypervolume(met, corner) / whole if len(met) else 1.0
    return curve
