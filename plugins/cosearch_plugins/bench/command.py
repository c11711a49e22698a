"""`cosearch bench-optimizers`: any strategy on complete tables, where the optimum is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from attrs import asdict, evolve

from cosearch.cli.options import JsonOption
from cosearch.cli.output import Output, table
from cosearch.cli.session import SEARCH, Session, session_of
from cosearch.errors import CosearchError
from cosearch.quantities import added

if TYPE_CHECKING:
    from cosearch.registry.registry import Named, Registry
    from cosearch.search.strategy import Strategy
    from cosearch_plugins.bench.races import Race
    from cosearch_plugins.bench.tables import Table

STRATEGIES = ("random", "evolutionary", "bayesian", "ppo")
"""Raced unless others are named."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bench-optimizers", rich_help_panel=SEARCH)(bench_optimizers_command)


def bench_optimizers_command(
    ctx: typer.Context,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            "--strategy",
            "-s",
            metavar="NAME",
            show_default=False,
            help=f"A contender; repeat for more. {', '.join(STRATEGIES)} if none is named.",
        ),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            "-t",
            metavar="NAME",
            show_default=False,
            help="A problem; repeat for more. All whose tables are shipped if none is named.",
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, metavar="N", help="Runs of each, seeds 0 to N-1.")
    ] = 10,
    trials: Annotated[
        int, typer.Option("--trials", min=1, metavar="N", help="Designs of each run.")
    ] = 200,
    tables: Annotated[
        Path | None,
        typer.Option(
            "--tables",
            metavar="DIR",
            show_default=False,
            help="Read tables here, and make those that are missing; the shipped ones if left out.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Price a few designs of each table again first.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Race strategies on small spaces of which every design is known.

    Median designs until within 5 % of the optimum, then the median regret in % at each budget; a
    star marks what is worse than the first contender, by a permutation test. NAME+prune spends no
    trial on designs that are proven no better, NAME+build none on what cannot be built.

    Examples:
        cosearch bench-optimizers -s random -s bayesian -t gemmini --seeds 20
        cosearch bench-optimizers -s random -s random+build -s random+prune
        cosearch bench-optimizers --json
    """
    session = session_of(ctx)
    specs = list(dict.fromkeys(strategy or STRATEGIES))
    found = _races(session, task or [], specs, range(seeds), trials, tables, check=check)
    if json:
        session.output.json([asdict(run) for _, runs in found for run in runs])
        return
    for land, runs in found:
        _show(session.output, land, runs, _budgets(trials))


def _budgets(trials: int) -> tuple[int, ...]:
    from cosearch_plugins.bench.races import BUDGETS

    return (*(budget for budget in BUDGETS if budget < trials), trials)


def _races(
    session: Session,
    tasks: Sequence[str],
    specs: Sequence[str],
    seeds: Sequence[int],
    trials: int,
    folder: Path | None,
    *,
    check: bool,
) -> list[tuple[Table, list[Race]]]:
    """Make or read the tables, and run every contender on each from every seed it takes."""
    from rich.progress import Progress

    from cosearch_plugins.bench.races import race
    from cosearch_plugins.bench.tables import disagreements, file_of, floors_of, table_of
    from cosearch_plugins.bench.tasks import tasks_of

    registry, budgets = session.registry, _budgets(trials)
    contenders = [_contender(spec, registry) for spec in specs]
    chosen = [t for t in tasks_of(tasks) if tasks or folder or file_of(t).exists()]
    found = []
    with Progress(console=session.output.errors, transient=True) as shown:
        bar = shown.add_task("", total=None)
        for each in chosen:
            shown.update(bar, description=f"table of {each.name}", completed=0, total=None)
            land = table_of(
                each,
                registry,
                folder,
                lambda done, total: shown.update(bar, completed=done, total=total),
            )
            if check and (wrong := disagreements(land, registry)):
                raise CosearchError("; ".join(wrong), "make the tables anew: --tables DIR")
            able = [c for c in contenders if land.front.shape[1] == 1 or _takes_several(c[0], land)]
            todo = [(*contender, seed) for contender in able for seed in seeds]
            shown.update(bar, description=f"races on {each.name}", completed=0, total=len(todo))
            runs = []
            for contender, pruned, seed in todo:
                floors = floors_of(land, pruned)
                run = race(each.name, land, contender, seed, budgets, floors=floors)
                runs.append(evolve(run, strategy=run.strategy + pruned))
                shown.advance(bar)
            found.append((land, runs))
    return found


def _contender(text: str, registry: Registry) -> tuple[Named[Strategy], str]:
    """Return a contender's strategy, and how its space is pruned: `+prune`, `+build` or empty."""
    name, plus, how = text.strip().rpartition("+")
    if plus and how not in ("prune", "build"):
        raise CosearchError(f"{text!r} ends with neither +prune nor +build")
    return registry.find("strategies", name if plus else text), plus + how if plus else ""


def _takes_several(contender: Any, land: Table) -> bool:  # noqa: ANN401 - a strategy's class
    import numpy as np

    return bool(contender.make(land.space, np.random.default_rng(0)).multi_objective)


def _show(output: Output, land: Table, runs: Sequence[Race], budgets: Sequence[int]) -> None:
    import numpy as np

    from cosearch_plugins.bench.races import beaten

    task = land.task
    output.title(task.name, f"{task.workload} on {task.hardware}, {task.objective}")
    output.show(
        f"{land.known:,} designs, {100 * land.feasible.sum() / land.known:.3g} % can be built"
    )
    columns = ["", ">within 5 %|designs", ">runs|that came", *(f">{b}|% off" for b in budgets)]
    worse, rows = [beaten(runs, i) for i in range(len(budgets))], []
    for spec in dict.fromkeys(run.strategy for run in runs):
        of = [run for run in runs if run.strategy == spec]
        hit = float(np.median([run.hit for run in of]))
        reached = added(math.isfinite(run.hit) for run in of)
        regrets = np.median([run.regrets for run in of], axis=0)
        cpu = 1e3 * added(run.cpu_s for run in of) / added(run.designs for run in of)
        rows.append(
            [
                spec,
                f"{hit:.0f}" if math.isfinite(hit) else f"over {budgets[-1]:,}",
                f"{reached} of {len(of)}",
                *(
                    (f"{100 * r:.3g}" if math.isfinite(r) else "-") + "*" * worse[i][spec]
                    for i, r in enumerate(regrets)
                ),
                f"{cpu:.2f}",
            ]
        )
    output.show(table([*columns, ">CPU|ms each"], rows), "")
