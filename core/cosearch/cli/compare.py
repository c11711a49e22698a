"""`cosearch compare`: strategies head to head, with equal budgets, and what can be said."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cosearch.cli.options import (
    STORE,
    ConstraintOption,
    JsonOption,
    MapperOption,
    MapperTrialsOption,
    ObjectiveOption,
    StoreOption,
)
from cosearch.cli.output import Output
from cosearch.cli.session import SEARCH, session_of
from cosearch.errors import CosearchError

if TYPE_CHECKING:
    from cosearch.compare.contest import Run
    from cosearch.compare.outcome import Result
    from cosearch.compare.scores import Standing
    from cosearch.mapper import Budget
    from cosearch.plugins import Registry
    from cosearch.store.store import Store

TRIALS = 50
"""Designs of a run when no budget is named."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare", rich_help_panel=SEARCH)(compare_command)


def compare_command(
    ctx: typer.Context,
    workloads: Annotated[
        list[str],
        typer.Argument(metavar="WORKLOAD...", help="Networks, as for `run`.", show_default=False),
    ],
    hardware: Annotated[
        list[str],
        typer.Option(
            "--hardware",
            "-H",
            metavar="NAME",
            help="A machine; may be repeated.",
            show_default=False,
        ),
    ],
    strategy: Annotated[
        list[str],
        typer.Option(
            "--strategy",
            "-s",
            metavar="NAME",
            help="A contender; repeat for more.",
            show_default=False,
        ),
    ],
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, metavar="N", help="Runs of each, seeds 0 to N-1.")
    ] = 10,
    trials: Annotated[
        int | None,
        typer.Option(
            "--trials",
            min=1,
            metavar="N",
            show_default=False,
            help=f"Designs of each run; {TRIALS} if no budget is named.",
        ),
    ] = None,
    evaluations: Annotated[
        int | None,
        typer.Option(
            "--evaluations",
            min=1,
            metavar="N",
            show_default=False,
            help="Mappings priced in each run.",
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds",
            min=0.0,
            metavar="S",
            show_default=False,
            help="Wall-clock time of each run; the result then depends on the machine.",
        ),
    ] = None,
    objective: ObjectiveOption = "edp",
    mapper: MapperOption = None,
    mapper_trials: MapperTrialsOption = None,
    constraint: ConstraintOption = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            metavar="N",
            show_default=False,
            help="Runs at once; all processors if left out. Same result.",
        ),
    ] = None,
    store: StoreOption = STORE,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE.html",
            show_default=False,
            help="Also write one self-contained HTML page.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Compare strategies head to head: same problems, same budget, several seeds each.

    Every run is a study in the store. The same command again goes on where it was stopped, and
    runs nothing twice; more seeds or another contender add only what is missing.

    Examples:
        cosearch compare resnet18 -H eyeriss -s random -s evolutionary --trials 50
        cosearch compare alexnet resnet18 -H eyeriss -H gemmini -s random -s bayesian -s ppo
        cosearch compare resnet18 -H vta -s random -s ppo -o latency --seeds 20 --json
    """  # fmt: skip
    from cosearch.cli import compare_text
    from cosearch.compare.contest import Contest
    from cosearch.compare.outcome import collect
    from cosearch.compare.scores import standing
    from cosearch.mapper import Budget
    from cosearch.store.store import Store

    session = session_of(ctx)
    if trials is None and evaluations is None and seconds is None:
        trials = TRIALS
    budget = Budget(trials, evaluations, seconds)
    contest = Contest(
        strategy, hardware, workloads, seeds, budget, objective, mapper, mapper_trials,
        constraint or (),
    )  # fmt: skip
    runs = list(contest.runs(session.registry))
    if len({run.spec.name for run in runs}) < len(runs):
        raise CosearchError("two of the contenders are the same strategy with the same options")
    try:
        _run(session.output, runs, budget, store, workers or os.cpu_count() or 1)
    except KeyboardInterrupt:
        session.output.note(f"stopped; everything finished is stored. Go on: {_again()}")
        raise
    with Store(store, write=False) as opened:
        result = collect(contest, runs, opened)
        found = standing(result)
        if report is not None and found.scores:
            _write_page(report, result, found, opened, session.registry)
            session.output.note(f"wrote {report}")
    if json:
        session.output.json({"cases": [str(c) for c in result.solved], **found.facts()})
    else:
        compare_text.show(session.output, result, found)
    if not found.scores:
        raise typer.Exit(1)


def _run(output: Output, runs: Sequence[Run], budget: Budget, store: Path, workers: int) -> None:
    """Run what is missing, with progress."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from cosearch.compare.running import run_all

    started = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(),
               TextColumn("{task.fields[left]}", style="faint"))  # fmt: skip
    with Progress(*columns, console=output.errors, transient=True,
                  disable=not output.live) as progress:  # fmt: skip
        task = progress.add_task("runs", total=len(runs), left="")
        done = 0

        def finished(_: object) -> None:
            nonlocal done
            done += 1
            passed = time.monotonic() - started
            progress.update(
                task, advance=1, left=f"{passed / done * (len(runs) - done):.0f} s left"
            )

        run_all(runs, budget, store, workers, finished)
    passed = time.monotonic() - started
    output.note(f"{len(runs)} runs are in {store}; this took {passed:.1f} s")


def _write_page(
    path: Path, result: Result, found: Standing, store: Store, registry: Registry
) -> None:
    """Write the HTML page: each case's best design is priced again for it."""
    from cosearch.html.compare_page import compare_page
    from cosearch.html.page import write_page
    from cosearch.study.codesign import load_study
    from cosearch.study.report import account

    trials = {
        o.run.spec.name: [t for t in store.trials(o.run.spec.name) if t.number > 0]
        for o in result.outcomes
    }
    best = {}
    for case in result.solved:
        name = result.winner(case).run.spec.name
        study = load_study(store, registry, name)
        if study.best is not None:
            best[case] = account(study.problem, study.best)
    header = store.header(result.outcomes[0].run.spec.name)
    facts = [_again(), "", *(f"{name}: {value}" for name, value in header.facts.items())]
    facts += ["", "studies:", *sorted(trials)]
    write_page(path, compare_page(result, found, trials, best, facts))


def _again() -> str:
    return shlex.join(["cosearch", *sys.argv[1:]])
