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
        target: the class, or its import path `"package.module:Class"`; its `options` declare what
            users may write after the name (`name:key=value,...`). Or an instance, which is complete
            as it is.
        summary: one line for `cosearch list`.
    """

    name: str
    target: Any
    summary: str = ""
