"""`cosearch evaluate`: what one given mapping of one layer on one machine costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cosearch.cli.errors import USAGE
from cosearch.cli.options import JsonOption
from cosearch.cli.session import MACHINE, session_of
from cosearch.errors import CosearchError, Infeasible

if TYPE_CHECKING:
    from cosearch.formats.spec import Specification
    from cosearch.loopnest.validity import InvalidMapping


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate", rich_help_panel=MACHINE)(evaluate_command)


def evaluate_command(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="SPEC...",
            show_default=False,
            help="Architecture, layer and mapping, in one file or in three.",
        ),
    ] = None,
    timeloop: Annotated[
        bool,
        typer.Option(
            "--timeloop",
            show_default=False,
            help="The files are Timeloop's: architecture, problem and mapping, in any order.",
        ),
    ] = False,
    ert: Annotated[
        Path | None,
        typer.Option(
            "--ert",
            metavar="FILE",
            show_default=False,
            help="Accelergy's energy reference table, with --timeloop.",
        ),
    ] = None,
    art: Annotated[
        Path | None,
        typer.Option(
            "--art",
            metavar="FILE",
            show_default=False,
            help="Accelergy's area reference table, with --timeloop.",
        ),
    ] = None,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema", show_default=False, help="Print the JSON Schema of SPEC files and end."
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Price one given mapping of one layer on one machine, with the full breakdown.

    Examples:
        cosearch evaluate SPEC.yaml
        cosearch evaluate machine.yaml layer.yaml mapping.yaml --json
        cosearch evaluate --timeloop arch.yaml problem.yaml mapping.yaml --ert ERT.yaml
        cosearch evaluate --schema
    """
    output = session_of(ctx).output
    if schema:
        from cosearch.formats.spec import json_schema

        output.json(json_schema())
        return
    specification, notes = _read(files or [], ert, art, timeloop=timeloop)
    broken = _violations(specification)
    if broken and json:
        output.json(_verdict(broken))
        raise typer.Exit(USAGE)
    if broken:
        raise _infeasible(broken)
    for note in notes:
        output.warn(note)
    from cosearch.cli.text.evaluate import facts, show
    from cosearch.loopnest.model.reference import analyse

    s = specification
    analysis = analyse(s.architecture, s.layer, s.mapping)
    if json:
        output.json(facts(specification, analysis, notes))
    else:
        show(output, specification, analysis)


def _read(
    files: list[Path], ert: Path | None, art: Path | None, *, timeloop: bool
) -> tuple[Specification, tuple[str, ...]]:
    if not files:
        raise CosearchError("no file is named", "write: cosearch evaluate SPEC.yaml")
    if timeloop:
        from cosearch.formats.timeloop.read import read_timeloop

        found = read_timeloop(files, ert, art)
        return found.specification, found.notes
    if ert or art:
        raise CosearchError("--ert and --art go with --timeloop", "a SPEC states its own energies")
    from cosearch.formats.spec import read_specification

    return read_specification(files), ()


def _violations(specification: Specification) -> list[InvalidMapping]:
    from cosearch.loopnest.validity import violations

    s = specification
    return list(violations(s.architecture, s.layer, s.mapping))


def _infeasible(broken: list[InvalidMapping]) -> Infeasible:
    """Return all broken rules as one error: by how much each is missed, and what to relax."""
    margins = {rule: margin for error in broken for rule, margin in error.margins.items()}
    if len(broken) == 1:
        return Infeasible(f"the mapping is invalid: {broken[0]}", margins, broken[0].hint)
    lines = "".join(f"\n  {error}; {error.hint}" for error in broken)
    return Infeasible(f"the mapping breaks {len(broken)} rules:{lines}", margins)


def _verdict(broken: list[InvalidMapping]) -> dict[str, object]:
    return {
        "feasible": False,
        "violations": [
            {
                "rule": error.rule.value,
                "place": error.place,
                "used": error.used,
                "allowed": error.allowed,
                "reason": error.reason,
                "hint": error.hint,
            }
            for error in broken
        ],
    }
