"""`cosearch serve`: a study whose designs another program names, over standard input and output."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from cosearch.cli.options import (
    STORE,
    TRIALS,
    EvaluationsOption,
    SecondsOption,
    StoreOption,
    TrialsOption,
    WorkloadArgument,
)
from cosearch.cli.prints import prints_logged
from cosearch.cli.run import StudyOption, TrialSecondsOption, WorkersOption
from cosearch.cli.session import SEARCH, Session, session_of
from cosearch.cli.settings import Given, takes_settings
from cosearch.trials.spec import SETTINGS

LEFT_OUT = ("strategy", "scheme", "prune")
"""Settings that make no sense where another program proposes."""

SuggestOption = Annotated[
    str, typer.Option("--suggest", metavar="STRATEGY", help="What answers `ask`.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve", rich_help_panel=SEARCH)(serve_command)


@takes_settings([name for name in SETTINGS if name not in LEFT_OUT])
def serve_command(
    ctx: typer.Context,
    workload: WorkloadArgument,
    given: Given,
    suggest: SuggestOption = "random",
    trials: TrialsOption = None,
    evaluations: EvaluationsOption = None,
    seconds: SecondsOption = None,
    study: StudyOption = "",
    store: StoreOption = STORE,
    workers: WorkersOption = None,
    trial_seconds: TrialSecondsOption = None,
) -> None:
    """Let another program search: it names designs, and is told what they are worth.

    A JSON object a line on standard input, an answer a line on standard output: docs/serve.md. The
    designs are trials of a study like any other, under the same budget; the same command again
    continues it.

    Examples:
        cosearch serve resnet18 -H eyeriss --trials 50 --study agent
    """
    from cosearch.mapping.mapper import Budget
    from cosearch.store.store import Store
    from cosearch.study.codesign import Session as How
    from cosearch.study.codesign import open_study, plan

    session = session_of(ctx)
    problem = plan(session.registry, workload, **{**given, "strategy": "outside"})
    unlimited = trials is None and evaluations is None and seconds is None
    budget = Budget(TRIALS if unlimited else trials, evaluations, seconds)
    said = sys.stdout
    with Store(store) as opened, prints_logged():
        found = open_study(opened, session.registry, problem, budget, study)
        how = How.on_cores(found, workers, trial_seconds)
        _serve(session, opened, found, how, suggest, said)


def _serve(session: Session, store: Any, study: Any, how: Any, suggest: str, said: Any) -> None:  # noqa: ANN401
    from cosearch.search.seeds import stream
    from cosearch.study.building import make_strategy
    from cosearch.study.codesign import run
    from cosearch_plugins.serve.outside import Outside
    from cosearch_plugins.serve.talk import HungUpError, Talk

    registry, space, seed = session.registry, study.problem.space, study.problem.spec.seed
    ideas = make_strategy(suggest, registry).make(space, stream(seed, "suggestions"))
    talk = Talk(study, sys.stdin, said, suggests=ideas)
    rng = stream(seed, "outside")
    talk.strategy = Outside(space, rng, more=talk.more, suggests=ideas)
    talk.replay()
    registry.manager.register(talk, name="serve")
    try:
        run(study, store, registry, how, talk.strategy)
        talk.rest()
    except HungUpError as error:
        session.output.note(str(error))
    finally:
        registry.manager.unregister(name="serve")
