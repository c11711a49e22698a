"""Strategies whose order is settled before the first result."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from cosearch.search.parameters import Space
from cosearch.search.strategy import Strategy
from cosearch.search.unseen import Unseen
from cosearch.typing import BoolArray, FloatArray, Rows

_MOST_SKIPPED = 65_536
"""Points passed over in one ask, before random rows make up what is missing."""


class Enumerated(Strategy):
    """Walks along a sequence of rows, over those that break a known constraint or were seen."""

    multi_objective = True
    blind = True

    def __init__(
        self, space: Space, rng: np.random.Generator, unseen: Unseen | None = None
    ) -> None:
        super().__init__(space, rng)
        self._unseen = unseen or Unseen(space)
        self._next = 0

    @abstractmethod
    def _points(self, start: int, count: int) -> Rows:
        """Return the rows number start to start + count; fewer once the sequence ends."""

    def ask(self, n: int) -> Rows:
        """Return the next n rows; random ones once the sequence has ended."""
        found: list[Rows] = []
        missing, skipped = n, 0
        while missing > 0 and skipped < _MOST_SKIPPED:
            rows = self._points(self._next, max(2 * missing, 64, skipped))
            if len(rows) == 0:
                break
            good = np.flatnonzero(self.space.feasible(rows) & self._unseen.new(rows))[:missing]
            walked = int(good[-1]) + 1 if len(good) == missing else len(rows)
            self._unseen.mark(rows[good])
            self._next += walked
            found.append(rows[good])
            missing -= len(good)
            skipped += walked - len(good)
        found.append(self._unseen.draw(missing, self.rng))
        return np.concatenate(found)

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Remember the rows, so that none is asked again."""
        self._unseen.mark(self.checked(rows, losses, feasible, violations).rows)
