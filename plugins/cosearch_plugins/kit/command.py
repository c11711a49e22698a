"""`cosearch plugin new` and `cosearch plugin check`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from attrs import asdict
from rich.text import Text

from cosearch.cli.help import Group
from cosearch.cli.options import JsonOption
from cosearch.cli.output import Output, table
from cosearch.cli.session import LOOK, session_of

if TYPE_CHECKING:
    from cosearch_plugins.kit.check import Checked


class Kind(StrEnum):
    """What is made."""

    HARDWARE = "hardware"
    ACCELERATOR = "accelerator"
    STRATEGY = "strategy"
    WORKLOAD = "workload"
    NETWORK_SPACE = "network-space"
    TECHNOLOGY = "technology"
    EXECUTOR = "executor"
    READER = "reader"


GROUP = """Make a plugin, or check one.

Examples:
    cosearch plugin new acme --kind hardware
    cosearch plugin check acme
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=Group, help=GROUP, no_args_is_help=True)
    group.command("new")(new_command)
    group.command("check")(check_command)
    app.add_typer(group, name="plugin", rich_help_panel=LOOK)


def new_command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As users will write it.")],
    kind: Annotated[Kind, typer.Option("--kind", "-k", help="What it is.")],
    directory: Annotated[
        Path | None,
        typer.Option("--directory", "-d", metavar="DIR", show_default=False,
                     help="Where to write it; ./cosearch-NAME if left out."),
    ] = None,
) -> None:  # fmt: skip
    """Write a complete package for a plugin: installable, and tested by the conformance kit.

    Examples:
        cosearch plugin new my-machine --kind accelerator
        cosearch plugin new my-search -k strategy -d plugins/my-search
    """
    from cosearch_plugins.kit.scaffold import scaffold

    output = session_of(ctx).output
    folder = directory or Path(f"cosearch-{name}")
    for path in scaffold(name, kind.value, folder):
        output.show(f"wrote {path}")
    output.note(f"pip install -e {folder}; then: cosearch plugin check {name}")


def check_command(
    ctx: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="A registered name, or an installed package."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check plugins against their contracts; exit code 1 if one breaks any.

    Without a name, everything that is not cosearch's own. What fails is told with the input that
    shows it.

    Examples:
        cosearch plugin check my-machine
        cosearch --plugins mine.py plugin check
    """
    from cosearch_plugins.kit.check import KINDS, check_distribution, check_named, readers

    session = session_of(ctx)
    registry = session.registry
    entries = [entry for kind in KINDS for entry in registry.entries[kind].values()]
    packages = {entry.distribution.partition(" ")[0] for entry in entries}
    packages |= {*readers(registry).values()}
    if name is None:
        found = [
            checked
            for package in sorted(packages - {"cosearch"})
            for checked in check_distribution(registry, package)
        ]
    elif name in packages and not any(name in registry.entries[kind] for kind in KINDS):
        found = check_distribution(registry, name)
    else:
        found = check_named(registry, name)
    if json:
        session.output.json([asdict(checked) for checked in found])
    else:
        _show(session.output, found)
    raise typer.Exit(1 if any(checked.why for checked in found) else 0)


def _show(output: Output, found: list[Checked]) -> None:
    if not found:
        output.show("no plugin but cosearch's own is installed: name one")
        return
    good, bad = Text("holds", style="good"), Text("broken", style="bad")
    rows = [(c.name, c.kind.replace("_", " "), bad if c.why else good, c.check) for c in found]
    output.show(table(("plugin", "kind", "", "check"), rows, indent=0))
    for checked in found:
        if checked.why:
            output.show(Text(f"{checked.name}: {checked.why}", style="bad"))
