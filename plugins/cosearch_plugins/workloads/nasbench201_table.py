"""The tables of NAS-Bench-201, and how its cells are numbered and written.

`data/nasbench201` holds the tables with their origin and licences.
"""

from __future__ import annotations

import csv
import gzip
from functools import cache
from importlib import resources

import numpy as np

from cosearch.typing import FloatArray, IntArray, Rows

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""From node, to node, in the order of the cell's text."""

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")

SIZE = len(OPERATIONS) ** len(EDGES)


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
def table() -> dict[str, FloatArray]:
    """Return the numeric columns of the benchmark's table, float64[15625] each, by index."""
    return _numbers("nasbench201.csv.gz")


@cache
def latencies() -> dict[str, FloatArray]:
    """Return milliseconds of the CIFAR-10 network, float64[15625] each, by device and index."""
    return _numbers("latency.csv.gz")


def _numbers(name: str) -> dict[str, FloatArray]:
    rows = _read(name)
    columns = [c for c in rows[0] if c not in ("index", "arch")]
    return {c: np.array([float(row[c]) for row in rows]) for c in columns}


def _read(name: str) -> list[dict[str, str]]:
    data = resources.files(__package__) / "data" / "nasbench201" / name
    with data.open("rb") as raw, gzip.open(raw, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def rows_by_index() -> Rows:
    """Return every cell, int64[15625, 6], in the order of the benchmark's indices."""
    cells = [row["arch"] for row in _read("nasbench201.csv.gz")]
    edges = [
        [part.split("~")[0] for part in cell.replace("+", "").split("|") if part] for cell in cells
    ]
    return np.array([[OPERATIONS.index(op) for op in row] for row in edges], dtype=np.int64)


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
