"""Evolution with tournaments, elitist or ageing."""

from __future__ import annotations

import numpy as np

from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.typing import BoolArray, FloatArray, IntArray, Rows
from cosearch_plugins.strategies.parts.population import PopulationStrategy


class Evolutionary(PopulationStrategy):
    """Parents win tournaments; children are crossed and mutated by the space's own operators.

    Sources: Goldberg and Deb, A Comparative Analysis of Selection Schemes Used in Genetic
    Algorithms, FOGA 1991 (tournaments); Real et al., Regularized Evolution for Image Classifier
    Architecture Search, AAAI 2019 (ageing).
    """

    options = ParameterSpace(
        (
            Parameter("population", (2, 16, 32, 64, 128, 4096), 16, free=True,
                      doc="designs that may become parents"),
            Parameter("tournament", (1, 2, 3, 5, 8, 64), 3, free=True,
                      doc="designs drawn for each parent; the best of them wins"),
            Parameter("crossover", (0.0, 0.25, 0.5, 0.75, 1.0), 0.5, free=True,
                      doc="probability of a second parent"),
            Parameter("mutations", (1.0, 1.5, 2.0, 3.0, 16.0), 1.5, free=True,
                      doc="mean number of changes to a child"),
            Parameter("ageing", (False, True), False,
                      doc="the oldest die instead of the worst (regularized evolution)"),
        )
    )  # fmt: skip

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        population: int = 16,
        tournament: int = 3,
        crossover: float = 0.5,
        mutations: float = 1.5,
        ageing: bool = False,
    ) -> None:
        super().__init__(space, rng, population, crossover, mutations)
        self._tournament, self._ageing = tournament, ageing
        self._losses = np.zeros(0)

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Let the rows join the population, and the worst (or the oldest) leave it."""
        told = self.checked(rows, losses, feasible, violations)
        self._unseen.mark(told.rows)
        everyone = np.concatenate([self._rows, told.rows])
        loss = np.concatenate([self._losses, told.loss])
        if self._ageing:
            survivors = np.arange(max(0, len(loss) - self._size), len(loss))
        else:
            survivors = np.sort(np.argsort(loss, kind="stable")[: self._size])
        self._rows, self._losses = everyone[survivors], loss[survivors]

    def _select(self, k: int) -> IntArray:
        """Return the winners, int64[k], of k tournaments; the first drawn wins a tie."""
        drawn = self.rng.integers(0, len(self._rows), size=(k, self._tournament))
        best = self._losses[drawn].argmin(axis=1)
        return np.take_along_axis(drawn, best[:, None], axis=1)[:, 0]
