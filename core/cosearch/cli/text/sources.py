"""Where numbers come from: every component below the source that speaks for it."""

from __future__ import annotations

from collections.abc import Mapping

from cosearch.cli.output import Output


def show_sources(output: Output, sources: Mapping[str, str]) -> None:
    """Print each different source once, below the components it is for.

    Args:
        output: to print on.
        sources: component to source.
    """
    by_text: dict[str, list[str]] = {}
    for component, source in sources.items():
        by_text.setdefault(source, []).append(component)
    output.title("sources of the numbers")
    for source, components in by_text.items():
        output.prose(", ".join(components), "name", indent=2)
        output.prose(source, "faint", indent=4)
