"""What a plugin author starts from and is checked by: `cosearch plugin new` and `plugin check`."""

from __future__ import annotations

from typing import Any

from cosearch.registry.registration import hookimpl


@hookimpl
def cosearch_commands(app: Any) -> None:  # noqa: ANN401 - the hook's own type
    """Add `cosearch plugin`."""
    from cosearch_plugins.kit.command import register

    register(app)
