"""Checksums of stored trials, and what a damaged one is called.

SQLite's pages carry none: a flipped bit in a number reads as another number. Every trial is stored
with a checksum of its columns and of its layers' results, and every study with one of its settings;
what differs is named when it is read. Rows from before there were checksums have none.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from cosearch.errors import CosearchError

T = TypeVar("T")

HEADER = -1
"""The number under which the settings of a study are checked."""

LAST = 2**62
"""A number that no trial reaches."""

_LATER = 14
"""Columns of `trials` that every version has; further ones count where they are not empty."""

_EMPTY = (1.0, "{}", "[]")

_READ = "SELECT number, digest FROM checks JOIN studies ON studies.id = study WHERE name = ?"


def digest_of_trial(values: Sequence[Any], layers: Iterable[Sequence[Any]]) -> int:
    """Return the checksum of a trial's columns, number first, and its layers' columns."""
    later = [value for value in values[_LATER:] if value not in _EMPTY]
    return _digest([*values[:_LATER], *later, *map(tuple, layers)])


def digest_of_header(name: str, spec: str) -> int:
    """Return the checksum of what of a study never changes."""
    return _digest([name, spec])


def _digest(facts: Sequence[Any]) -> int:
    return zlib.crc32(repr(facts).encode("utf-8", "surrogatepass"))


def sealed(text: str) -> str:
    """Return a JSON text with its checksum behind it."""
    return f"{text} {zlib.crc32(text.encode()):08x}"


def opened(text: str) -> str | None:
    """Return a JSON text without the checksum behind it; None where that says it is damaged."""
    if text.endswith("}"):  # from before there were checksums
        return text
    body, _, digest = text.rpartition(" ")
    return body if digest == f"{zlib.crc32(body.encode()):08x}" else None


def digests_of(
    connection: sqlite3.Connection, name: str, first: int = HEADER, last: int = LAST
) -> Mapping[int, int]:
    """Return the checksums of a study by the numbers of its trials; none in an older file.

    `HEADER` is always among them, where the study has any.
    """
    if not _has_checks(connection):
        return {}
    query = f"{_READ} AND (number BETWEEN ? AND ? OR number = {HEADER})"
    return dict(connection.execute(query, (name, first, last)))


def digest_of(connection: sqlite3.Connection, name: str, number: int) -> int | None:
    """Return the checksum of one trial, or of `HEADER`; None where there is none."""
    if not _has_checks(connection):
        return None
    row = connection.execute(f"{_READ} AND number = ?", (name, number)).fetchone()
    return None if row is None else int(row[1])


def _has_checks(connection: sqlite3.Connection) -> bool:
    query = "SELECT count(*) FROM sqlite_master WHERE name = 'checks'"
    return bool(connection.execute(query).fetchone()[0])


def whole(path: Path, what: str, read: Callable[[], T], found: int, kept: int | None) -> T:
    """Return what is read, or raise CosearchError that names what is damaged.

    Args:
        path: of the store.
        what: is read, in words.
        read: returns it from its columns.
        found: the checksum of the columns.
        kept: the checksum stored with them; None where there is none.
    """
    if kept is not None and found != kept:
        raise damaged(path, what, "its checksum differs")
    try:
        return read()
    except CosearchError as error:
        raise damaged(path, what, str(error)) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise damaged(path, what, f"{type(error).__name__}") from error


def damaged(path: Path, what: str, why: str) -> CosearchError:
    """Return the error for something damaged in a store."""
    return CosearchError(
        f"{path}: {what} is damaged: {why}",
        f"see what else is: cosearch doctor --store {path}; save the rest: --repair NEW.db",
    )
