"""Where a plugin's object comes from, for messages: its distribution, or its file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

GROUP = "cosearch"
"""The entry points by which plugins are found."""


def distribution_of(thing: object) -> Distribution | None:
    """Return the distribution whose entry point shares the top module of a class or an object."""
    from importlib.metadata import entry_points  # slow, and only failures ask

    top = _module(thing).partition(".")[0]
    for entry in entry_points(group=GROUP):
        if entry.module.partition(".")[0] == top:
            return entry.dist
    return None


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
