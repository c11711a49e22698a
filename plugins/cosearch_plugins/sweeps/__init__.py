"""One or two parameters of a machine over their values: `cosearch sweep`."""

from __future__ import annotations

from typing import Any

from cosearch.registry.registration import hookimpl


@hookimpl
def cosearch_commands(app: Any) -> None:  # noqa: ANN401 - the hook's own type
    """Add `cosearch sweep`."""
    from cosearch_plugins.sweeps.command import register

    register(app)
