"""Upkeep of stores: what is remembered, what is damaged."""

from __future__ import annotations

from typing import Any

from cosearch.registry.registration import hookimpl


@hookimpl
def cosearch_commands(app: Any) -> None:  # noqa: ANN401 - the hook's own type
    """Add `cosearch cache`."""
    from cosearch_plugins.upkeep.cache import register

    register(app)
