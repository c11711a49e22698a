"""Published co-design studies, run again: `cosearch reproduce PAPER`."""

from __future__ import annotations

from typing import Any

from cosearch.hookspecs import hookimpl


@hookimpl
def cosearch_commands(app: Any) -> None:  # noqa: ANN401 - the hook's own type
    """Add `cosearch reproduce`."""
    from cosearch_plugins.papers.command import register

    register(app)
