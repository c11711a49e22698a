"""NSGA-II: evolution towards the whole Pareto front."""

from __future__ import annotations

import numpy as np

from cosearch.errors import CosearchError
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.typing import BoolArray, FloatArray, IntArray, Rows
from cosearch_plugins.strategies.parts.population import PopulationStrategy


def front_numbers(losses: FloatArray) -> IntArray:
    """Return the front, int64[n], each point of losses, float64[n, m], belongs to; 0 is the best.

    Source: Deb et al. 2002, section III-A (fast non-dominated sorting).
    """
    no_worse = (losses[:, None, :] <= losses[None, :, :]).all(axis=2)
    better = (losses[:, None, :] < losses[None, :, :]).any(axis=2)
    dominates: BoolArray = np.asarray(no_worse & better)
    dominators = dominates.sum(axis=0)
    fronts = np.full(len(losses), -1, dtype=np.int64)
    number = 0
    while (fronts < 0).any():
        front = (fronts < 0) & (dominators == 0)
        fronts[front] = number
        dominators = dominators - dominates[front].sum(axis=0)
        number += 1
    return fronts


def crowding(losses: FloatArray, fronts: IntArray) -> FloatArray:
    """Return each point's crowding distance, float64[n], within its front; ends are infinite.

    Source: Deb et al. 2002, section III-B. Infinite losses count as just beyond the finite ones.
    """
    finite = np.where(np.isfinite(losses), losses, np.nan)
    distance = np.zeros(len(losses))
    for column in finite.T:
        known = column[np.isfinite(column)]
        low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
        scale = high / 2 - low / 2
        relative = (column / 2 - low / 2) / scale if scale > 0 else np.zeros(len(column))
        relative = np.where(np.isnan(relative), 2.0, relative)
        for number in range(int(fronts.max(initial=-1)) + 1):
            members = np.flatnonzero(fronts == number)
            order = members[np.argsort(relative[members], kind="stable")]
            distance[order[[0, -1]]] = np.inf
            distance[order[1:-1]] += relative[order[2:]] - relative[order[:-2]]
    return distance


class Nsga2(PopulationStrategy):
    """Non-dominated sorting with crowding distance; infeasible designs come after all others.

    Source: Deb, Pratap, Agarwal and Meyarivan, A Fast and Elitist Multiobjective Genetic
    Algorithm: NSGA-II, IEEE Transactions on Evolutionary Computation 6(2), 2002.
    """

    multi_objective = True
    options = ParameterSpace(
        (
            Parameter("population", (2, 16, 32, 64, 128, 1024), 32, free=True,
                      doc="designs that may become parents"),
            Parameter("crossover", (0.0, 0.5, 0.75, 0.9, 1.0), 0.9, free=True,
                      doc="probability of a second parent"),
            Parameter("mutations", (1.0, 1.5, 2.0, 3.0, 16.0), 1.0, free=True,
                      doc="mean number of changes to a child"),
        )
    )  # fmt: skip

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        population: int = 32,
        crossover: float = 0.9,
        mutations: float = 1.0,
    ) -> None:
        super().__init__(space, rng, population, crossover, mutations)
        self._losses: FloatArray | None = None

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Join the rows to the population and keep the first by front, then by crowding."""
        told = self.checked(rows, losses, feasible, violations)
        self._unseen.mark(told.rows)
        before = told.losses[:0] if self._losses is None else self._losses
        if before.shape[1] != told.losses.shape[1]:
            raise CosearchError(
                f"Nsga2 was told {before.shape[1]} losses first and now {told.losses.shape[1]}"
            )
        everyone = np.concatenate([self._rows, told.rows])
        everything = np.concatenate([before, told.losses])
        fronts = front_numbers(everything)
        order = np.lexsort((-crowding(everything, fronts), fronts))[: self._size]
        self._rows, self._losses = everyone[order], everything[order]

    def _select(self, k: int) -> IntArray:
        """Return the winners, int64[k], of k binary tournaments; the population is sorted."""
        drawn: IntArray = self.rng.integers(0, len(self._rows), size=(k, 2))
        return np.minimum(drawn[:, 0], drawn[:, 1])
