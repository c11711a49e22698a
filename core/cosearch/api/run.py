"""A study from a script: `cosearch.run` and `cosearch.load`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from attrs import frozen

from cosearch.api.console import SafeConsole
from cosearch.api.names import Names, Plugins
from cosearch.api.progress import Display, LiveProgress, Silent
from cosearch.api.rough_start import watching
from cosearch.api.tables import Record, Tabular, without_clashes
from cosearch.errors import CosearchError
from cosearch.machine.hardware import HardwareModel
from cosearch.mapping.mapper import Budget
from cosearch.quantities import counted
from cosearch.registry.registry import Registry
from cosearch.search.strategy import Strategy
from cosearch.store.store import Store
from cosearch.study import codesign
from cosearch.study.building import make_scheme
from cosearch.study.codesign import Session
from cosearch.study.computation import changes
from cosearch.study.study import Study
from cosearch.trials.trial import Trial
from cosearch.typing import Value
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Layer, Network, Workload

STORE = Path("cosearch.db")
"""Where studies are kept, as on the command line."""

TRIALS = 50
"""Designs tried when no budget is named."""


@frozen
class DesignResult:
    """A design that was tried.

    Attributes:
        number: of the trial, from 1; 0 is the baseline.
        configuration: the hardware parameters.
        state: `ok`, `infeasible` or `failed`.
        metrics: `energy_pj`, `cycles`, `area_mm2` and so on of the network, as far as known, and
            each objective by its name.
        reason: why it is not ok.
        fidelity: share of the layers that it was judged by, 1 is all.
    """

    number: int
    configuration: Mapping[str, Value]
    state: str
    metrics: Mapping[str, float]
    reason: str = ""
    fidelity: float = 1.0

    @classmethod
    def of(cls, trial: Trial, study: Study) -> DesignResult:
        """Return a trial of a study as a result."""
        outcome, problem = trial.outcome, study.problem
        losses = zip((o.name for o in problem.objectives), outcome.losses, strict=False)
        return cls(
            trial.number,
            dict(trial.configuration),
            outcome.state.value,
            {**outcome.metrics, **dict(losses)},
            outcome.reason,
            trial.fidelity,
        )

    def record(self) -> Record:
        """Return it as one flat row."""
        facts = {"state": self.state, **self.metrics, "fidelity": self.fidelity}
        return {"number": self.number} | without_clashes(
            {**facts, "reason": self.reason}, self.configuration
        )


@frozen(eq=False, str=False, repr=False)
class StudyResult(Tabular):
    """A study and what it found; nothing of it changes any more.

    Attributes:
        name: in its store.
        designs: all that were tried, in order.
        best: the feasible design of least loss; None where there is none.
        baseline: the hardware model's own design.
        front: the designs that no other dominates, with several objectives.
        status: how it ended, in words.
        note: why it cannot be resumed elsewhere; empty where it can.
        study: the engine's own, with everything.
    """

    name: str
    designs: tuple[DesignResult, ...]
    best: DesignResult | None
    baseline: DesignResult | None
    front: tuple[DesignResult, ...]
    status: str
    note: str
    study: Study
    _registry: Registry

    @classmethod
    def of(cls, study: Study, registry: Registry, note: str = "") -> StudyResult:
        """Return a study as a result."""

        def result(trial: Trial | None) -> DesignResult | None:
            return None if trial is None else DesignResult.of(trial, study)

        return cls(
            study.name,
            tuple(DesignResult.of(trial, study) for trial in study.in_order),
            result(study.best),
            result(study.baseline),
            tuple(DesignResult.of(trial, study) for trial in study.front),
            study.header.note or study.header.status,
            note,
            study,
            registry,
        )

    @property
    def improvement(self) -> dict[str, float]:
        """By objective, how many times better than the baseline the best design is."""
        if self.best is None or self.baseline is None:
            return {}
        names = [o.name for o in self.study.problem.objectives if o.name in self.baseline.metrics]
        return {
            n: self.baseline.metrics[n] / self.best.metrics[n] if self.best.metrics[n] else math.nan
            for n in names
        }

    @property
    def changed(self) -> tuple[str, ...]:
        """What the best design computes otherwise than the baseline, such as narrower words."""
        if self.best is None:
            return ()
        return changes(self.study.problem, self.best.configuration)

    def records(self) -> list[Record]:
        """Return a dict a trial: number, parameters, state, metrics and objectives, reason."""
        return [design.record() for design in self.designs]

    @property
    def title(self) -> str:
        """What was found, in a line."""
        better = ", ".join(f"{ratio:.3g}x {name}" for name, ratio in self.improvement.items())
        found = "no feasible design" if self.best is None else f"best: trial {self.best.number}"
        than = f", {better} against the baseline" if better else ""
        with_ = f" with {', '.join(self.changed)}" if better and self.changed else ""
        designs = counted(len(self.designs), "design")
        return f"{self.name}: {designs}, {found}{than}{with_}; {self.status}"

    def report(self, path: str | Path) -> Path:
        """Write what was found as a file, `page.html` as one page with charts; return its path.

        Raises:
            CosearchError: nothing feasible was found.
            MissingExtraError: plotly is not installed.
        """
        from cosearch.reporting.reporter import reporter_for, write_whole

        page, again = Path(path), self.note or f"cosearch resume {self.name}"
        write_whole(page, reporter_for(page, self._registry).study(self.study, [again]))
        return page


def run(
    workload: str | Network | Layer | Einsum | Workload | type[Workload],
    hardware: str | HardwareModel | type[HardwareModel],
    *,
    strategy: str | type[Strategy] = "bayesian",
    trials: int | None = None,
    evaluations: int | None = None,
    seconds: float | None = None,
    networks: int | None = None,
    store: str | Path | None = None,
    study: str = "",
    workers: int = 1,
    trial_seconds: float | None = None,
    executor: str | None = None,
    registry: Registry | None = None,
    plugins: Plugins = (),
    progress: bool | None = None,
    **settings: Any,  # noqa: ANN401 - checked by StudySpec
) -> StudyResult:
    """Search hardware and mappings together: a machine outside, the best mapping of each layer inside.

    The same call again continues an interrupted study, or returns a finished one: it is kept in
    the store. What has no registered name, such as a class of this script, runs in this process
    and is kept in memory alone.

    Args:
        workload: a name, a path or an einsum; or an object.
        hardware: a name with options or a file; or an object or a class.
        strategy: a name with options; or a class.
        trials: designs to try; 50 if no budget is named.
        evaluations: mappings to price over all designs.
        seconds: wall-clock time at most.
        networks: different networks whose accuracy is asked for, where networks are searched.
        store: the SQLite file; `cosearch.db` if left out.
        study: its name in the store; made from the settings if left out.
        workers: designs evaluated at once; same result.
        trial_seconds: after which a design is given up.
        executor: where designs are evaluated, a name.
        registry: knows the names; loaded if left out.
        plugins: plugin files, or folders of them.
        progress: whether to show a bar; if left out, on a terminal and in a notebook.
        settings: further ones by name, as `StudySpec` lists them.

    Raises:
        CosearchError: what is wrong, and what to do instead.
        KeyboardInterrupt: everything finished is stored.
    """  # noqa: E501 - the first line is the summary
    names = Names.of(registry, plugins)
    given = names.settings({**settings, "strategy": strategy})
    nouns = names.workload(workload), names.hardware(hardware)
    problem = codesign.plan(names.registry, *nouns, **given)
    limits = Budget(trials, evaluations, seconds, networks)
    budget = limits if limits != Budget() else budget_of(names.registry, problem.spec.scheme)
    with kept_in(names, store) as path, Store(path) as opened:
        found = codesign.open_study(opened, names.registry, problem, budget, study)
        with watched(names.registry, show=shown(progress)):
            session = Session(workers, trial_seconds, executor)
            codesign.run(found, opened, names.registry, session)
    return StudyResult.of(found, names.registry, names.passing)


def load(
    name: str,
    *,
    store: str | Path = STORE,
    registry: Registry | None = None,
    plugins: Plugins = (),
) -> StudyResult:
    """Return a stored study as it stands.

    Args:
        name: in the store, as `cosearch studies` lists them.
        store: the SQLite file.
        registry: knows the names; loaded if left out.
        plugins: plugin files, or folders of them.

    Raises:
        UnknownNameError: no study of that name; near ones are suggested.
    """
    known = Names.of(registry, plugins).registry
    with Store(Path(store), write=False) as opened:
        return StudyResult.of(codesign.load_study(opened, known, name), known)


def budget_of(registry: Registry, scheme: str) -> Budget:
    """Return the budget where none is named; an enumeration ends by itself."""
    return Budget(None if make_scheme(scheme, registry).enumerates else TRIALS)


@contextmanager
def kept_in(names: Names, store: str | Path | None) -> Iterator[Path]:
    """Give the file of a store: the one named, or one that is thrown away.

    Raises:
        CosearchError: a store is named, and what is to be kept could not be resumed.
    """
    if names.registry.local and store is not None:
        raise CosearchError(
            f"{store}: {names.passing}", "leave out the store, or use a plugin file"
        )
    if not names.registry.local:
        yield STORE if store is None else Path(store)
        return
    folder = mkdtemp(prefix="cosearch-")
    try:
        yield Path(folder) / STORE
    finally:  # also where a result that reads from it is dropped without being closed
        rmtree(folder, ignore_errors=True)


def shown(progress: bool | None) -> bool:
    """Return whether to show progress: if nobody says, on a terminal and in a notebook."""
    console = SafeConsole(stderr=True)
    return console.is_terminal or console.is_jupyter if progress is None else progress


@contextmanager
def watched(registry: Registry, *, show: bool) -> Iterator[None]:
    """Show a bar while a study runs."""
    display: Display = LiveProgress(SafeConsole(stderr=True)) if show else Silent()
    with watching(registry, display):
        yield
