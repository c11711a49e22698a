"""`cosearch compare`: strategies head to head, with equal budgets, and what can be said."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from attrs import asdict

from cosearch.cli.options import (
    STORE,
    TRIALS,
    EvaluationsOption,
    JsonOption,
    RunsAtOnceOption,
    SecondsOption,
    StoreOption,
    TrialsOption,
)
from cosearch.cli.session import SEARCH, Session, session_of
from cosearch.cli.settings import Given, takes_settings
from cosearch.errors import CosearchError
from cosearch.trials.setting import KEY
from cosearch.trials.spec import FOR_ONE_MACHINE, SETTINGS, VARIED, StudySpec

if TYPE_CHECKING:
    from cosearch.compare.contest import Contest
    from cosearch.compare.outcome import Result
    from cosearch.compare.scores import Standing
    from cosearch.compare.tuning import Rehearsal


ContendersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy",
        "-s",
        metavar="NAME",
        help="A contender; repeat for more. NAME+prune spends no trial on what cannot win. "
        "Without any, machines are compared.",
        show_default=False,
    ),
]
TuneOption = Annotated[
    int | None,
    typer.Option(
        "--tune",
        min=1,
        metavar="N",
        show_default=False,
        help="First try N configurations of each contender's options on other workloads.",
    ),
]
TuneOnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tune-on",
        metavar="WORKLOAD",
        show_default=False,
        help="Where to tune; may be repeated. A usual network, not compared, if left out.",
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        show_default=False,
        help="Also write a file; `.html` is one self-contained page.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare", rich_help_panel=SEARCH)(compare_command)


@takes_settings(name for name in SETTINGS if name not in VARIED)
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
    given: Given,
    strategy: ContendersOption = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, metavar="N", help="Runs of each, seeds 0 to N-1.")
    ] = 10,
    trials: TrialsOption = None,
    evaluations: EvaluationsOption = None,
    seconds: SecondsOption = None,
    tune: TuneOption = None,
    tune_on: TuneOnOption = None,
    workers: RunsAtOnceOption = None,
    store: StoreOption = STORE,
    report: ReportOption = None,
    json: JsonOption = False,
) -> None:
    """Compare strategies head to head, or machines as they stand.

    Strategies meet the same problems with the same budget, several seeds each. Without any, the
    best mappings on each machine's baseline stand side by side, at equal area too.

    Every run is a study in the store. The same command again goes on where it was stopped, and
    runs nothing twice; more seeds or another contender add only what is missing.

    Examples:
        cosearch compare resnet18 -H eyeriss -s random -s evolutionary --trials 50
        cosearch compare alexnet resnet18 -H eyeriss -H gemmini -s random -s bayesian -s ppo
        cosearch compare resnet18 -H eyeriss -H gemmini -H nvdla  # machines, no search
        cosearch compare resnet18 -H vta -s random -s nsga2 -o latency,area --seeds 20 --json
        cosearch compare resnet18 -H eyeriss -s evolutionary -s annealing --tune 8 --tune-on alexnet
    """
    from cosearch.api.compare_report import write_report
    from cosearch.cli.text import compare as compare_text
    from cosearch.compare.contest import Contest
    from cosearch.compare.scores import standing
    from cosearch.mapping.mapper import Budget

    session = session_of(ctx)
    if not strategy:
        _compare_machines(session, workloads, hardware, given, json=json)
        return
    if trials is None and evaluations is None and seconds is None:
        trials = TRIALS
    if tune_on and tune is None:
        raise CosearchError("--tune-on says where to tune; --tune N says how much", "add --tune 8")
    budget = Budget(trials, evaluations, seconds)
    contest = Contest(strategy, hardware, workloads, seeds, budget, given)
    if len({run.spec.name for run in contest.runs(session.registry)}) < _size(contest):
        raise CosearchError("two of the contenders are the same strategy with the same options")
    try:
        tuned = _tune(session, contest, tune, tune_on or (), store, workers)
        contest = tuned.applied(contest) if tuned else contest
        result = _result(session, contest, "runs", store, workers)
    except KeyboardInterrupt:
        session.output.note(f"stopped; everything finished is stored. Go on: {_again()}")
        raise
    found = standing(result)
    if report is not None and found.scores:
        write_report(report, result, found, tuned, store, session.registry, _again())
        session.output.note(f"wrote {report}")
    if json:
        session.output.json(_facts(session, result, found, tuned))
    else:
        units = [session.registry.objective(name).unit for name in contest.objectives]
        terms = compare_text.Terms(_in_full(session, contest), units)
        compare_text.show(session.output, result, found, tuned, terms)
    if not found.scores:
        raise typer.Exit(1)


def _compare_machines(
    session: Session,
    workloads: Sequence[str],
    hardware: Sequence[str],
    given: Given,
    *,
    json: bool,
) -> None:
    """Show the best mappings on each machine as it stands; nothing is searched or stored."""
    from cosearch.api.machines import machines
    from cosearch.cli.text import machines as machines_text

    default = StudySpec.of("", "")
    for name, value in given.items():
        usual = getattr(default, SETTINGS[name].name)
        usual = ",".join(usual) if isinstance(usual, tuple) else usual
        if name not in FOR_ONE_MACHINE and value not in (None, usual):
            flag = SETTINGS[name].metadata[KEY].flags[0]
            raise CosearchError(f"{flag} is for strategies, and none is named", "add -s NAME")
    settings = {name: value for name, value in given.items() if name in FOR_ONE_MACHINE}
    found = machines(workloads, hardware, session.registry, settings)
    if json:
        session.output.json([contestant.record() for contestant in found])
    else:
        machines_text.show(session.output, found)
    if all(contestant.found is None for contestant in found):
        raise typer.Exit(1)


def _size(contest: Contest) -> int:
    return len(contest.strategies) * len(contest.cases) * contest.seeds


def _tune(
    session: Session,
    contest: Contest,
    configurations: int | None,
    workloads: Sequence[str],
    store: Path,
    workers: int | None,
) -> Rehearsal | None:
    """Tune the contenders where that is asked for; the runs are stored like all others."""
    from cosearch.compare.tuning import Tuning, choose, tuning_workloads

    if configurations is None:
        return None
    chosen = tuning_workloads(workloads, contest.workloads, session.registry)
    tuning = Tuning(contest, configurations, chosen)
    rehearsal = tuning.rehearsal(session.registry)
    session.output.note(f"tuning: {len(rehearsal.strategies)} configurations")
    result = _result(session, rehearsal, "tuning runs", store, workers)
    return choose(tuning, result, session.registry)


def _result(
    session: Session, contest: Contest, what: str, store: Path, workers: int | None
) -> Result:
    """Run what of a contest is missing, with progress, and read what all of it came to."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from cosearch.compare.fronts import judged
    from cosearch.compare.outcome import collect
    from cosearch.compare.running import run_all
    from cosearch.store.store import Store

    output, runs = session.output, list(contest.runs(session.registry))
    started = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}", style="faint"),
    )
    with Progress(
        *columns, console=output.errors, transient=True, disable=not output.live
    ) as progress:
        task = progress.add_task(what, total=len(runs), left="")
        done = 0

        def finished(_: object) -> None:
            nonlocal done
            done += 1
            passed = time.monotonic() - started
            progress.update(
                task, advance=1, left=f"{passed / done * (len(runs) - done):.0f} s left"
            )

        at_once = workers or os.cpu_count() or 1
        run_all(runs, contest.budget, store, session.registry, at_once, finished)
    passed = time.monotonic() - started
    output.note(f"{len(runs)} {what} are in {store}; this took {passed:.1f} s")
    with Store(store, write=False) as opened:
        return judged(collect(contest, runs, opened))


