"""Reading data files so that a fault in them is one message with file and line."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cosearch.errors import CosearchError, InputError


@contextmanager
def reading(place: str) -> Iterator[None]:
    """Turn what malformed data raises into an InputError that names the place."""
    try:
        yield
    except InputError:
        raise
    except CosearchError as error:
        raise InputError(place, [str(error)], error.hint) from error
    except KeyError as error:
        raise InputError(place, [f"has no {error.args[0]!r}"]) from error
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(place, [f"is not of the expected form: {error}"]) from error


def json_object(file: Path) -> dict[str, Any]:
    """Return the JSON object in a file."""
    try:
        found = json.loads(_text(file))
    except json.JSONDecodeError as error:
        raise InputError(f"{file}:{error.lineno}", [f"is not JSON: {error.msg}"]) from error
    if not isinstance(found, dict):
        raise InputError(str(file), ["is not a JSON object"])
    return found


def json_lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number and the JSON object of each line that is not blank."""
    for number, line in enumerate(_text(file).split("\n"), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{file}:{number}", [f"is not JSON: {error.msg}"]) from error
        if not isinstance(found, dict):
            raise InputError(f"{file}:{number}", ["is not a JSON object"])
        yield number, found


def csv_rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line number and the fields of each row; the file may be compressed with gzip."""
    with reading(str(file)):
        rows = csv.DictReader(_text(file).splitlines())
        for row in rows:
            if None in row or None in row.values():
                raise InputError(
                    f"{file}:{rows.line_num}", ["has not as many fields as the header"]
                )
            yield rows.line_num, row


def csv_header(file: Path) -> frozenset[str]:
    """Return the names of a file's columns."""
    first = next(iter(_text(file).splitlines()), "")
    return frozenset(next(csv.reader([first]), ()))


def _text(file: Path) -> str:
    try:
        if file.suffix == ".gz":
            with gzip.open(file, "rt", encoding="utf-8") as stream:
                text: str = stream.read()
                return text
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(str(file), ["there is no such file"]) from error
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
        raise InputError(str(file), [f"cannot be read: {error}"]) from error
