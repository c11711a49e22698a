"""`cosearch doctor`: what is installed, what is broken, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer
from attrs import asdict
from rich.text import Text

from cosearch.cli import checkup
from cosearch.cli.checkup import Finding, State
from cosearch.cli.options import STORE, JsonOption, StoreOption
from cosearch.cli.output import Output, table
from cosearch.cli.session import LOOK, session_of
from cosearch.quantities import counted
from cosearch.registry.registry import Registry

STYLES: Mapping[State, str] = {"ok": "good", "absent": "faint", "broken": "bad"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", rich_help_panel=LOOK)(doctor_command)


def doctor_command(
    ctx: typer.Context,
    store: StoreOption = STORE,
    repair: Annotated[
        Path | None,
        typer.Option(
            "--repair",
            metavar="NEW",
            show_default=False,
            help="Save the studies and trials of --store that are whole into a new file.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check the installation: versions, plugins, compiler, cache, and every trial of the store.

    Ends with exit code 1 when something is broken.

    Examples:
        cosearch doctor
        cosearch doctor --store lab.db --repair saved.db
    """
    session = session_of(ctx)
    if repair is not None:
        return _repair(session.output, store, repair, json=json)
    findings = _examine(session.registry, store)
    healthy = all(f.state != "broken" for found in findings.values() for f in found)
    if json:
        session.output.json({"ok": healthy, **findings})
    else:
        _show(session.output, findings, healthy=healthy)
    if not healthy:
        raise typer.Exit(1)
    return None


def _repair(output: Output, store: Path, target: Path, *, json: bool) -> None:
    from cosearch.store import repair

    saved = repair.repair(store, target)
    if json:
        output.json({"file": target, **asdict(saved)})
        return
    for text in saved.lost:
        output.warn(f"lost: {text}")
    studies = counted(saved.studies, "study", "studies")
    output.show(f"{target} has {studies} with {counted(saved.trials, 'trial')}")


def _examine(registry: Registry, store: Path) -> dict[str, list[Finding]]:
    checks: dict[str, Callable[[], list[Finding]]] = {
        "versions": checkup.versions,
        "plugins": lambda: checkup.plugins(registry),
        "compiler": checkup.compiler,
        "files": lambda: checkup.files(store),
    }
    return {title: check() for title, check in checks.items()}


def _show(output: Output, findings: dict[str, list[Finding]], *, healthy: bool) -> None:
    for title, found in findings.items():
        output.title(title)
        rows = [(f.what, Text(f.state, style=STYLES[f.state]), f.text) for f in found]
        output.show(table(("", "", ""), rows), "")
    broken = sum(f.state == "broken" for found in findings.values() for f in found)
    if healthy:
        output.show(Text("everything works", style="good"))
    else:
        output.show(Text(f"{broken} broken; see above", style="bad"))
