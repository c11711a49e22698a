"""Further columns of NAS-Bench-201's networks, from a file that the user brings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from cosearch.typing import FloatArray, IntArray
from cosearch_plugins.workloads.measured_table import MeasuredTable, read_measured
from cosearch_plugins.workloads.nasbench201_table import SIZE

SUFFIXES = {"c10": "cifar10", "c100": "cifar100", "in16": "imagenet16-120"}
"""Of the benchmark's columns; a file may name data sets so."""

NOT_NUMBERS = ("index", "dataset", "arch")


@frozen(eq=False)
class FurtherScores:
    """Columns by the benchmark's index.

    Attributes:
        columns: float64[15625] each; NaN for a network that the file does not have.
        indices: int64[m]: networks that it has, ascending.
    """

    columns: dict[str, FloatArray]
    indices: IntArray

    @classmethod
    def read(cls, text: str, dataset: str, own: Sequence[str]) -> FurtherScores:
        """Return what a file says of one data set.

        Args:
            text: path of the file: a column `index`, perhaps a column `dataset`, and numbers.
            dataset: whose lines count, where the file has that column.
            own: columns that the space has itself, left out.

        Raises:
            InputError: names the file, the line and the column.
        """
        table = read_measured(text)
        kept = _lines_of(table, dataset)
        indices = _indices(table, kept)
        columns = {}
        for name in table.columns:
            if name not in NOT_NUMBERS and name not in own:
                column = np.full(SIZE, np.nan)
                column[indices] = table.numbers(name)[kept]
                columns[name] = column
        return cls(columns, np.sort(indices))


def _lines_of(table: MeasuredTable, dataset: str) -> IntArray:
    if "dataset" not in table.columns:
        return np.arange(len(table.lines))
    names = [SUFFIXES.get(name, name) for name in table.texts("dataset")]
    table.refuse(
        f"line {line}: dataset is {name!r}, not one of {', '.join(SUFFIXES.values())}"
        for line, name in zip(table.lines, names, strict=True)
        if name not in SUFFIXES.values()
    )
    return np.array([i for i, name in enumerate(names) if name == dataset], dtype=np.int64)


def _indices(table: MeasuredTable, kept: IntArray) -> IntArray:
    texts = table.texts("index")
    seen: dict[str, int] = {}
    problems = []
    for i in kept:
        text, line = texts[i], table.lines[i]
        if not text.isascii() or not text.isdigit() or int(text) >= SIZE:
            problems.append(f"line {line}: index is {text!r}, not 0 to {SIZE - 1}")
        elif seen.setdefault(text, line) != line:
            problems.append(f"line {line} has the network of line {seen[text]}")
    table.refuse(problems)
    return np.array([int(texts[i]) for i in kept], dtype=np.int64)
