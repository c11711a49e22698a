"""Every n-th design of a strategy that learns nothing, so that n studies make up one."""

from __future__ import annotations

import numpy as np

from cosearch.errors import CosearchError
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.search.strategy import Strategy
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.strategies.grid import Grid
from cosearch_plugins.strategies.random import Random
from cosearch_plugins.strategies.sobol import Sobol

WHOLE = {"random": Random, "sobol": Sobol, "grid": Grid}
"""Strategies whose designs are settled by the seed, whatever earlier ones were worth."""


class Shard(Strategy):
    """The designs number part + 1, part + 1 + parts, part + 1 + 2 parts ... of a strategy.

    The strategy is asked as often, and for as many rows at once, as a single study would ask it: so
    the parts together have the designs of that study, each in one of them, at its place.
    """

    multi_objective = True
    blind = True
    options = ParameterSpace(
        (
            Parameter("of", tuple(WHOLE), "random", doc="the strategy that proposes them all"),
            Parameter("part", (0, 1, 2, 3, 1023), 0, free=True, doc="which part, counted from 0"),
            Parameter("parts", (1, 2, 4, 8, 1024), 1, free=True, doc="how many there are"),
        )
    )

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        of: str = "random",
        part: int = 0,
        parts: int = 1,
    ) -> None:
        super().__init__(space, rng)
        if part >= parts:
            raise CosearchError(
                f"there is no part {part} of {parts}", "parts are counted from 0: part=0 is one"
            )
        self._whole, self._part, self._parts = WHOLE[of](space, rng), part, parts
        self._proposed = 0
        self._waiting = np.zeros((0, len(space.names)), dtype=np.int64)

    def ask(self, n: int) -> Rows:
        """Return the next n rows of this part; fewer once the strategy has no more."""
        while len(self._waiting) < n:
            rows = self._whole.ask(n)
            if len(rows) == 0:
                break
            mine = np.arange(self._proposed, self._proposed + len(rows)) % self._parts == self._part
            self._proposed += len(rows)
            self._waiting = np.concatenate([self._waiting, rows[mine]])
        rows, self._waiting = self._waiting[:n], self._waiting[n:]
        return rows

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Let the strategy know of rows, so that none is asked again."""
        self._whole.tell(rows, losses, feasible, violations)
