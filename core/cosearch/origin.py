"""Where a plugin's object comes from, for messages: its distribution, or its file."""

from __future__ import annotations

import hashlib
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

GROUP = "cosearch"
"""The entry points by which plugins are found."""

MOST_SOURCES = 2000
"""Files that a digest reads: a plugin may be a file in a folder of other things."""


def distribution_of(thing: object) -> Distribution | None:
    """Return the distribution whose entry point shares the top module of a class or an object."""
    from importlib.metadata import distribution, entry_points  # slow, and only failures ask

    top = _module(thing).partition(".")[0]
    if top == GROUP:
        return distribution(top)
    for entry in entry_points(group=GROUP):
        if entry.module.partition(".")[0] == top:
            return entry.dist
    return None


@cache
def made_by(kind: type) -> str:
    """Return what an answer of a class rests on: distribution, version, and a digest of sources.

    The digest is of every Python file beside the class, where these can change without the version
    doing so: in an editable installation, in a file named by `--plugins`, in a script.
    """
    found = distribution_of(kind)
    name = "" if found is None else f"{found.name} {found.version}"
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if file is None or {"site-packages", "dist-packages"} & {*Path(file).parts}:
        return name
    top = kind.__module__.partition(".")[0]
    root = Path(getattr(sys.modules.get(top), "__file__", None) or file)
    pattern = "**/*.py" if root.name == "__init__.py" else "*.py"
    return f"{name} {_digest(root.parent, pattern)}".strip()


@cache
def _digest(folder: Path, pattern: str) -> str:
    """Return a digest of the names and contents of a folder's sources."""
    found = hashlib.sha256()
    for path in sorted(folder.glob(pattern))[:MOST_SOURCES]:
        found.update(f"{path.relative_to(folder)}\0".encode())
        with suppress(OSError):
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


def origin(thing: object) -> str:
    """Return `of cosearch-mine 1.0`, `of /path/mine.py`, or the module of what has neither."""
    found = distribution_of(thing)
    if found is not None:
        return f"of {found.name} {found.version}"
    module = _module(thing)
    return f"of {getattr(sys.modules.get(module), '__file__', None) or module}"


def _module(thing: object) -> str:
    kind = thing if isinstance(thing, type) else type(thing)
    return kind.__module__
