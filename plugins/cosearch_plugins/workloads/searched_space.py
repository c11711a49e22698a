"""Network spaces whose accuracies were measured on some of their networks.

Where the user's table has a network its accuracy is measured; elsewhere it is predicted by the
shipped model, and the report says how far away the nearest measured network is.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

import numpy as np
from attrs import frozen

from cosearch.search.parameters import ParameterSpace
from cosearch.typing import FloatArray, IntArray, Rows
from cosearch.workload.network import MEASURED, PREDICTED, NetworkSpace
from cosearch_plugins.workloads.fitted_accuracy import FittedAccuracy, read_fitted, shipped
from cosearch_plugins.workloads.measured_table import MeasuredTable, read_measured


@frozen(eq=False)
class Measured:
    """What a user's table says of a space.

    Attributes:
        rows: int64[m, d]: the networks.
        columns: float64[m] each, by name.
        number: of each network in the table, by its row's bytes.
    """

    rows: Rows
    columns: dict[str, FloatArray]
    number: dict[bytes, int]

    def places(self, rows: Rows) -> IntArray:
        """Return the number, int64[n], of each row, -1 where it was not measured."""
        packed = np.ascontiguousarray(rows, dtype=np.int64)
        return np.array([self.number.get(row.tobytes(), -1) for row in packed], dtype=np.int64)

    def of(self, name: str, rows: Rows) -> FloatArray:
        """Return a column, float64[n], of rows int64[n, d]; NaN where they were not measured."""
        at = self.places(rows)
        return np.where(at >= 0, self.columns[name][at], np.nan)

    def distances(self, row: Rows) -> IntArray:
        """Return in how many columns each measured network, int64[m], differs from one row."""
        return np.asarray((self.rows != row).sum(axis=1))


@frozen
class Part:
    """Columns that alone decide some layers.

    Attributes:
        columns: by name.
        prefix: of the names of the layers.
    """

    columns: tuple[str, ...]
    prefix: str


class SearchedSpace(NetworkSpace):
    """A space with a shipped model of its accuracies, and a table of measured ones where given.

    Args:
        batch: images in one run.
        table: file of measured networks; empty for none.

    Attributes:
        folder: of the shipped model, under `data`.
        measured_as: column of the measured accuracy.
        measured_how: on what; stands beside measured accuracies.
        parts: whose sums the networks are; empty where they are none.
        tied: numbers of parts that a rule ties together, each part in one.
    """

    accuracy_is = PREDICTED
    folder: str
    measured_as: str = "top1"
    measured_how: str
    parts: tuple[Part, ...] = ()
    tied: tuple[tuple[int, ...], ...] = ()

    def __init__(self, batch: int = 1, table: str = "") -> None:
        self.batch = batch
        self.measured = self._measured(read_measured(table)) if table else None
        self.accuracy_note = self.model.note

    @property
    @abstractmethod
    def space(self) -> ParameterSpace:
        """The space that a strategy searches."""

    @abstractmethod
    def rows_of(self, table: MeasuredTable) -> Rows:
        """Return the row, int64[m, d], of each network of a table, or raise InputError."""

    @cached_property
    def model(self) -> FittedAccuracy:
        """The shipped model of accuracies."""
        return read_fitted(shipped(self.folder), self.space)

    def accuracy(self, rows: Rows) -> FloatArray:
        """Return the accuracy in per cent, float64[n], measured where the table has the network."""
        predicted = self.model.of(rows)
        if self.measured is None:
            return predicted
        known = self.measured.of(self.measured_as, rows)
        return np.where(np.isnan(known), predicted, known)

    def origins(self, rows: Rows) -> tuple[str, ...]:
        """Return where the accuracy of each row comes from."""
        if self.measured is None:
            return (PREDICTED,) * len(rows)
        known = self.measured.of(self.measured_as, rows)
        return tuple(PREDICTED if missing else MEASURED for missing in np.isnan(known))

    def nearest(self, row: Rows) -> int | None:
        """Return in how many choices the nearest measured network differs; None without a table."""
        return None if self.measured is None else int(self.measured.distances(row).min())

    def remark(self, row: Rows) -> str:
        """Return the accuracy's origin, its error, how far the nearest measured network is."""
        if self.origins(row[None]) == (MEASURED,):
            return f"{MEASURED}, {self.measured_how}"
        far = self.nearest(row)
        if far is None:
            return super().remark(row)
        choices = f"{far} of {len(row)} choice{'s' if far > 1 else ''}"
        return f"{super().remark(row)}; the nearest measured network differs in {choices}"

    def measured_rows(self) -> Rows:
        """Return the networks of the table, int64[n, d]; none without one."""
        if self.measured is None:
            return np.zeros((0, len(self.space.names)), dtype=np.int64)
        return self.measured.rows

    def score(self, name: str, rows: Rows) -> FloatArray:
        """Return a column of the table, float64[n]; NaN where a network was not measured."""
        if self.measured is None or name not in self.scores:
            return super().score(name, rows)
        return self.measured.of(name, rows)

    def _measured(self, table: MeasuredTable) -> Measured:
        rows = self.rows_of(table)
        number: dict[bytes, int] = {}
        problems = []
        for i, (line, row) in enumerate(zip(table.lines, rows, strict=True)):
            first = number.setdefault(row.tobytes(), i)
            if first != i:
                problems.append(f"line {line} has the network of line {table.lines[first]}")
        problems += [] if number else ["has no network"]
        table.refuse(problems)
        names = [self.measured_as, *(n for n in self.further if n in table.columns)]
        self.scores = tuple(names[1:])
        return Measured(rows, {name: table.numbers(name) for name in names}, number)

    @property
    def further(self) -> tuple[str, ...]:
        """Columns of a table that become scores where it has them."""
        return ()
