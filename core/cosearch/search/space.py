"""What every space is: columns of choices, known constraints, and the moves a strategy may make.

A point of a space is a row of small integers, the indices of its choices. A strategy sees nothing
else; only the space knows what a row means.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np

from cosearch.errors import CosearchError
from cosearch.typing import BoolArray, FloatArray, IntArray, Rows

_MOST_ONE_HOT = 64
"""Longer one-hot blocks would swamp the rest of an encoding (loop orders have thousands)."""


class Space(ABC):
    """A finite product of choices, with known constraints.

    The order of calls is free and nothing keeps state: the random generator is passed in.
    """

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The name of each column."""

    @property
    @abstractmethod
    def cardinalities(self) -> IntArray:
        """int64[d]: the number of choices of each column, each at least 1."""

    @property
    def ordered(self) -> BoolArray:
        """bool[d]: whether near choices of a column are alike. None is, unless said."""
        return np.zeros(len(self.names), dtype=bool)

    @property
    def size(self) -> int:
        """How many rows there are, feasible or not."""
        return math.prod(int(c) for c in self.cardinalities)

    def sample(self, n: int, rng: np.random.Generator) -> Rows:
        """Return n rows, each column uniform over its choices, known constraints ignored."""
        return rng.integers(0, self.cardinalities, size=(n, len(self.names)), dtype=np.int64)

    def feasible(self, rows: Rows) -> BoolArray:
        """Return bool[n]: which rows meet every known constraint. Cheap and vectorized.

        A search may shrink its space: a row may leave between two calls, and none comes back.
        """
        return np.ones(len(rows), dtype=bool)

    def stated(self, rows: Rows) -> BoolArray:
        """Return bool[n]: which rows may ever be feasible, where a search shrinks the space."""
        return self.feasible(rows)

    def least(self, rows: Rows) -> FloatArray | None:  # noqa: ARG002 - others look
        """Return float64[n, m]: losses that rows cannot undercut; None where nobody knows any."""
        return None

    def sample_feasible(
        self, n: int, rng: np.random.Generator, max_draws: int = 1_000_000
    ) -> tuple[Rows, int]:
        """Draw until n rows meet the known constraints, or max_draws rows have been drawn.

        Returns:
            int64[m, d] with m <= n, and the number of raw draws spent.
        """
        kept: list[Rows] = []
        found = draws = 0
        batch = max(n, 64)
        while found < n and draws < max_draws:
            batch = min(batch, max_draws - draws)
            rows = self.sample(batch, rng)
            rows = rows[self.feasible(rows)]
            draws += batch
            found += len(rows)
            kept.append(rows)
            batch = min(4 * batch, 65_536)
        if not kept:
            return self.sample(0, rng), draws
        return np.concatenate(kept)[:n], draws

    def rank(self, rows: Rows) -> IntArray:
        """Return the number of each row, int64[n] in [0, size): the last column counts fastest.

        Raises:
            CosearchError: the space has 2**63 rows or more.
        """
        return np.asarray(rows @ self._place_values())

    def unrank(self, numbers: IntArray) -> Rows:
        """Return the rows of such numbers, int64[n, d]; undoes `rank`."""
        return (numbers[:, None] // self._place_values()) % self.cardinalities

    def _place_values(self) -> IntArray:
        if self.size >= 2**63:
            raise CosearchError(f"a space of {self.size:.3g} rows cannot be numbered")
        after = np.concatenate([self.cardinalities[1:], [1]])[: len(self.cardinalities)]
        return np.cumprod(after[::-1])[::-1].astype(np.int64)

    def allowed(self, rows: Rows, column: int) -> BoolArray:
        """Return bool[n, c]: which choices of a column keep rows clear of known constraints.

        Only the columns before it are looked at. A choice may be allowed here and still lead
        nowhere; one that is not allowed is in no feasible row. Here only the last column is
        decided; a space that can say more says it.
        """
        choices = int(self.cardinalities[column])
        if column + 1 < len(self.names):
            return np.ones((len(rows), choices), dtype=bool)
        tried = np.repeat(rows, choices, axis=0)
        tried[:, column] = np.tile(np.arange(choices), len(rows))
        return self.feasible(tried).reshape(len(rows), choices)

    def perturb(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """Return one neighbour of each row: one column changed, an ordered one by a small step.

        Known constraints may be broken; a column with one choice is never picked.
        """
        out = rows.copy()
        movable = np.flatnonzero(self.cardinalities > 1)
        if len(movable) == 0 or len(rows) == 0:
            return out
        columns = movable[rng.integers(0, len(movable), size=len(rows))]
        which = np.arange(len(rows))
        cards = self.cardinalities[columns]
        current = rows[which, columns]
        jump = (current + rng.integers(1, cards)) % cards
        step = current + np.where(rng.random(len(rows)) < 0.5, -1, 1)
        step = np.where((step < 0) | (step >= cards), 2 * current - step, step)
        near = self.ordered[columns] & (rng.random(len(rows)) < 0.75)
        out[which, columns] = np.where(near, step, jump)
        return out

    def crossover(self, a: Rows, b: Rows, rng: np.random.Generator) -> Rows:
        """Return one child of each pair of rows: every column from one parent or the other."""
        return np.where(rng.random(a.shape) < 0.5, a, b)

    def encode(self, rows: Rows) -> FloatArray:
        """Return float64[n, e] in [0, 1]: ordered columns scaled, the others one-hot.

        A column of more than 64 choices is scaled too, and one of a single choice left out. A
        subclass may encode otherwise; each number then depends on one column alone.
        """
        blocks: list[FloatArray] = []
        for j, width in enumerate(self._widths()):
            column, cards = rows[:, j], self.cardinalities[j]
            if width == 1:
                blocks.append((column / (cards - 1))[:, None].astype(np.float64))
            elif width:
                blocks.append((column[:, None] == np.arange(cards)).astype(np.float64))
        return np.concatenate(blocks, axis=1) if blocks else np.zeros((len(rows), 0))

    def _widths(self) -> list[int]:
        """How many numbers of the encoding each column takes."""
        columns = zip(self.cardinalities.tolist(), self.ordered.tolist(), strict=True)
        return [
            0 if c < 2 else 1 if ordered or c == 2 or c > _MOST_ONE_HOT else c
            for c, ordered in columns
        ]

    def features(self, rows: Rows) -> FloatArray:
        """Return float64[n, f] for a surrogate model: domain features, or the encoding."""
        return self.encode(rows)
