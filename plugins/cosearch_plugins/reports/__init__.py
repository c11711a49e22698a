"""Reports as files: pages for a browser, and pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cosearch.registry.registration import Registration, hookimpl


@hookimpl
def cosearch_commands(app: Any) -> None:  # noqa: ANN401 - the hook's own type
    """Add `cosearch plot`."""
    from cosearch_plugins.reports.pictures.command import register

    register(app)


@hookimpl
def cosearch_reporters() -> Iterable[Registration]:
    """Return the formats that reports are written in."""
    return (
        Registration(
            "html",
            "cosearch_plugins.reports.html.reporter:HtmlReporter",
            "one self-contained page with charts",
        ),
    )
