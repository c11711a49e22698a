"""Reports as files: pages for a browser."""

from __future__ import annotations

from collections.abc import Iterable

from cosearch.registry.registration import Registration, hookimpl


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
