"""`cosearch map`: the best way to run each layer on one machine, as a loop nest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from attrs import evolve

from cosearch.cli.errors import INTERRUPTED
from cosearch.cli.interruption import Interruption
from cosearch.cli.map_fused import show_fused
from cosearch.cli.options import JsonOption, RulesOption
from cosearch.cli.session import MACHINE, Session, session_of
from cosearch.cli.settings import Given, takes_settings
from cosearch.errors import CosearchError, Infeasible
from cosearch.trials.spec import FOR_ONE_MACHINE, StudySpec

if TYPE_CHECKING:
    from cosearch.mapping.account import LayerAccount
    from cosearch.mapping.network import NetworkResult
    from cosearch.mapping.threads import ThreadPool
    from cosearch.mapping.traffic import Traffic
    from cosearch.study.problem import Problem

WorkersOption = Annotated[
    int,
    typer.Option("--workers", min=1, metavar="N", help="Layers mapped at once. Same result."),
]


OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="FILE",
        show_default=False,
        help="With --fuse, also write machine and groups, for `cosearch evaluate` (.yaml), or a "
        "page that draws what is live in the memory they share (.html).",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("map", rich_help_panel=MACHINE)(map_command)


@takes_settings(FOR_ONE_MACHINE, {"mapper_seconds": "--seconds"})
def map_command(
    ctx: typer.Context,
    workload: Annotated[
        str,
        typer.Argument(
            metavar="WORKLOAD[:LAYER]",
            show_default=False,
            help="A name from `cosearch list workloads`, a file, or one layer of either.",
        ),
    ],
    given: Given,
    workers: WorkersOption = 1,
    rules: RulesOption = None,
    out: OutputOption = None,
    json: JsonOption = False,
) -> None:
    """Find the best mapping of each layer on one machine, and show it as a loop nest.

    A layer is called proven optimal only when its mapper ruled out every other mapping of the
    machine's mapspace; all other results are the best of those that were tried.

    Examples:
        cosearch map alexnet:conv2 -H eyeriss
        cosearch map resnet18 -H eyeriss --set pe_x=12 -o latency
        cosearch map mobilenetv2 -H eyeriss --fuse --seconds 10 --output groups.html
        cosearch map resnet18:layer1.0.conv1 -H eyeriss -m random --mapper-trials 5000 --seed 1
        cosearch map problem.yaml -H arch.yaml:ert=ERT.yaml,constraints=c.yaml  # Timeloop's files
        cosearch map problem.yaml -H arch.yaml:technology=horowitz --rules timeloop_2022
    """
    from cosearch.formats.rules import RuledModel, parse_rules
    from cosearch.machine.building import build
    from cosearch.study.building import canonical, make_hardware, problem_of, threaded

    session = session_of(ctx)
    spec = canonical(StudySpec.of(workload, **given), session.registry)
    if len(spec.objectives) > 1:
        raise CosearchError(f"layers are mapped for one objective, not {len(spec.objectives)}")
    model = make_hardware(spec.hardware, session.registry)
    for note in getattr(model, "notes", ()):
        session.output.warn(note)
    if rules is not None:
        model = RuledModel(model, parse_rules(rules))
    configuration = {**model.baseline, **spec.fixed}
    machine = build(model, configuration)
    problem = evolve(problem_of(spec, session.registry), hardware=model)
    if spec.fuse:
        show_fused(session, problem, machine, out=out, json=json)
        return
    if out is not None:
        raise CosearchError("--output writes groups of layers", "add --fuse")
    problem = threaded(problem, session.registry, workers).for_design(configuration)
    _run(session, problem, problem.pool(machine, configuration), json=json)


def _run(session: Session, problem: Problem, pool: ThreadPool, *, json: bool) -> None:
    """Map every layer and show it as soon as it is done; Ctrl-C keeps those that are.

    Raises:
        Infeasible: layers that fit nowhere, after all others have been shown.
    """
    from cosearch.cli.text import map as map_text

    done: list[LayerAccount] = []
    choice, stopped = None, False
    try:
        if not json:
            map_text.show_head(session.output, problem, pool.machine)
        with Interruption():
            for account in _watched(session, problem, pool):
                done.append(account)
                if not json:
                    map_text.show_layer(session.output, account, pool.task.objective.name)
            choice = _together(session, problem, pool, done)
    except KeyboardInterrupt:
        stopped = True
    traffic = None if stopped else _traffic(problem, pool, done, choice)
    if json:
        session.output.json(map_text.facts(problem, pool.machine, done, choice, traffic))
    else:
        map_text.show_totals(session.output, problem, done, choice)
        if traffic is not None:
            session.output.prose(str(traffic), "faint", indent=2)
    if stopped:
        session.output.warn(f"stopped after {len(done)} of {len(problem.network.unique)} layers")
        raise typer.Exit(INTERRUPTED)
    _refuse_misfits(done)


def _traffic(
    problem: Problem, pool: ThreadPool, done: Sequence[LayerAccount], choice: NetworkResult | None
) -> Traffic | None:
    """Return the words at the outermost memory beside the fewest, where all layers are mapped."""
    from cosearch.study.traffic import traffic_of_layers

    own = tuple(account.result for account in done if account.result is not None)
    if not own or len(own) < len(problem.network.unique):
        return None
    chosen = own if choice is None else choice.layers
    return traffic_of_layers(problem, pool.machine, chosen)


def _refuse_misfits(done: Sequence[LayerAccount]) -> None:
    """Raise Infeasible where layers fit nowhere."""
    misfits = [account.verdict for account in done if account.verdict is not None]
    if misfits:
        first = misfits[0]
        many = f"{len(misfits)} of {len(done)} layers have no mapping; the first: "
        told = f"{many if len(done) > 1 else ''}{first.reason}"
        raise Infeasible(told, first.margins, first.hint)


def _together(
    session: Session, problem: Problem, pool: ThreadPool, done: Sequence[LayerAccount]
) -> NetworkResult | None:
    """Return the choice for the network, if it has several layers and all could be mapped."""
    from cosearch.mapping.network import choose

    own = [account.result for account in done if account.result is not None]
    if len(own) < max(2, len(done)):
        return None
    errors = session.output.errors
    watched = errors.status("choosing mappings for the network") if session.output.live else None
    with watched or nullcontext():
        return choose(pool, problem.network.unique, own)


def _watched(session: Session, problem: Problem, pool: ThreadPool) -> Iterator[LayerAccount]:
    """Yield the accounts, with a line that says what is being mapped while someone watches."""
    from cosearch.mapping.network import account_layers

    if not session.output.live:
        yield from account_layers(pool, problem.network.unique)
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    names = [layer.name for layer in problem.network.unique]
    with Progress(*columns, console=session.output.errors, transient=True) as progress:
        task = progress.add_task("")
        accounts = account_layers(pool, problem.network.unique)
        for i, name in enumerate(names, start=1):
            progress.update(task, description=f"mapping {name} ({i} of {len(names)})")
            account = next(accounts)
            progress.stop()
            yield account
            progress.start()
