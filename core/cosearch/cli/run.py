"""`cosearch run` and `cosearch resume`: search for a machine and the way to run a network on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cosearch.cli.options import (
    STORE,
    CombineOption,
    ConstraintOption,
    HardwareOption,
    JsonOption,
    MapperOption,
    MapperTrialsOption,
    SecondsOption,
    SeedOption,
    SetOption,
    StoreOption,
    StrategyOption,
    WorkloadArgument,
    settings,
)
from cosearch.cli.session import SEARCH, session_of

TRIALS = 50
"""Designs tried when no budget is named."""

ObjectiveOption = Annotated[
    str,
    typer.Option(
        "--objective",
        "-o",
        metavar="NAME[,NAME]",
        help="What to make small; several for a Pareto front. See `cosearch list objectives`.",
    ),
]

TrialsOption = Annotated[
    int | None,
    typer.Option(
        "--trials",
        min=1,
        metavar="N",
        show_default=False,
        help=f"Designs to try; {TRIALS} if no budget is named, all if exhaustive.",
    ),
]

EvaluationsOption = Annotated[
    int | None,
    typer.Option(
        "--evaluations",
        min=1,
        metavar="N",
        show_default=False,
        help="Mappings to price over all designs; the batch that reaches it is finished.",
    ),
]

BatchOption = Annotated[
    int,
    typer.Option(
        "--batch",
        min=1,
        metavar="N",
        help="Designs proposed before the strategy learns of their losses; more of them keep "
        "more workers busy, and teach it less.",
    ),
]

ColdOption = Annotated[
    bool,
    typer.Option(
        "--cold",
        show_default=False,
        help="Do not tell the strategy of the baseline before it begins.",
    ),
]

WarmStartOption = Annotated[
    str,
    typer.Option(
        "--warm-start",
        metavar="STUDY",
        show_default=False,
        help="Tell the strategy first of the trials of this stored study on the same space.",
    ),
]

SchemeOption = Annotated[
    str,
    typer.Option(
        "--scheme",
        metavar="NAME",
        help="How hardware and mappings are searched together: one of `cosearch list schemes`.",
    ),
]

StudyOption = Annotated[
    str,
    typer.Option(
        "--study",
        metavar="NAME",
        show_default=False,
        help="Name in the store; made from the settings if left out.",
    ),
]

WorkersOption = Annotated[
    int,
    typer.Option("--workers", min=1, metavar="N", help="Designs evaluated at once. Same result."),
]

TrialSecondsOption = Annotated[
    float | None,
    typer.Option(
        "--trial-seconds",
        min=0.1,
        metavar="S",
        show_default=False,
        help="Give a design up after so long.",
    ),
]

ExecutorOption = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="NAME",
        show_default=False,
        help="Where designs are evaluated; picked by --workers if left out.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run", rich_help_panel=SEARCH)(run_command)
    app.command("resume", rich_help_panel=SEARCH)(resume_command)


def run_command(
    ctx: typer.Context,
    workload: WorkloadArgument,
    hardware: HardwareOption,
    strategy: StrategyOption = "evolutionary",
    mapper: MapperOption = None,
    objective: ObjectiveOption = "edp",
    trials: TrialsOption = None,
    mapper_trials: MapperTrialsOption = None,
    evaluations: EvaluationsOption = None,
    seconds: SecondsOption = None,
    seed: SeedOption = 0,
    constraint: ConstraintOption = None,
    set_: SetOption = None,
    batch: BatchOption = 4,
    cold: ColdOption = False,
    warm_start: WarmStartOption = "",
    scheme: SchemeOption = "nested",
    combine: CombineOption = "network",
    study: StudyOption = "",
    store: StoreOption = STORE,
    workers: WorkersOption = 1,
    trial_seconds: TrialSecondsOption = None,
    executor: ExecutorOption = None,
    json: JsonOption = False,
) -> None:
    """Search hardware and mappings together: a machine outside, the best mapping of each layer inside.

    Every design that is tried is stored at once. Ctrl-C keeps the best and prints the command that
    continues; the same command again continues too, or shows the report of a finished study. One
    seed gives one result, with any number of workers and after any interruption.

    Examples:
        cosearch run resnet18 -H eyeriss --trials 50 --seed 0
        cosearch run resnet18 -H eyeriss -s random -o energy --constraint 'area_mm2<=10'
        cosearch run alexnet -H eyeriss --set buffer_kb=56 --seconds 60 --workers 2
    """  # noqa: E501 - the first line is the summary in --help
    from cosearch.cli.search import search
    from cosearch.mapping.mapper import Budget
    from cosearch.store.store import Store
    from cosearch.study.building import make_scheme
    from cosearch.study.codesign import Session, open_study, plan

    session = session_of(ctx)
    spec = plan(
        session.registry,
        workload,
        hardware,
        strategy,
        mapper=mapper,
        objective=objective,
        constraints=constraint or (),
        fixed=settings(set_),
        seed=seed,
        batch=batch,
        mapper_evaluations=mapper_trials,
        warm=not cold,
        scheme=scheme,
        warm_start=warm_start,
        combine=combine,
    )
    unlimited = trials is None and evaluations is None and seconds is None
    enough = None if make_scheme(scheme, session.registry).enumerates else TRIALS
    budget = Budget(enough if unlimited else trials, evaluations, seconds)
    with Store(store) as opened:
        found = open_study(opened, session.registry, spec, budget, study)
        how = Session(workers, trial_seconds, executor)
        code = search(session, opened, found, how, json=json)
    raise typer.Exit(code)


def resume_command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="STUDY", help="A name from `cosearch studies`.")],
    trials: Annotated[
        int | None,
        typer.Option(
            "--trials",
            min=1,
            metavar="N",
            show_default=False,
            help="Try so many more designs; to the study's own budget if left out.",
        ),
    ] = None,
    store: StoreOption = STORE,
    workers: WorkersOption = 1,
    trial_seconds: TrialSecondsOption = None,
    executor: ExecutorOption = None,
    json: JsonOption = False,
) -> None:
    """Continue a study that was interrupted, or take a finished one further.

    A resumed study ends exactly as if it had never stopped.

    Examples:
        cosearch resume resnet18-eyeriss-evolutionary-1d4a
        cosearch resume resnet18-eyeriss-evolutionary-1d4a --trials 100
    """
    from cosearch.cli.search import search
    from cosearch.store.store import Store
    from cosearch.study.codesign import Session, resume_study

    session = session_of(ctx)
    refuse_missing(store)
    with Store(store) as opened:
        found = resume_study(opened, session.registry, name, more_trials=trials)
        how = Session(workers, trial_seconds, executor)
        code = search(session, opened, found, how, json=json)
    raise typer.Exit(code)


def refuse_missing(store: Path) -> None:
    """Raise CosearchError rather than make a store that is to be read."""
    from cosearch.store.schema import missing

    if not store.exists():
        raise missing(store)
