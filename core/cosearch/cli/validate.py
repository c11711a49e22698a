"""`cosearch validate`: a cost model against published figures, point by point."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.text import Text

from cosearch.cli.options import JsonOption
from cosearch.cli.output import Cell, Output, table
from cosearch.cli.session import MACHINE, session_of
from cosearch.quantities import added

if TYPE_CHECKING:
    from cosearch.validate.compare import Comparison, Report
    from cosearch.validate.reference import Reference, Section

DIFFERS = 1
"""Exit code where the model and the data do not agree."""

T = TypeVar("T")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("validate", rich_help_panel=MACHINE)(validate_command)


def validate_command(
    ctx: typer.Context,
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REFERENCE",
            show_default=False,
            help="One of `cosearch list references`.",
        ),
    ],
    path: Annotated[
        Path,
        typer.Argument(metavar="DIR", show_default=False, help="Directory of the data, or a file."),
    ],
    show: Annotated[
        int, typer.Option("--show", min=0, metavar="N", help="Differing points shown in full.")
    ] = 3,
    kernel: Annotated[
        bool,
        typer.Option(
            "--kernel",
            show_default=False,
            help="Compare the compiled kernel with the reference model on the same points, too.",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Compare the cost model with published figures; exit code 0 only if all agree.

    Examples:
        cosearch validate timeloop reference/timeloop
        cosearch validate dosa reference/dosa --json
        cosearch validate timeloop reference/timeloop --kernel
    """
    session = session_of(ctx)
    output = session.output
    source: Reference = session.registry.find("references", reference).make()
    sections = source.read(path)
    if kernel:
        sections += _kernel_sections(sections)
    reports = [_report(section, output) for section in sections]
    if json:
        output.json({**facts_of(reference, path, reports, show), **_names(sections[0], reports[0])})
    else:
        _show(output, reports, show)
    if not all(report.agreed for report in reports):
        raise typer.Exit(DIFFERS)


def _names(section: Section, report: Report) -> dict[str, int]:
    return {name: report.summary[score] for name, score in section.names.items()}


def _kernel_sections(sections: Sequence[Section]) -> tuple[Section, ...]:
    from cosearch.validate.figures import MappedLayer
    from cosearch.validate.kernel import against_kernel

    nests = [s for s in sections if isinstance(s.points[0].case, MappedLayer)]
    found = [against_kernel(section) for section in nests]
    return tuple(section for section in found if section is not None)


def _report(section: Section, output: Output) -> Report:
    from cosearch.validate.compare import validate

    points = _watched(section.points, section.name, output)
    return validate(points, section.model, section.name)


def _watched(items: Sequence[T], title: str, output: Output) -> Iterable[T]:
    if not output.live:
        return items
    from rich.progress import track

    return track(items, title, console=output.errors, transient=True)


def facts_of(reference: str, path: Path, reports: Sequence[Report], show: int) -> dict[str, Any]:
    """Return what `--json` prints: the first section's scores on top, then every section's."""
    differing = [c for report in reports for c in report.differing]
    return {
        "reference": reference,
        "source": path,
        "agreed": all(report.agreed for report in reports),
        **reports[0].summary,
        "sections": {report.name: report.summary for report in reports},
        "differing": [
            {
                "id": c.id,
                "source": c.source,
                "expected": c.expected,
                "found": c.found,
                "differences": c.differences,
            }
            for c in differing[:show]
        ],
    }


def _show(output: Output, reports: Sequence[Report], show: int) -> None:
    from cosearch.validate.compare import KINDS, PLURALS

    columns = ["", ">points", *(f">{PLURALS[kind]}" for kind in KINDS), ">invalid|agreed on"]
    rows: list[list[Cell]] = []
    for report in reports:
        row: list[Cell] = [report.name, f"{len(report.valid):,}"]
        row += [_score(report.exact(k), report.compared(k)) for k in KINDS]
        row.append(_score(added(c.agreed for c in report.invalid), len(report.invalid)))
        rows.append(row)
    output.show(table(columns, rows))
    differing = [c for report in reports for c in report.differing]
    if not differing:
        output.show("", Text("all agree", style="good"))
        return
    points = sum(len(report.comparisons) for report in reports)
    output.show("", Text(f"{len(differing):,} of {points:,} points differ", style="bad"))
    for comparison in differing[:show]:
        _show_difference(output, comparison)
    if len(differing) > show:
        output.note(f"\n{len(differing) - show:,} more differ; --show {len(differing)} shows all")


def _score(exact: int, compared: int) -> Cell:
    if not compared:
        return Text("none", style="faint")
    return Text(f"{exact:,} of {compared:,}", style="good" if exact == compared else "bad")


def _show_difference(output: Output, comparison: Comparison) -> None:
    output.show("")
    output.title(comparison.id, comparison.source)
    if comparison.expected or comparison.found:
        verdicts = [comparison.expected, comparison.found]
        said = [(r.detail or r.reason) if r else "valid" for r in verdicts]
        output.show(table(("", ""), [("published", said[0]), ("found", said[1])]))
        return
    bad = {d.name for d in comparison.differences}
    rows = [
        [Text(cell, style="bad" if name in bad else "") for cell in _line(name, published, found)]
        for name, published, found in comparison.table
    ]
    output.show(table(("figure", ">published", ">found", ">difference"), rows, name_style=""))


def _line(name: str, published: float, found: float) -> tuple[str, str, str, str]:
    if math.isnan(found):
        return name, f"{published:,.12g}", "missing", ""
    difference = found - published
    return name, f"{published:,.12g}", f"{found:,.12g}", f"{difference:+,.6g}" if difference else ""
