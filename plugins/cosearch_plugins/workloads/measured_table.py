"""Files of measurements that a user brings to a network space: `table=FILE`.

Comma-separated values with a header, perhaps compressed by gzip: one line a network.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from attrs import frozen

from cosearch.errors import InputError, expanded
from cosearch.search.parameters import Parameter
from cosearch.typing import FloatArray

LARGEST_FILE = 64_000_000
"""Bytes, as stored and as unpacked."""

TABLE = Parameter("table", ("",), "", doc="file of measured networks; none if empty", free=True)


@frozen
class MeasuredTable:
    """The columns of a file, as text.

    Attributes:
        path: of the file.
        lines: the number in the file of each network's line.
        columns: by name, one text a network.
    """

    path: str
    lines: tuple[int, ...]
    columns: Mapping[str, tuple[str, ...]]

    __hash__ = object.__hash__

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a column, or raise InputError that names those there are."""
        if name not in self.columns:
            known = ", ".join(self.columns)
            raise InputError(self.path, [f"has no column {name!r}, only {known}"])
        return self.columns[name]

    def numbers(self, name: str) -> FloatArray:
        """Return a column, float64[n]; NaN where a cell is blank.

        Raises:
            InputError: a cell is no number; names the line and the column.
        """
        texts = self.texts(name)
        return np.array(
            [self._number(line, name, x) for line, x in zip(self.lines, texts, strict=True)]
        )

    def refuse(self, problems: Iterable[str]) -> None:
        """Raise InputError where there are problems."""
        if found := list(problems):
            raise InputError(self.path, found[:20])

    def _number(self, line: int, name: str, text: str) -> float:
        try:
            return float(text) if text else math.nan
        except ValueError:
            where = f"{self.path}, line {line}"
            raise InputError(where, [f"{name} is {text!r}, which is no number"]) from None


def read_measured(text: str) -> MeasuredTable:
    """Return the table in a file.

    Raises:
        InputError: there is no such file, it is too large, no text, or a line is of another length.
    """
    path = expanded(text)
    if not path.is_file():
        raise InputError(f"table={text}", ["there is no such file"])
    status = path.stat()
    return _read(str(path), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _read(path: str, changed: int, size: int) -> MeasuredTable:  # noqa: ARG001 - of this state
    records = list(csv.reader(io.StringIO(_text(path, size))))
    if not records:
        raise InputError(path, ["is empty"])
    header = [name.strip() for name in records[0]]
    kept = [(i, [c.strip() for c in cells]) for i, cells in enumerate(records[1:], 2) if cells]
    for line, cells in kept:
        if len(cells) != len(header):
            wrong = f"has {len(cells)} cells, and the header {len(header)}"
            raise InputError(f"{path}, line {line}", [wrong])
    columns = {name: tuple(cells[j] for _, cells in kept) for j, name in enumerate(header)}
    return MeasuredTable(path, tuple(line for line, _ in kept), columns)


def _text(path: str, size: int) -> str:
    if size > LARGEST_FILE:
        raise InputError(path, [f"is larger than {LARGEST_FILE:,} bytes"])
    data = Path(path).read_bytes()
    try:
        if data[:2] == b"\x1f\x8b":
            with gzip.open(io.BytesIO(data)) as packed:
                data = packed.read(LARGEST_FILE + 1)
            if len(data) > LARGEST_FILE:
                raise InputError(path, [f"unpacks to more than {LARGEST_FILE:,} bytes"])
        return data.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(path, [f"is not a table of text: {error}"]) from None
