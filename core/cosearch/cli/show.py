"""`cosearch show KIND NAME`: what one plugin is, takes and does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from cosearch.cli.options import JsonOption
from cosearch.cli.session import LOOK, Session, session_of
from cosearch.cli.settings import Given, takes_settings
from cosearch.errors import CosearchError, UnknownNameError
from cosearch.registry.registry import split_spec

SHOWN: Mapping[str, str] = {
    "hardware": "hardware_models",
    "workload": "workloads",
    "strategy": "strategies",
    "mapper": "mappers",
    "network-space": "network_spaces",
    "technology": "technologies",
    "executor": "executors",
    "objective": "objectives",
}
"""What users write to the kind of the registry."""

PLURALS: Mapping[str, str] = {
    "workloads": "workload",
    "strategies": "strategy",
    "mappers": "mapper",
    "network-spaces": "network-space",
    "technologies": "technology",
    "executors": "executor",
    "objectives": "objective",
}
"""The words of `cosearch list`, which mean the same here."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("show", rich_help_panel=LOOK)(show_command)


@takes_settings(["fixed"])
def show_command(
    ctx: typer.Context,
    kind: Annotated[
        str,
        typer.Argument(metavar="KIND", show_default=False, help=f"One of: {', '.join(SHOWN)}."),
    ],
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", show_default=False, help="A name, or `name:key=value,...`."),
    ],
    given: Given,
    json: JsonOption = False,
) -> None:
    """Show a machine and its design space, a network's layers, or a strategy's options.

    Examples:
        cosearch show hardware eyeriss
        cosearch show hardware eyeriss --set pe_x=12
        cosearch show workload resnet18
        cosearch show strategy evolutionary
    """
    session = session_of(ctx)
    kind = PLURALS.get(kind, kind)
    if kind not in SHOWN:
        raise UnknownNameError("kind", kind, SHOWN)
    if given["fixed"] and kind != "hardware":
        raise CosearchError(f"--set is for hardware, not for a {kind}", "write name:key=value,...")
    _show(session, kind, name, given["fixed"], json=json)


def _show(session: Session, kind: str, name: str, given: Mapping[str, str], *, json: bool) -> None:
    from cosearch.cli import show_hardware, show_plugin, show_workload

    if kind == "workload":
        show_workload.show(session, name, json=json)
        return
    if kind == "objective":
        show_plugin.show_objective(session, name, json=json)
        return
    registered = SHOWN[kind]
    if kind == "mapper" and split_spec(name)[0] not in session.registry.entries["mappers"]:
        registered = _strategy_as_mapper(session, name)
    if kind == "hardware":
        show_hardware.show(session, name, given, json=json)
    else:
        show_plugin.show(session, registered, name, json=json)


def _strategy_as_mapper(session: Session, name: str) -> str:
    entries = session.registry.entries
    if split_spec(name)[0] in entries["strategies"]:
        return "strategies"
    raise UnknownNameError("mapper", name, {*entries["mappers"], *entries["strategies"]})
