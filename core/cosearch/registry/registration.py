"""How a plugin offers something: the marker of its hooks, and what a hook returns."""

from __future__ import annotations

from typing import Any

import pluggy
from attrs import frozen

PROJECT = "cosearch"

hookspec = pluggy.HookspecMarker(PROJECT)

hookimpl = pluggy.HookimplMarker(PROJECT)


@frozen
class Registration:
    """Something a plugin offers under a name.

    Attributes:
        name: as users write it; lower case, words joined by hyphens; unique among its kind.
        target: the class, or its import path `"package.module:Class"`. Its `options` declare what
            users may write after the name (`name:key=value,...`).
        summary: one line for `cosearch list`.
    """

    name: str
    target: str | type[Any]
    summary: str = ""
