"""Cycles of Gemmini as its RTL runs, fitted to the FireSim runs that DOSA published.

A tile is what one trip through the DRAM loops leaves on chip. The fit is a p-norm, between the sum
and the maximum of what may overlap, of six products of a weight and a count:

    cycles = (sum_j (w_j f_j)^m)^(1/m)

`python benchmarks/fit_gemmini_rtl.py` fits the weights, prints their error on rows left out, and
checks that the constants below are what it finds.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from cosearch.typing import BoolArray, FloatArray

LARGEST_ARRAY = 16
"""The runs are of arrays of at most 16 x 16; larger spatial tiles ran as several blocks."""

TERMS = ("steps", "blocks", "tiles", "input rows", "weight rows", "constant")

WEIGHTS = (0.8562, 4.0344, 192.5891, 1.7760, 2.2939, 1063.8202)
"""Cycles a compute step, a block of rows through the array, a tile, a row of inputs or weights
brought in, and once; by `benchmarks/fit_gemmini_rtl.py`."""

EXPONENT = 1.5107

SOURCE = (
    "fit to 1,075 FireSim runs of Gemmini's RTL (DOSA's artifact, MICRO 2023); see "
    "docs/hardware/gemmini.md for its cross-validated error"
)


@frozen(eq=False)
class Tiling:
    """Tiles of n mappings: every field is float64[n], the whole layer's sizes included.

    Attributes:
        p, q: output width and height of a tile; a matrix product has its rows in `p`.
        r, s: filter width and height of a tile.
        c, k: input and output channels of a tile.
        P, Q, R, S, C, K: of the layer.
        stride_x, stride_y: along the width and the height.
        array: multipliers in a row of the array.
        repeats: how often all of it runs (batch, groups).
    """

    p: FloatArray
    q: FloatArray
    r: FloatArray
    s: FloatArray
    c: FloatArray
    k: FloatArray
    P: FloatArray
    Q: FloatArray
    R: FloatArray
    S: FloatArray
    C: FloatArray
    K: FloatArray
    stride_x: FloatArray
    stride_y: FloatArray
    array: FloatArray
    repeats: FloatArray

    @property
    def is_product(self) -> BoolArray:
        """bool[n]: runs as a matrix product, whose tiles are whole blocks of the array."""
        return np.asarray((self.Q == 1) & (self.R == 1) & (self.S == 1))


def terms(tiling: Tiling) -> FloatArray:
    """Return float64[n, 6], the counts that `TERMS` names.

    Gemmini's loop over a matrix product takes tiles in whole blocks: a tile of 4 rows on a 16 x 16
    array is one of 16, and there are fewer of them.
    """
    t, d = tiling, np.minimum(tiling.array, LARGEST_ARRAY)
    whole = t.is_product
    p, c, k = (np.where(whole, np.ceil(size / d) * d, size) for size in (t.p, t.c, t.k))
    tiles = t.repeats * np.ceil(t.P / p) * np.ceil(t.C / c) * np.ceil(t.K / k)
    tiles *= (t.Q / t.q) * (t.R / t.r) * (t.S / t.s)
    p = np.minimum(p, t.P)
    channels, filters = np.ceil(c / d), np.ceil(k / d)
    height, width = (p - 1) * t.stride_x + t.r, (t.q - 1) * t.stride_y + t.s
    blocks = tiles * t.q * np.ceil(p / d) * t.r * t.s * channels * filters
    return np.stack(
        [
            tiles * p * t.q * t.r * t.s * channels * filters,
            blocks,
            tiles,
            tiles * height * width * channels,
            tiles * t.r * t.s * channels * d * filters,
            np.ones_like(tiles),
        ],
        axis=1,
    )


def cycles(counts: FloatArray) -> FloatArray:
    """Return whole cycles, float64[n], of counts float64[n, 6]."""
    spent = np.log(counts * np.array(WEIGHTS))
    largest = spent.max(axis=1, keepdims=True)
    norm = np.log(np.exp(EXPONENT * (spent - largest)).sum(axis=1)) / EXPONENT
    return np.asarray(np.ceil(np.exp(largest[:, 0] + norm)))
