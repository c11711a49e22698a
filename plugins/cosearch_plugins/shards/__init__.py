"""One study run as several, on machines that share nothing, and put together again."""

from __future__ import annotations

from typing import Any

from cosearch.registry.registration import Registration, hookimpl

_HERE = "cosearch_plugins.shards"


@hookimpl
def cosearch_strategies() -> list[Registration]:
    """Return the strategy that proposes a part of another one's designs."""
    return [Registration("shard", f"{_HERE}.strategy:Shard", "every n-th design of another one")]


@hookimpl
def cosearch_commands(app: Any) -> None:  # noqa: ANN401 - the hook's own type
    """Add `cosearch merge`."""
    from cosearch_plugins.shards.command import register

    register(app)
