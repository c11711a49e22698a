"""What was measured on NAS-Bench-201's networks, from files that the user brings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen

from cosearch.errors import InputError, expanded
from cosearch.typing import FloatArray, IntArray
from cosearch_plugins.workloads.measured_table import MeasuredTable, read_measured
from cosearch_plugins.workloads.nasbench201_cells import DATA_SETS, SIZE, cell_text, rows_by_index

SUFFIXES = {data.suffix: name for name, data in DATA_SETS.items()}
"""Of the benchmark's columns; a file may name data sets so."""

ACCURACY = "acc"
"""Test accuracy in per cent; a column `accuracy` means the same."""

DEVICES = ("eyeriss_ms", "fpga_ms", "raspi4_ms", "pixel3_ms")
"""Milliseconds of the CIFAR-10 networks (HW-NAS-Bench): two estimates, two measured."""

NO_SCORES = ("index", "dataset", "arch", "skip", "macs_m", "params_m")
"""What says which network it is, or follows from its cell."""


@frozen(eq=False)
class MeasuredCells:
    """Columns by the benchmark's index.

    Attributes:
        columns: float64[15625] each; NaN for a network that no file has.
        indices: int64[m]: networks that every file has, ascending.
    """

    columns: dict[str, FloatArray]
    indices: IntArray

    @classmethod
    def read(cls, text: str, dataset: str) -> MeasuredCells:
        """Return what files say of one data set.

        A column's name may end with the data set, as `acc_c10` does; those of others are left out.

        Args:
            text: paths, joined by `+`: a column `index`, perhaps `dataset` and `arch`, and numbers.
            dataset: whose lines and columns count.

        Raises:
            InputError: names the file, the line and the column.
        """
        columns: dict[str, FloatArray] = {}
        every = np.ones(SIZE, dtype=bool)
        for path in _paths(text):
            table = read_measured(path)
            kept = _lines_of(table, dataset)
            indices = _indices(table, kept)
            _refuse_other_cells(table, kept, indices)
            for name, column in _columns_of(table, dataset):
                if name in columns:
                    raise InputError(table.path, [f"has {column!r} too, as a file before it"])
                columns[name] = np.full(SIZE, np.nan)
                columns[name][indices] = table.numbers(column)[kept]
            every &= np.isin(np.arange(SIZE), indices)
        return cls(columns, np.flatnonzero(every))


def _paths(text: str) -> list[str]:
    return [text] if expanded(text).is_file() else text.split("+")


def _columns_of(table: MeasuredTable, dataset: str) -> Iterator[tuple[str, str]]:
    """Yield the names of a data set's columns, without its suffix and as they stand."""
    for column in table.columns:
        stem, _, suffix = column.rpartition("_")
        name = stem if SUFFIXES.get(suffix) == dataset else column
        name = ACCURACY if name == "accuracy" else name
        other = suffix in SUFFIXES and SUFFIXES[suffix] != dataset
        if not other and name not in NO_SCORES and (name not in DEVICES or dataset == "cifar10"):
            yield name, column


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


def _refuse_other_cells(table: MeasuredTable, kept: IntArray, indices: IntArray) -> None:
    """Raise InputError where a file has other cells under the benchmark's numbers."""
    if "arch" not in table.columns:
        return
    rows, texts = rows_by_index(), table.texts("arch")
    table.refuse(
        f"line {table.lines[i]}: arch is {texts[i]!r}, and number {index} is {text!r}"
        for i, index in zip(kept, indices, strict=True)
        if texts[i] != (text := cell_text(rows[index]))
    )