def _in_full(session: Session, contest: Contest) -> dict[str, str]:
    """Return each contender with all options of what runs under its name, defaults too."""
    from cosearch.compare.contest import PRUNE, cut_prune
    from cosearch.registry.registry import join_spec

    told = {}
    for name in contest.strategies:
        running, prune = cut_prune(contest.tuned.get(name, name))
        named = session.registry.find("strategies", running)
        options = {**named.target.options.defaults, **named.options}
        told[name] = join_spec(named.name, options) + PRUNE * prune
    return told


def _facts(
    session: Session, result: Result, found: Standing, tuned: Rehearsal | None
) -> dict[str, Any]:
    """Return everything as plain data."""
    from cosearch.compare.fronts import known_fronts

    return {
        "cases": [str(case) for case in result.solved],
        "objectives": list(result.contest.objectives),
        "tuning": None if tuned is None else asdict(tuned),
        "contenders": _in_full(session, result.contest),
        "runs": [
            {
                "contender": o.run.strategy,
                "case": str(o.run.case),
                "seed": o.run.seed,
                "study": o.run.spec.name,
                "start": o.start,
                "losses": o.losses,
                "best_so_far": o.best_so_far,
                "evaluations": o.evaluations,
                "think_seconds": o.think_seconds,
                "mapping_seconds": o.evaluate_seconds,
            }
            for o in result.outcomes
        ],
        "fronts": [front.facts() for front in known_fronts(result)],
        **found.facts(),
    }


def _again() -> str:
    return shlex.join(["cosearch", *sys.argv[1:]])
