"""From a point of the encoded space back to a row."""

from __future__ import annotations

import numpy as np

from cosearch.search.parameters import Space
from cosearch.typing import FloatArray, Rows


class Rounding:
    """Undoes a space's encoding, whatever it is, column by column.

    Attributes:
        width: length of the encoding.
        steps: float64[e]: the least nonzero difference that a column's choices make.
    """

    def __init__(self, space: Space) -> None:
        first = np.zeros((1, len(space.names)), dtype=np.int64)
        base = space.encode(first)
        self.width = base.shape[1]
        self.steps = np.ones(self.width)
        self._tables = []
        for j, choices in enumerate(space.cardinalities.tolist()):
            rows = np.repeat(first, choices, axis=0)
            rows[:, j] = np.arange(choices)
            encoded = space.encode(rows)
            places = np.flatnonzero((encoded != base).any(axis=0))
            self._tables.append((places, encoded[:, places]))
            for place in places:
                values = np.unique(encoded[:, place])
                self.steps[place] = float(np.diff(values).min())

    def nearest(self, points: FloatArray) -> Rows:
        """Return the row, int64[n, d], whose encoding is nearest each point, float64[n, e]."""
        rows = np.zeros((len(points), len(self._tables)), dtype=np.int64)
        for j, (places, table) in enumerate(self._tables):
            apart = (table**2).sum(axis=1) - 2.0 * points[:, places] @ table.T
            rows[:, j] = apart.argmin(axis=1)
        return rows
