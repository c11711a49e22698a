"""By how much designs miss each limit: names become columns, in the order in which they are met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from cosearch.typing import FloatArray, IntArray


class Limits:
    """The limits a search has met so far; each keeps its column, whatever else is met later."""

    def __init__(self) -> None:
        self._columns: dict[str, int] = {}

    def __len__(self) -> int:
        """How many limits."""
        return len(self._columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns, in their order."""
        return tuple(self._columns)

    def columns(self, names: Iterable[str]) -> IntArray:
        """Return the column of each limit, int64[len(names)]; a new one gets the next."""
        found = [self._columns.setdefault(name, len(self._columns)) for name in names]
        return np.array(found, dtype=np.int64)

    def table(self, missed: Sequence[Mapping[str, float]]) -> FloatArray:
        """Return float64[n, k] of n designs' violations by limit; NaN where one is not known."""
        places = [self.columns(violations) for violations in missed]
        table = np.full((len(missed), len(self)), np.nan)
        for i, (where, violations) in enumerate(zip(places, missed, strict=True)):
            table[i, where] = list(violations.values())
        return table
