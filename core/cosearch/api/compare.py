"""A comparison from a script: `cosearch.compare`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from attrs import asdict, frozen
from rich.progress import Progress

from cosearch.api.console import SafeConsole
from cosearch.api.names import Names, Plugins
from cosearch.api.run import TRIALS, kept_in, shown
from cosearch.api.tables import Record, Tabular
from cosearch.compare.contest import Contest
from cosearch.compare.fronts import judged
from cosearch.compare.outcome import Result, collect
from cosearch.compare.running import run_all
from cosearch.compare.scores import Standing, standing
from cosearch.mapping.mapper import Budget
from cosearch.quantities import counted
from cosearch.registry.registry import Registry
from cosearch.search.strategy import Strategy
from cosearch.store.store import Store


@frozen(eq=False, str=False, repr=False)
class Comparison(Tabular):
    """Strategies head to head.

    Attributes:
        standing: the scores, best rank first, and every two contenders against each other.
        result: every run.
        note: why it cannot be gone on with elsewhere; empty where it can.
    """

    standing: Standing
    result: Result
    note: str
    _store: Path
    _registry: Registry
    _open: ExitStack

    def records(self) -> list[Record]:
        """Return a dict a contender: its scores, see `Score`."""
        return [asdict(score) for score in self.standing.scores]

    @property
    def title(self) -> str:
        """What was compared, in a line."""
        contest = self.result.contest
        cases = " and ".join(str(case) for case in contest.cases)
        runs = counted(contest.seeds, "run")
        return f"{' against '.join(contest.strategies)} on {cases}, {runs} of each"

    def report(self, path: str | Path) -> Path:
        """Write the comparison as a file, `page.html` as one page with charts; return its path.

        Raises:
            MissingExtraError: plotly is not installed.
        """
        from cosearch.api.compare_report import write_report

        page, again = Path(path), self.note or "cosearch.compare(...) with the same arguments"
        write_report(page, self.result, self.standing, None, self._store, self._registry, again)
        return page


def compare(
    workloads: object,
    hardware: object,
    *,
    strategies: Iterable[str | type[Strategy]],
    seeds: int = 10,
    trials: int | None = None,
    evaluations: int | None = None,
    seconds: float | None = None,
    store: str | Path | None = None,
    workers: int = 1,
    registry: Registry | None = None,
    plugins: Plugins = (),
    progress: bool | None = None,
    **settings: Any,  # noqa: ANN401 - checked by StudySpec
) -> Comparison:
    """Compare strategies head to head: same problems, same budget, several seeds each.

    Every run is a study in the store; the same call again runs nothing twice. What has no
    registered name runs in this process and is kept in memory alone.

    Args:
        workloads: one, as for `run`, or a list of them.
        hardware: one, as for `run`, or a list of them.
        strategies: two or more contenders, names with options or classes.
        seeds: runs of each contender on each pair, with the seeds 0, 1, ...
        trials: designs of each run; 50 if no budget is named.
        evaluations: mappings priced in each run.
        seconds: wall-clock time of each run; the result then depends on the machine.
        store: the SQLite file; `cosearch.db` if left out.
        workers: runs at once, each in a process; same result.
        registry: knows the names; loaded if left out.
        plugins: plugin files, or folders of them.
        progress: whether to show a bar; if left out, on a terminal and in a notebook.
        settings: of every run, by name, as `StudySpec` lists them.

    Raises:
        CosearchError: what is wrong, and what to do instead.
    """
    names = Names.of(registry, plugins)
    limits = (trials, evaluations, seconds)
    budget = Budget(TRIALS) if limits == (None, None, None) else Budget(*limits)
    contest = Contest(
        [names.name("strategies", thing) for thing in strategies],
        [names.hardware(thing) for thing in _several(hardware)],
        [names.workload(thing) for thing in _several(workloads)],
        seeds,
        budget,
        names.settings(settings),
    )
    runs = list(contest.runs(names.registry))
    with ExitStack() as stack:
        path = stack.enter_context(kept_in(names, store))
        console = SafeConsole(stderr=True)
        with Progress(console=console, transient=True, disable=not shown(progress)) as bar:
            task = bar.add_task("runs", total=len(runs))
            run_all(runs, budget, path, names.registry, workers, lambda _: bar.advance(task))
        with Store(path, write=False) as opened:
            result = judged(collect(contest, runs, opened))
        return Comparison(
            standing(result), result, names.passing, path, names.registry, stack.pop_all()
        )


def _several(given: object) -> list[object]:
    return list(given) if isinstance(given, list | tuple) else [given]
