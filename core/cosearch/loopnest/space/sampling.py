"""Random rows, compiled: a function of the seed and of where a number stands, nothing else.

The generator is counter-based (SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom
number generators", OOPSLA 2014, figure 17): the number of row i, column j depends on the seed, i
and j alone, so that any cut into parts and any number of threads give the same rows.
"""

from __future__ import annotations

import numpy as np

from cosearch.compiling.bundle import Ints, Ints2
from cosearch.compiling.parts import Part
from cosearch.typing import IntArray, Rows

SAMPLING = Part(__name__, "SAMPLING", "random rows")

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@SAMPLING.entry()
def _fill(seed: np.uint64, choices: Ints, begin: np.uint64, out: Ints2) -> None:
    for i in range(len(out)):
        row = out[i]
        counter = (begin + np.uint64(i)) * np.uint64(len(choices))
        for j in range(len(choices)):
            z = seed + (counter + np.uint64(j) + np.uint64(1)) * _GAMMA
            z = (z ^ (z >> np.uint64(30))) * _MIX_1
            z = (z ^ (z >> np.uint64(27))) * _MIX_2
            z = z ^ (z >> np.uint64(31))
            row[j] = int(np.float64(z >> np.uint64(11)) * 2.0**-53 * choices[j])


def random_rows(n: int, choices: IntArray, seed: int, *, begin: int = 0) -> Rows:
    """Return n rows, int64[n, d], each column uniform over its choices.

    Args:
        n: how many.
        choices: int64[d].
        seed: at least 0, below 2**64.
        begin: number of the first row, so that one sequence can be made in parts.
    """
    out = np.empty((n, len(choices)), dtype=np.int64)
    _fill(np.uint64(seed), choices, np.uint64(begin), out)
    return out
