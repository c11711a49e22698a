"""What was asked and has not been told yet."""

from __future__ import annotations

import numpy as np

from cosearch.typing import Rows

RECENT = 64
"""Rows kept: those asked long ago and never told are given up, and cost later asks nothing."""


class Pending:
    """The rows asked last that wait for their results."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._rows: dict[bytes, Rows] = {}

    def __len__(self) -> int:
        """How many rows wait."""
        return len(self._rows)

    def add(self, rows: Rows) -> None:
        """Note rows that are given away."""
        self._rows.update((row.tobytes(), row.copy()) for row in rows)
        while len(self._rows) > RECENT:
            del self._rows[next(iter(self._rows))]

    def remove(self, rows: Rows) -> None:
        """Forget rows whose results are there."""
        for row in rows:
            self._rows.pop(row.tobytes(), None)

    @property
    def rows(self) -> Rows:
        """int64[p, d], the longest waiting first."""
        return np.array([*self._rows.values()], dtype=np.int64).reshape(-1, self._columns)
