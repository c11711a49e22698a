"""`cosearch reproduce`: a published study, run again beside what it reported."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cosearch.cli.options import JsonOption
from cosearch.cli.output import Output, table
from cosearch.cli.session import SEARCH, session_of
from cosearch.errors import UnknownNameError
from cosearch.quantities import percent

if TYPE_CHECKING:
    from cosearch_plugins.papers.shi2020 import Outcome

PAPERS = ("shi2020",)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reproduce", rich_help_panel=SEARCH)(reproduce_command)


def reproduce_command(
    ctx: typer.Context,
    paper: Annotated[str, typer.Argument(metavar="PAPER", help=f"One of: {', '.join(PAPERS)}.")],
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="NAME",
            show_default=False,
            help="A model of the paper; all if left out. May be repeated.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, metavar="N", help="Runs of each.")] = 10,
    trials: Annotated[
        int, typer.Option("--trials", min=1, metavar="N", help="Hardware designs of a run.")
    ] = 50,
    mapper_trials: Annotated[
        int, typer.Option("--mapper-trials", min=1, metavar="N", help="Mappings of each layer.")
    ] = 250,
    space: Annotated[
        str, typer.Option("--space", metavar="one|mesh", help="One global buffer, or a mesh.")
    ] = "one",
    ablations: Annotated[
        bool,
        typer.Option(
            "--ablations", help="Also exchange kernel and acquisition.", show_default=False
        ),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            metavar="N",
            show_default=False,
            help="Runs at once; all processors if left out.",
        ),
    ] = None,
    store: Annotated[
        Path, typer.Option("--store", metavar="FILE", help="SQLite file of the studies.")
    ] = Path("shi2020.db"),
    json: JsonOption = False,
) -> None:
    """Run a published co-design study again, beside the figures it reported.

    Every run is a study in the store: the same command again goes on where it was stopped.

    Examples:
        cosearch reproduce shi2020 --model shi2020-dqn --seeds 3
        cosearch reproduce shi2020 --ablations
    """  # fmt: skip
    from cosearch_plugins.papers import shi2020

    session = session_of(ctx)
    if paper not in PAPERS:
        raise UnknownNameError("paper", paper, PAPERS)
    for name in model or ():
        if name not in shi2020.MODELS:
            raise UnknownNameError("model of the paper", name, shi2020.MODELS)
    if space not in ("one", "mesh"):
        raise UnknownNameError("space", space, ("one", "mesh"))
    design = shi2020.Plan(
        tuple(model or shi2020.MODELS), seeds, trials, mapper_trials, space, ablations
    )
    started, done = time.monotonic(), 0
    total = len(design.models) * len(design.contenders) * seeds

    def finished(_: object) -> None:
        nonlocal done
        done += 1
        left = (time.monotonic() - started) / done * (total - done)
        session.output.note(f"{done} of {total} runs, {left:.0f} s left")

    outcomes = shi2020.reproduce(
        session.registry, design, store, workers or os.cpu_count() or 1, finished
    )
    base = {m: shi2020.baselines(session.registry, design, m) for m in design.models}
    if json:
        session.output.json(_facts(outcomes, base))
    else:
        _show(session.output, outcomes, base)


def _facts(
    outcomes: list[Outcome], base: dict[str, tuple[float, float]]
) -> list[dict[str, object]]:
    from cosearch_plugins.papers.shi2020 import PUBLISHED

    return [
        {
            "model": o.model,
            "contender": o.contender.name,
            "published": PUBLISHED.get(o.model),
            "baseline_row_stationary": base[o.model][0],
            "baseline_free": base[o.model][1],
            "improvement_row_stationary": o.improvement(base[o.model][0]),
            "improvement_free": o.improvement(base[o.model][1]),
            "losses": o.losses,
        }
        for o in outcomes
    ]


def _show(output: Output, outcomes: list[Outcome], base: dict[str, tuple[float, float]]) -> None:
    from cosearch_plugins.papers.shi2020 import PUBLISHED

    for model, (rules, free) in base.items():
        published = PUBLISHED.get(model)
        said = f"published: {percent(published)} better" if published else "no figure published"
        output.title(model, f"{said}; Eyeriss: {rules:.4g} under its rules, {free:.4g} without")
        rows = []
        for o in outcomes:
            if o.model == model:
                low, middle, high = o.improvement(rules)
                fair = o.improvement(free)[1]
                rows.append(
                    (o.contender.name, percent(middle), f"{percent(low)} .. {percent(high)}",
                     percent(fair))
                )  # fmt: skip
        output.show(table(
            ("contender", ">better than (a)", ">quartiles", ">better than (b)"), rows
        ))  # fmt: skip
        output.show("")
    output.show(
        "(a) Eyeriss with the best mapping under its row-stationary rules; (b) with the best "
        "mapping of all; medians over seeds"
    )
