"""Published co-design studies, run again: `cosearch reproduce PAPER`."""

from __future__ import annotations

from typing import Any

from cosearch.registry.registration import Registration, hookimpl


@hookimpl
def cosearch_commands(app: Any) -> None:  # noqa: ANN401 - the hook's own type
    """Add `cosearch reproduce`."""
    from cosearch_plugins.papers.command import register

    register(app)


@hookimpl
def cosearch_mappers() -> list[Registration]:
    """Return the inner search of arXiv 2010.02075."""
    return [
        Registration(
            "stepwise",
            "cosearch_plugins.papers.stepwise:Stepwise",
            "a surrogate told of every few mappings, as in arXiv 2010.02075",
        )
    ]
