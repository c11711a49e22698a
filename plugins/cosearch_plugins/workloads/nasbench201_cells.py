"""How the cells of NAS-Bench-201 are numbered and written."""

from __future__ import annotations

from functools import cache
from itertools import product
from random import Random

import numpy as np
from attrs import frozen

from cosearch.typing import FloatArray, IntArray, Rows

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""From node, to node, in the order of the cell's text."""

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")

SIZE = len(OPERATIONS) ** len(EDGES)

SHUFFLED_BY = 88
"""Seed of the benchmark's order."""


@frozen
class DataSet:
    """What differs between the data sets.

    Attributes:
        suffix: of the benchmark's columns.
        pixels: side of the image.
        classes: to tell apart.
    """

    suffix: str
    pixels: int
    classes: int


DATA_SETS = {
    "cifar10": DataSet("c10", 32, 10),
    "cifar100": DataSet("c100", 32, 100),
    "imagenet16-120": DataSet("in16", 16, 120),
}


def skip_score(rows: Rows) -> FloatArray:
    """Return FreeREA's third score, float64[n]: how far skip connections reach.

    The mean over `skip_connect` edges of (to - from - 1), 0 without any (Cavagnero et al., WACV
    2023).
    """
    reach = np.array([b - a - 1 for a, b in EDGES], dtype=np.float64)
    skips = rows == OPERATIONS.index("skip_connect")
    return np.asarray((skips * reach).sum(axis=1) / np.maximum(skips.sum(axis=1), 1))


def cell_text(row: Rows) -> str:
    """Return the benchmark's text of a cell, int64[6]."""
    edges = [f"{OPERATIONS[int(op)]}~{a}" for op, (a, _) in zip(row, EDGES, strict=True)]
    return "+".join(f"|{'|'.join(part)}|" for part in (edges[:1], edges[1:3], edges[3:]))


@cache
def rows_by_index() -> Rows:
    """Return every cell, int64[15625, 6], in the order of the benchmark's indices.

    The benchmark writes cells down node by node, the last edge varying fastest, and shuffles the
    list with Python's generator, seed 88; compared with its own list in all 15,625 places.
    """
    cells = list(product(range(len(OPERATIONS)), repeat=len(EDGES)))
    Random(SHUFFLED_BY).shuffle(cells)  # noqa: S311 - the benchmark's own order
    return np.array(cells, dtype=np.int64)


def codes(rows: Rows) -> IntArray:
    """Return each row as a number in base 5."""
    powers = len(OPERATIONS) ** np.arange(len(EDGES), dtype=np.int64)
    return np.asarray(rows @ powers)


@cache
def index_by_code() -> IntArray:
    """Return the benchmark's index, int64[15625], of every cell by its `codes`."""
    index = np.empty(SIZE, dtype=np.int64)
    index[codes(rows_by_index())] = np.arange(SIZE)
    return index
