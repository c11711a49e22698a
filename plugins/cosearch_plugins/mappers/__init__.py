"""Mappers that ship with cosearch."""

from __future__ import annotations

from typing import Any

from cosearch.registry.registration import Registration, hookimpl

_HERE = "cosearch_plugins.mappers"


@hookimpl
def cosearch_mappers() -> list[Registration]:
    """Return the mappers that ship with cosearch; every strategy is one more."""
    return [
        Registration(
            "exact",
            f"{_HERE}.exact.mapper:ExactMapper",
            "the best mapping, proven, or its proven gap",
        ),
        Registration(
            "fused",
            f"{_HERE}.fused.mapper:FusedMapper",
            "as exact, and layers that run together (`map --fuse`)",
        ),
        Registration(
            "exhaustive",
            f"{_HERE}.exhaustive:Exhaustive",
            "every mapping of a small space, best bound first: proven",
        ),
    ]


@hookimpl
def cosearch_commands(app: Any) -> None:  # noqa: ANN401 - the hook's own type
    """Add `cosearch least-traffic`."""
    from cosearch_plugins.mappers.fused.command import register

    register(app)
