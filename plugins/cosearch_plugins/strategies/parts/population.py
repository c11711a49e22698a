"""What strategies with a population have in common: random rows at first, then children."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from cosearch.search.parameters import Space
from cosearch.search.strategy import Strategy
from cosearch.search.unseen import Unseen
from cosearch.typing import IntArray, Rows
from cosearch_plugins.strategies.parts.breeding import Breeding


class PopulationStrategy(Strategy):
    """Asks for random rows until there is a population, then for children of selected parents.

    What `tell` leaves in `_rows` are those that may become parents.
    """

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        population: int,
        crossover: float,
        mutations: float,
    ) -> None:
        super().__init__(space, rng)
        self._size = population
        self._breeding = Breeding(space, crossover, mutations)
        self._unseen = Unseen(space)
        self._asked = 0
        self._rows = np.zeros((0, len(space.names)), dtype=np.int64)

    def ask(self, n: int) -> Rows:
        """Return random rows until a population has been asked for, then children."""
        early = n if len(self._rows) == 0 else min(n, max(0, self._size - self._asked))
        rows = self._unseen.draw(early, self.rng)
        if n > early:
            children = self._breeding.offspring(
                n - early, self._rows, self._select, self._unseen, self.rng
            )
            rows = np.concatenate([rows, children])
        self._asked += len(rows)
        return rows

    @abstractmethod
    def _select(self, k: int) -> IntArray:
        """Return the indices, int64[k], of k chosen parents."""
