"""Strategies raced on complete tables of shipped spaces: `cosearch bench-optimizers`."""

from __future__ import annotations

from typing import Any

from cosearch.registry.registration import hookimpl


@hookimpl
def cosearch_commands(app: Any) -> None:  # noqa: ANN401 - the hook's own type
    """Add `cosearch bench-optimizers`."""
    from cosearch_plugins.bench.command import register

    register(app)
