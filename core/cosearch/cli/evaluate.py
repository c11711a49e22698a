"""`cosearch evaluate`: what one given mapping of one layer on one machine costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from attrs import evolve

from cosearch.cli.errors import USAGE
from cosearch.cli.options import JsonOption, RulesOption
from cosearch.cli.session import MACHINE, Session, session_of
from cosearch.errors import CosearchError, Infeasible

if TYPE_CHECKING:
    from cosearch.formats.spec import ReadLayer, Specification
    from cosearch.loopnest.validity import InvalidMapping
    from cosearch.machine.technology import Technology


FilesArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="SPEC...",
        show_default=False,
        help="Architecture, layer and mapping, in one file or in three.",
    ),
]
TimeloopOption = Annotated[
    bool,
    typer.Option(
        "--timeloop",
        show_default=False,
        help="The files are Timeloop's: architecture, problem and mapping, in any order.",
    ),
]
ErtOption = Annotated[
    Path | None,
    typer.Option(
        "--ert",
        metavar="FILE",
        show_default=False,
        help="Accelergy's energy reference table, with --timeloop.",
    ),
]
ArtOption = Annotated[
    Path | None,
    typer.Option(
        "--art",
        metavar="FILE",
        show_default=False,
        help="Accelergy's area reference table, with --timeloop.",
    ),
]
TechnologyOption = Annotated[
    str | None,
    typer.Option(
        "--technology",
        metavar="NAME",
        show_default=False,
        help="Prices what Timeloop's files do not, see `cosearch list technologies`.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate", rich_help_panel=MACHINE)(evaluate_command)


def evaluate_command(
    ctx: typer.Context,
    files: FilesArgument = None,
    timeloop: TimeloopOption = False,
    ert: ErtOption = None,
    art: ArtOption = None,
    technology: TechnologyOption = None,
    rules: RulesOption = None,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema", show_default=False, help="Print the JSON Schema of SPEC files and end."
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Price one given mapping of one layer on one machine, with the full breakdown.

    Also a file of layers that run together, as `cosearch map --fuse --output` writes it.

    Examples:
        cosearch evaluate SPEC.yaml
        cosearch evaluate machine.yaml layer.yaml mapping.yaml --json
        cosearch evaluate --timeloop arch.yaml problem.yaml mapping.yaml --ert ERT.yaml
        cosearch evaluate --timeloop in.yaml --technology horowitz --rules timeloop_2022
        cosearch evaluate --schema
    """
    session = session_of(ctx)
    output = session.output
    if schema:
        from cosearch.formats.spec import json_schema

        output.json(json_schema())
        return
    if not files:
        raise CosearchError("no file is named", "write: cosearch evaluate SPEC.yaml")
    if timeloop:
        priced_by = _technology(session, technology)
        tables = {k: path for k, path in (("ert", ert), ("art", art)) if path is not None}
        specification, notes = _read_timeloop(session, files, tables, priced_by, rules)
    else:
        from cosearch.cli.evaluate_groups import evaluate_groups
        from cosearch.formats.groups import holds_groups

        if ert or art or technology:
            raise CosearchError(
                "--ert, --art and --technology go with --timeloop",
                "a SPEC states its own energies",
            )
        if len(files) == 1 and holds_groups(files[0]):
            evaluate_groups(output, files[0], rules, json=json)
            return
        specification, notes = _read(files, rules), ()
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


def _read(files: list[Path], rules: str | None) -> Specification:
    from cosearch.formats.rules import parse_rules
    from cosearch.formats.spec import read_specification

    found = read_specification(files)
    if rules is None:
        return found
    return evolve(found, architecture=evolve(found.architecture, rules=parse_rules(rules)))


def _read_timeloop(
    session: Session,
    files: list[Path],
    tables: dict[str, Path],
    technology: Technology | None,
    rules: str | None,
) -> tuple[Specification, tuple[str, ...]]:
    """Return the mapped layer and what is to be told; energies may be unknown."""
    from cosearch.formats.rules import parse_rules

    found: ReadLayer | None = session.registry.manager.hook.cosearch_read_mapped_layer(
        paths=files,
        tool="timeloop",
        tables=tables,
        technology=technology,
        rules=None if rules is None else parse_rules(rules),
    )
    if found is None:
        raise CosearchError("no plugin reads Timeloop's files", "see: cosearch doctor")
    if not found.unpriced:
        return found.specification, found.notes
    unknown = (
        f"no energy is known for {', '.join(found.unpriced)}: these are counts and cycles alone; "
        "name an energy reference table (--ert FILE) or a technology (--technology NAME)"
    )
    return found.specification, (*found.notes, unknown)


def _technology(session: Session, text: str | None) -> Technology | None:
    if text is None:
        return None
    technology: Technology = session.registry.find("technologies", text).make()
    return technology


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
