"""Memory of a search: which rows have been seen, and a supply of those that have not."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np

from cosearch.search.parameters import Space
from cosearch.typing import BoolArray, Rows

ENUMERABLE = 2**20
"""Spaces up to this size are enumerated once random draws hardly find anything new."""

MAX_DRAWS = 1_000_000
"""Raw draws spent at most on one request in a space too large to enumerate."""


class Unseen:
    """The rows of a space that have been neither asked nor told.

    Attributes:
        draws: raw draws spent so far on finding unseen rows that meet the known constraints.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.draws = 0
        self._seen: set[Hashable] = set()
        self._numbered = space.size < 2**63
        self._rest: Rows | None = None  # a queue: these from `_at` on, then those at the back
        self._at, self._back = 0, list[Rows]()

    def __len__(self) -> int:
        """How many rows have been seen."""
        return len(self._seen)

    def mark(self, rows: Rows) -> None:
        """Take rows as seen."""
        self._seen.update(self._keys(rows))

    def new(self, rows: Rows) -> BoolArray:
        """Return bool[n]: which rows are unseen, the first of equal ones alone."""
        here: set[Hashable] = set()
        fresh = np.zeros(len(rows), dtype=bool)
        for i, key in enumerate(self._keys(rows)):
            if key not in self._seen and key not in here:
                here.add(key)
                fresh[i] = True
        return fresh

    def take(self, rows: Rows, most: int | None = None) -> Rows:
        """Return the unseen rows that meet the known constraints, in order, and mark them."""
        rows = rows[self.space.feasible(rows)] if len(rows) else rows
        rows = rows[self.new(rows)][:most]
        self.mark(rows)
        return rows

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Return up to n unseen rows that meet the known constraints, at random, and mark them.

        Fewer than n only when the space has no more (small spaces), or when none is found in
        `MAX_DRAWS` raw draws (large ones).
        """
        rows = self.find(n, rng)
        self.mark(rows)
        return rows

    def find(self, n: int, rng: np.random.Generator) -> Rows:
        """Return what `draw` does, and mark nothing: candidates among which to choose."""
        rows = np.zeros((0, len(self.space.names)), dtype=np.int64)
        enumerable, spent = self.space.size <= ENUMERABLE, 0
        while len(rows) < n and spent < MAX_DRAWS and self._rest is None:
            most = min(MAX_DRAWS - spent, self.space.size if enumerable else MAX_DRAWS)
            drawn, raw = self.space.sample_feasible(n - len(rows), rng, most)
            before = len(rows)
            rows = np.concatenate([rows, drawn])
            rows = rows[self.new(rows)]
            spent += raw
            self.draws += raw
            poor = 8 * (len(rows) - before) < raw
            if enumerable and poor and self.space.size <= 4096 + 16 * self.draws:
                self._enumerate(rng)
        return rows if self._rest is None else self._from_rest(n)

    def _enumerate(self, rng: np.random.Generator) -> None:
        rows = self.space.unrank(np.arange(self.space.size))
        self._rest = rng.permutation(rows[self.space.stated(rows)])

    def _from_rest(self, n: int) -> Rows:
        """Return n unseen rows of those left, and put them at the back of the queue."""
        found = []
        while n > 0 and len(chunk := self._ahead(max(n, 64))):
            positions = np.flatnonzero(self.new(chunk) & self.space.feasible(chunk))[:n]
            self._at += int(positions[-1]) + 1 if len(positions) == n else len(chunk)
            found.append(chunk[positions])
            n -= len(positions)
        rows = np.concatenate([self._ahead(0), *found])
        self._back.append(rows)
        return rows

    def _ahead(self, n: int) -> Rows:
        """Return the next rows of the queue, none only where it has no more."""
        rest = np.zeros((0, len(self.space.names)), np.int64) if self._rest is None else self._rest
        if self._at == len(rest) and self._back:
            rest = self._rest = np.concatenate(self._back)
            self._at, self._back = 0, []
        return rest[self._at : self._at + n]

    def _keys(self, rows: Rows) -> Iterable[Hashable]:
        if self._numbered:
            keys: list[Hashable] = self.space.rank(rows).tolist()
            return keys
        packed = np.ascontiguousarray(rows, dtype=np.int32)
        whole: list[Hashable] = packed.view(f"V{packed.shape[1] * 4}").ravel().tolist()
        return whole
