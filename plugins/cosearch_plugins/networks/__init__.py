"""Network spaces by themselves: `cosearch networks ...`."""

from __future__ import annotations

from typing import Any

from cosearch.registry.registration import hookimpl


@hookimpl
def cosearch_commands(app: Any) -> None:  # noqa: ANN401 - the hook's own type
    """Add `cosearch networks`."""
    from cosearch_plugins.networks.command import register

    register(app)
