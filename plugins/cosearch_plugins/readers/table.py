"""Tables of comma-separated values, every cell with its line."""

from __future__ import annotations

import csv
from pathlib import Path

from attrs import frozen

from cosearch.errors import InputError

LARGEST_FILE = 16_000_000
"""Bytes."""


@frozen
class Row:
    """One line: its number from 1, and its cells without the empty ones at its end."""

    line: int
    cells: tuple[str, ...]


def read_table(path: Path) -> list[Row]:
    """Return the lines of a file that are not empty.

    Raises:
        InputError: too large, no text, or nothing in it.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise InputError(str(path), [f"is larger than {LARGEST_FILE:,} bytes"])
    try:
        text = path.read_text(encoding="utf-8-sig")
        records = list(csv.reader(text.splitlines(), skipinitialspace=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(str(path), [f"is not a table of text: {error}"]) from None
    rows = [Row(i, _without_empty_end(cells)) for i, cells in enumerate(records, 1)]
    rows = [row for row in rows if row.cells]
    if not rows:
        raise InputError(str(path), ["is empty"])
    return rows


def _without_empty_end(cells: list[str]) -> tuple[str, ...]:
    kept = [cell.strip() for cell in cells]
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)
