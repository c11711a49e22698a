"""`cosearch bench-optimizers`: any strategy on complete tables, where the optimum is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from attrs import asdict, evolve, frozen

from cosearch.cli.options import JsonOption
from cosearch.cli.output import Output, table
from cosearch.cli.session import SEARCH, Session, session_of
from cosearch.errors import CosearchError
from cosearch.quantities import added

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from cosearch.registry.registry import Named, Registry
    from cosearch.search.strategy import Strategy
    from cosearch.typing import FloatArray
    from cosearch_plugins.bench.kept import Kept
    from cosearch_plugins.bench.races import Race
    from cosearch_plugins.bench.tables import AnyTask, Table

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
    runs: Annotated[
        Path | None,
        typer.Option(
            "--runs",
            metavar="FILE",
            show_default=False,
            help="Keep races here, a line each, and run none again; without -s show what it holds. "
            "They are told by table, contender and seed, not by code: delete FILE after a change.",
        ),
    ] = None,
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
        cosearch bench-optimizers -s bayesian -s ppo --runs races.jsonl
    """
    from cosearch_plugins.bench.kept import Kept

    session, kept, budgets = session_of(ctx), Kept(runs), _budgets(trials)
    if runs is not None and not strategy and not runs.exists():
        raise CosearchError(f"there is no file {runs}", "name contenders to make it: -s NAME")
    specs = list(dict.fromkeys(strategy or (() if runs else STRATEGIES)))
    races = _Races(session, specs, range(seeds), budgets, kept)
    try:
        found = races.on(_tasks(task or [], tables), tables, check=check)
    except KeyboardInterrupt:
        if runs is not None:
            session.output.note(f"stopped; races that ended are in {runs}: the same again goes on")
        raise
    if json:
        session.output.json([asdict(run) for _, of in found for run in of])
        return
    for land, of in found:
        _show(session.output, land, of, budgets)


def _budgets(trials: int) -> tuple[int, ...]:
    from cosearch_plugins.bench.races import BUDGETS

    return (*(budget for budget in BUDGETS if budget < trials), trials)


def _tasks(names: Sequence[str], folder: Path | None) -> list[AnyTask]:
    """Return what is raced on: the named tasks, or those whose tables are there or can be made."""
    from cosearch_plugins.bench.tables import file_of
    from cosearch_plugins.bench.tasks import tasks_of

    return [task for task in tasks_of(names) if names or folder or file_of(task).exists()]


@frozen
class _Races:
    """Who races, and how far.

    Attributes:
        session, specs, seeds, budgets: contenders as they are named; none to show what is kept.
        kept: races that need not be run again.
    """

    session: Session
    specs: Sequence[str]
    seeds: Sequence[int]
    budgets: Sequence[int]
    kept: Kept

    def on(
        self, tasks: Sequence[AnyTask], folder: Path | None, *, check: bool
    ) -> list[tuple[Table, list[Race]]]:
        """Make or read the tables, and run every contender on each from every seed it takes."""
        from rich.progress import Progress

        from cosearch_plugins.bench.kept import at

        contenders = [_contender(spec, self.session.registry) for spec in self.specs]
        found = []
        with Progress(console=self.session.output.errors, transient=True) as shown:
            bar = shown.add_task("", total=None)
            for task in tasks:
                land = self._table(task, folder, shown, bar, check=check)
                self._tell_of_others(land)
                if not contenders:
                    found.append((land, [at(r, self.budgets) for r in self.kept.of(land.digest)]))
                    continue
                able = self._able(contenders, land)
                todo = [(*contender, seed) for contender in able for seed in self.seeds]
                shown.update(bar, description=f"races on {task.name}", completed=0, total=len(todo))
                runs = []
                for each in todo:
                    runs.append(self._race(land, *each))
                    shown.advance(bar)
                found.append((land, runs))
        return found

    def _tell_of_others(self, land: Table) -> None:
        """Say that races are kept which today's table does not hold for."""
        name = land.task.name
        if others := self.kept.elsewhere(name, land.digest):
            said = "1 race is" if others == 1 else f"{others} races are"
            self.session.output.note(f"{said} of another table of {name}, and left out")

    def _table(
        self, task: AnyTask, folder: Path | None, shown: Progress, bar: TaskID, *, check: bool
    ) -> Table:
        from cosearch_plugins.bench.tables import disagreements, table_of

        def progress(done: int, total: int) -> None:
            shown.update(bar, completed=done, total=total)

        shown.update(bar, description=f"table of {task.name}", completed=0, total=None)
        land = table_of(task, self.session.registry, folder, progress)
        if check and (wrong := disagreements(land, self.session.registry)):
            raise CosearchError("; ".join(wrong), "make the tables anew: --tables DIR")
        return land

    def _able(
        self, contenders: Sequence[tuple[Named[Strategy], str]], land: Table
    ) -> list[tuple[Named[Strategy], str]]:
        """Return the contenders that take as many objectives as a table has."""
        if land.front.shape[1] == 1:
            return list(contenders)
        able = [c for c in contenders if _takes_several(c[0], land)]
        for named, pruned in contenders:
            if (named, pruned) not in able:
                self.session.output.note(
                    f"{named.spec}{pruned} takes one objective: not raced on {land.task.name}"
                )
        return able

    def _race(self, land: Table, named: Named[Strategy], pruned: str, seed: int) -> Race:
        from cosearch_plugins.bench.races import race
        from cosearch_plugins.bench.tables import floors_of

        name = named.spec + pruned
        if known := self.kept.find(land.digest, name, seed, self.budgets):
            return known
        floors = floors_of(land, pruned)
        run = race(land.task.name, land, named, seed, self.budgets, floors=floors)
        run = evolve(run, strategy=name)
        self.kept.add(land.digest, run)
        return run


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
    if not runs:
        output.show("no races", "")
        return
    for spec in dict.fromkeys(run.strategy for run in runs):
        of = [run for run in runs if run.strategy == spec]
        hit = float(np.median([run.hit for run in of]))
        reached = added(math.isfinite(run.hit) for run in of)
        regrets = np.median([run.regrets for run in of], axis=0)
        cpu = 1e3 * added(run.cpu_s for run in of) / added(run.designs for run in of)
        rows.append(
            [
                spec,
                f"{hit:.0f}" if math.isfinite(hit) else f"over {_furthest(regrets, budgets):,}",
                f"{reached} of {len(of)}",
                *(
                    (f"{100 * r:.3g}" if math.isfinite(r) else "-") + "*" * worse[i][spec]
                    for i, r in enumerate(regrets)
                ),
                f"{cpu:.2f}",
            ]
        )
    output.show(table([*columns, ">CPU|ms each"], rows), "")


def _furthest(regrets: FloatArray, budgets: Sequence[int]) -> int:
    """Return the last budget that runs of these regrets, NaN where not run so far, came to."""
    return max((b for b, r in zip(budgets, regrets, strict=True) if not math.isnan(r)), default=0)
