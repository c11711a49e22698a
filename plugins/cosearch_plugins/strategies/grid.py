"""Grid search, coarse to fine."""

from __future__ import annotations

import math

import numpy as np

from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.typing import IntArray, Rows
from cosearch_plugins.strategies.parts.enumerated import Enumerated

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


class Grid(Enumerated):
    """Every combination of a few values a column, then of more, until of all.

    The values of an ordered column are evenly spaced, both ends included; an unordered column
    takes part with all its choices. In `spread` order consecutive points lie a golden section of
    the grid apart, so that a search cut short has still been everywhere.
    """

    options = ParameterSpace(
        (
            Parameter(
                "steps",
                (0, 2, 3, 5, 9, 1024),
                0,
                free=True,
                doc="values an ordered column takes; 0: 2, then 3, 5, 9 and so on",
            ),
            Parameter(
                "order",
                ("spread", "lexicographic"),
                "spread",
                doc="how a grid is walked; lexicographic: the last column counts fastest",
            ),
        )
    )

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        steps: int = 0,
        order: str = "spread",
    ) -> None:
        super().__init__(space, rng)
        self._grids = [self._values(steps)] if steps else self._coarse_to_fine()
        self._sizes = [math.prod(len(values) for values in grid) for grid in self._grids]
        self._starts = [0] * len(self._sizes)
        self._strides = [1] * len(self._sizes)
        if order == "spread":
            self._starts = [int(rng.random() * size) for size in self._sizes]
            self._strides = [_coprime(size) for size in self._sizes]

    def _values(self, steps: int) -> list[IntArray]:
        """Return the choices that each column takes in a grid of so many steps."""
        return [
            np.unique(np.rint(np.linspace(0, c - 1, min(max(steps, 1), c))).astype(np.int64))
            if ordered
            else np.arange(c)
            for c, ordered in zip(self.space.cardinalities, self.space.ordered, strict=True)
        ]

    def _coarse_to_fine(self) -> list[list[IntArray]]:
        grids, steps, most = [], 2, int(self.space.cardinalities.max(initial=1))
        while steps < most:
            grids.append(self._values(steps))
            steps = 2 * steps - 1
        return [*grids, self._values(most)]

    def _points(self, start: int, count: int) -> Rows:
        """Return the rows number start to start + count, from one grid."""
        for grid, size, first, stride in zip(
            self._grids, self._sizes, self._starts, self._strides, strict=True
        ):
            if start < size:
                steps = range(start, min(start + count, size))
                return _decode([(first + i * stride) % size for i in steps], grid)
            start -= size
        return np.zeros((0, len(self.space.names)), dtype=np.int64)


def _coprime(size: int) -> int:
    """Return a stride near the golden section of a cycle that visits all of it."""
    stride = max(1, int(size * _GOLDEN))
    while math.gcd(stride, size) != 1:
        stride += 1
    return stride


def _decode(numbers: list[int], grid: list[IntArray]) -> Rows:
    """Return the rows of such numbers, which may exceed 64 bits, in a grid of column values."""
    rows = np.empty((len(numbers), len(grid)), dtype=np.int64)
    rest = np.array(numbers, dtype=object)
    for j in range(len(grid) - 1, -1, -1):
        rows[:, j] = grid[j][(rest % len(grid[j])).astype(np.int64)]
        rest = rest // len(grid[j])
    return rows
