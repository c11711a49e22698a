"""Studies led from outside, by a program in any language or by an agent: `cosearch serve`."""

from __future__ import annotations

from typing import Any

from cosearch.registry.registration import Registration, hookimpl


@hookimpl
def cosearch_strategies() -> list[Registration]:
    """Return the strategy that tries what it is told to."""
    return [
        Registration(
            "outside",
            "cosearch_plugins.serve.outside:Outside",
            "tries the designs that another program names: `cosearch serve`",
        )
    ]


@hookimpl
def cosearch_commands(app: Any) -> None:  # noqa: ANN401 - the hook's own type
    """Add `cosearch serve`."""
    from cosearch_plugins.serve.command import register

    register(app)
