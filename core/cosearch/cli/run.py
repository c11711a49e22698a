"""`cosearch run` and `cosearch resume`: search for a machine and the way to run a network on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from attrs import evolve

from cosearch.cli.options import (
    STORE,
    TRIALS,
    EvaluationsOption,
    JsonOption,
    NetworksOption,
    SecondsOption,
    StoreOption,
    TrialsOption,
    WorkloadArgument,
)
from cosearch.cli.session import SEARCH, session_of
from cosearch.cli.settings import Given, takes_settings
from cosearch.trials.spec import SETTINGS

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
    int | None,
    typer.Option(
        "--workers",
        min=1,
        metavar="N",
        envvar="COSEARCH_WORKERS",
        show_envvar=False,
        show_default="one a core",
        help="Designs evaluated at once. Same result.",
    ),
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

NoCacheOption = Annotated[
    bool,
    typer.Option(
        "--no-cache",
        show_default=False,
        help="Map every layer anew: use and remember no results of earlier studies.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run", rich_help_panel=SEARCH)(run_command)
    app.command("resume", rich_help_panel=SEARCH)(resume_command)


@takes_settings(SETTINGS)
def run_command(
    ctx: typer.Context,
    workload: WorkloadArgument,
    given: Given,
    trials: TrialsOption = None,
    evaluations: EvaluationsOption = None,
    seconds: SecondsOption = None,
    networks: NetworksOption = None,
    study: StudyOption = "",
    store: StoreOption = STORE,
    workers: WorkersOption = None,
    trial_seconds: TrialSecondsOption = None,
    executor: ExecutorOption = None,
    no_cache: NoCacheOption = False,
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
    problem = plan(session.registry, workload, **given)
    unlimited = (trials, evaluations, seconds, networks) == (None, None, None, None)
    enough = None if make_scheme(problem.spec.scheme, session.registry).enumerates else TRIALS
    budget = Budget(enough if unlimited else trials, evaluations, seconds, networks)
    with Store(store) as opened:
        found = open_study(opened, session.registry, problem, budget, study)
        how = evolve(Session.on_cores(found, workers, trial_seconds, executor), cached=not no_cache)
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
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds",
            min=0.0,
            metavar="S",
            show_default=False,
            help="Search so many seconds more.",
        ),
    ] = None,
    store: StoreOption = STORE,
    workers: WorkersOption = None,
    trial_seconds: TrialSecondsOption = None,
    executor: ExecutorOption = None,
    no_cache: NoCacheOption = False,
    json: JsonOption = False,
) -> None:
    """Continue a study that was interrupted, or take a finished one further.

    A resumed study ends exactly as if it had never stopped.

    Examples:
        cosearch resume resnet18-eyeriss-bayesian-1d4a
        cosearch resume resnet18-eyeriss-bayesian-1d4a --trials 100
        cosearch resume resnet18-eyeriss-bayesian-1d4a --seconds 60
    """
    from cosearch.cli.search import search
    from cosearch.store.store import Store
    from cosearch.study.codesign import Session, resume_study

    session = session_of(ctx)
    refuse_missing(store)
    with Store(store) as opened:
        found = resume_study(
            opened, session.registry, name, more_trials=trials, more_seconds=seconds
        )
        how = evolve(Session.on_cores(found, workers, trial_seconds, executor), cached=not no_cache)
        code = search(session, opened, found, how, json=json)
    raise typer.Exit(code)


def refuse_missing(store: Path) -> None:
    """Raise CosearchError rather than make a store that is to be read."""
    from cosearch.store.schema import missing

    if not store.exists():
        raise missing(store)
