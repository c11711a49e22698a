"""Quasi-random search: points that fill the space more evenly than chance."""

from __future__ import annotations

import numpy as np

from cosearch.search.parameters import Space
from cosearch.search.unseen import Unseen
from cosearch.typing import IntArray, Rows
from cosearch_plugins.strategies.parts.direction_numbers import DIRECTION_NUMBERS
from cosearch_plugins.strategies.parts.enumerated import Enumerated

_BITS = 30


def directions(dimensions: int) -> IntArray:
    """Return the direction numbers v, int64[dimensions, 30], as 30-bit fractions.

    Source: Bratley and Fox, Algorithm 659, ACM TOMS 14, 1988, equations 2 to 6.
    """
    v = np.zeros((dimensions, _BITS), dtype=np.int64)
    v[0] = 1 << np.arange(_BITS - 1, -1, -1)
    for j, (polynomial, *m) in enumerate(DIRECTION_NUMBERS[: dimensions - 1], start=1):
        degree = len(m)
        v[j, :degree] = [m_i << (_BITS - 1 - i) for i, m_i in enumerate(m)]
        for i in range(degree, _BITS):
            v[j, i] = v[j, i - degree] ^ (v[j, i - degree] >> degree)
            for k in range(1, degree):
                if polynomial >> (degree - k) & 1:
                    v[j, i] ^= v[j, i - k]
    return v


def sobol_integers(start: int, count: int, v: IntArray) -> IntArray:
    """Return points start to start + count in binary order, int64[count, d], times 2**-30."""
    index = np.arange(start, start + count, dtype=np.int64)
    points = np.zeros((count, len(v)), dtype=np.int64)
    for bit in range((start + count).bit_length()):
        points ^= ((index >> bit) & 1)[:, None] * v[:, bit]
    return points


class Sobol(Enumerated):
    """A Sobol sequence with a random digital shift, one dimension a column.

    Columns beyond the 64th, which few spaces have, are drawn uniformly. A strategy that begins with
    it hands in its own memory of what was `unseen`.

    Sources: Sobol, USSR Computational Mathematics 7, 1967; direction numbers of Joe and Kuo, 2008.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, unseen: Unseen | None = None
    ) -> None:
        super().__init__(space, rng, unseen)
        self._v = directions(min(len(space.names), len(DIRECTION_NUMBERS) + 1))
        self._shift = rng.integers(0, 1 << _BITS, size=len(self._v))
        self._other_columns = int(rng.integers(2**62))

    def _points(self, start: int, count: int) -> Rows:
        """Return the rows number start to start + count."""
        count = min(count, (1 << _BITS) - start)
        points = sobol_integers(start, count, self._v) ^ self._shift
        quasi = (points * self.space.cardinalities[: len(self._v)]) >> _BITS
        if len(self._v) == len(self.space.names):
            return quasi
        others = np.random.default_rng([self._other_columns, start])
        return np.hstack([quasi, self.space.sample(count, others)[:, len(self._v) :]])
