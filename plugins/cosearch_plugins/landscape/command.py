"""`cosearch joint-table`: every network of a space on every machine of a family, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cosearch.cli.options import JsonOption, WorkloadArgument
from cosearch.cli.output import Output, table
from cosearch.cli.session import SEARCH, session_of
from cosearch.cli.settings import Given, takes_settings
from cosearch.trials.spec import SETTINGS

if TYPE_CHECKING:
    from cosearch_plugins.landscape.summary import Summary
    from cosearch_plugins.landscape.table import JointTable

FloorOption = Annotated[
    list[float] | None,
    typer.Option(
        "--floor",
        metavar="PERCENT",
        show_default=False,
        help="Least accuracy; may be repeated. No floor if left out.",
    ),
]
CheckOption = Annotated[
    int,
    typer.Option(
        "--check",
        min=0,
        metavar="N",
        help="Build and map so many pairs drawn at random, and compare them with the table.",
    ),
]
FrontOption = Annotated[
    bool,
    typer.Option("--front", help="Also print accuracy against cost.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("joint-table", rich_help_panel=SEARCH)(joint_table_command)


@takes_settings(name for name in SETTINGS if SETTINGS[name].name in {
    "hardware", "mapper", "objectives", "constraints", "fixed"
})  # fmt: skip
def joint_table_command(
    ctx: typer.Context,
    workload: WorkloadArgument,
    given: Given,
    floor: FloorOption = None,
    check: CheckOption = 0,
    front: FrontOption = False,
    json: JsonOption = False,
) -> None:
    """Price every network of a space on every machine of a family: the exact joint optimum.

    A network's cost is a sum over its layers, each at its own best mapping, and the networks of a
    space share their layers. `vta` prices all machines at once; others are mapped one by one, so
    fix most of their parameters.

    Examples:
        cosearch joint-table nasbench201 -H vta:stack=apache -o latency --floor 94 --check 500
        cosearch joint-table nasbench201 -H vta:stack=apache,device=asic -o edp --floor 93.5 --front
    """
    from cosearch.study.codesign import plan
    from cosearch_plugins.landscape.summary import front_of, summary_of
    from cosearch_plugins.landscape.table import differences, joint_table

    session = session_of(ctx)
    problem = plan(session.registry, workload, strategy="random", combine="layers", **given)
    found = joint_table(problem)
    floors: list[float | None] = [*floor] if floor else [None]
    summaries = [summary_of(found, value) for value in floors]
    pairs = front_of(found) if front else []
    wrong = list(differences(found, check))
    if json:
        session.output.json(
            {
                "machines": found.machines,
                "points": found.points,
                "run_all": found.run_all,
                "classes": len(found.classes),
                "networks": int(found.classes.members.sum()),
                "floors": summaries,
                "front": pairs,
                "checked": check,
                "different": [d for d in wrong if d is not None],
            }
        )
    else:
        _show(session.output, found, summaries, pairs)
        _show_check(session.output, check, sum(d is not None for d in wrong))
    raise typer.Exit(int(any(wrong)))


def _show(
    output: Output, found: JointTable, summaries: list[Summary], front: list[tuple[float, float]]
) -> None:
    objective, problem = found.problem.objectives[0], found.problem
    output.title(f"{problem.spec.workload} on {problem.spec.hardware}", f"exact {objective.name}")
    output.show(
        f"  {found.machines:,} of {found.points:,} machines can be built, {found.run_all:,} run "
        f"every layer; {int(found.classes.members.sum()):,} networks in {len(found.classes)} "
        f"classes of equal cost, {len(found.classes.layers)} layers"
    )
    for summary in summaries:
        output.show("")
        floor = "no floor" if summary.floor is None else f"accuracy >= {summary.floor:g}"
        output.title(floor, f"{summary.networks:,} networks in {summary.classes} classes")
        output.show(table(("", f">{objective.unit}", ">default / it"), _rows(summary)))
        chosen = ", ".join(f"{k}={v}" for k, v in summary.configuration.items())
        output.show(
            Text(
                f"  best pair: {chosen}; accuracy {summary.accuracy:.2f}, "
                f"{summary.area_ratio:.2f} of the default's area",
                style="faint",
            )
        )
        output.show(Text(f"  the accuracy is {summary.accuracy_is}", style="faint"))
    if front:
        output.show("")
        output.title("accuracy against cost", "the best machine for each network")
        rows = [(f"{accuracy:.2f}", f"{loss:.6g}") for accuracy, loss in front]
        output.show(table((">accuracy|%", f">{objective.unit}"), rows))


def _rows(summary: Summary) -> list[tuple[str, str, str]]:
    lines = (
        ("default machine and network", summary.default),
        ("hardware only", summary.hardware),
        ("network only", summary.network),
        ("network, then hardware", summary.one_after_other),
        ("both", summary.both),
    )
    return [(name, _told(value), _ratio(summary.ratio(value))) for name, value in lines]


def _told(value: float | None) -> str:
    return "-" if value is None else f"{value:,.6g}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}x"


def _show_check(output: Output, pairs: int, different: int) -> None:
    if not pairs:
        return
    told = f"  {pairs} pairs drawn at random were built and mapped: "
    if different:
        output.show(Text(f"{told}{different} differ from the table", style="bad"))
    else:
        output.show(Text(f"{told}all equal the table to 1e-9", style="good"))
