"""`cosearch list`: everything there is to name, by kind, and which distribution brought it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer
from attrs import frozen

from cosearch.cli.errors import missing
from cosearch.cli.options import JsonOption
from cosearch.cli.output import table
from cosearch.cli.session import LOOK, session_of
from cosearch.errors import UnknownNameError
from cosearch.registry.registry import Registry

SECTIONS: Mapping[str, str] = {
    "workloads": "workloads",
    "network-spaces": "network_spaces",
    "hardware": "hardware_models",
    "strategies": "strategies",
    "mappers": "mappers",
    "objectives": "objectives",
    "technologies": "technologies",
    "schemes": "schemes",
    "executors": "executors",
    "references": "references",
    "workload-formats": "workload_writers",
    "reporters": "reporters",
}
"""What users write to the kind of the registry, in the order of the listing."""


@frozen
class Entry:
    """One line of the listing."""

    kind: str
    name: str
    summary: str
    distribution: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("list", rich_help_panel=LOOK)(list_command)


def list_command(
    ctx: typer.Context,
    kind: Annotated[
        str | None,
        typer.Argument(metavar="KIND", show_default=False, help=f"One of: {', '.join(SECTIONS)}."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """List workloads, hardware, strategies and everything else there is to name.

    Examples:
        cosearch list
        cosearch list strategies
        cosearch list hardware --json
    """
    session = session_of(ctx)
    if kind is not None and kind not in SECTIONS:
        raise UnknownNameError("kind", kind, SECTIONS)
    sections = {k: entries_of(session.registry, k) for k in ([kind] if kind else SECTIONS)}
    if json:
        session.output.json([entry for entries in sections.values() for entry in entries])
        return
    if kind and not sections[kind]:
        session.output.show(f"no plugin offers {kind}")
    shown = {name: entries for name, entries in sections.items() if entries}
    width = max((len(e.name) for entries in shown.values() for e in entries), default=0)
    for i, (name, entries) in enumerate(shown.items()):
        if i:
            session.output.show("")
        session.output.title(name)
        rows = [(e.name.ljust(width), e.summary, e.distribution) for e in entries]
        session.output.show(table(("", "", "~"), rows))
    if session.registry.quarantined:
        session.output.warn(missing(session.registry))
    if kind is None and session.output.live:
        session.output.note("\nmore about one of them: cosearch show KIND NAME")


def entries_of(registry: Registry, section: str) -> list[Entry]:
    """Return what is registered under one of the `SECTIONS`, by name; imports no plugin's class."""
    if section == "objectives":
        return [
            Entry(section, o.name, f"{o.summary} ({o.unit})", registry.objective_origins[o.name])
            for o in sorted(registry.objectives.values(), key=lambda o: o.name)
        ]
    found = registry.entries[SECTIONS[section]]
    return [Entry(section, n, e.summary, e.distribution) for n, e in sorted(found.items())]
