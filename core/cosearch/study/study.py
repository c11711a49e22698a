"""A study: a stored, resumable, reproducible sequence of trials."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import islice

import numpy as np
from attrs import define, evolve, field

from cosearch.quantities import added
from cosearch.search.objective import pareto_front
from cosearch.store.records import EXHAUSTED, Header
from cosearch.study.judged import DesignKey, Judged
from cosearch.study.problem import Problem
from cosearch.study.pruning import LEFT, gap_of
from cosearch.study.scheme import Findings, Scheme
from cosearch.study.trials import KEPT, InOrder, Trials
from cosearch.trials.fidelity import spent
from cosearch.trials.trial import BASELINE, Ledger, State, Trial

__all__ = ["Study", "Trial"]


@define(eq=False)
class Study:
    """A study and its trials so far; observers read it and change nothing.

    Attributes:
        header: name, settings, budget, how it stands.
        problem: the settings resolved.
        scheme: how hardware and mappings are searched together.
        baseline: the trial of the machine that others are compared with; None until it has ended.
        trials: the strategy's own, by number; while several run at once, there may be gaps.
        notes: what observers did wrong, for the end of the report.
    """

    header: Header
    problem: Problem
    scheme: Scheme = field(factory=Scheme)
    baseline: Trial | None = None
    trials: Trials = field(factory=Trials)
    notes: list[str] = field(factory=list)
    _best: Trial | None = None
    _states: Counter[State] = field(factory=Counter)
    _estimates: Counter[bool] = field(factory=Counter)
    _judged: Judged | None = None
    _rows: int = 0

    def add(self, trial: Trial) -> None:
        """Take in a trial."""
        if self._judged is None:
            self._judged = Judged(self._trial)
        if trial.configuration or not trial.row:  # not what no machine can be made of
            self._judged.add(trial)
        if trial.number == BASELINE:
            self.baseline = trial
            return
        self.trials.add(trial)
        self._rows += trial.rows
        self._states[trial.outcome.state] += 1
        self._estimates[not trial.whole] += 1
        if trial.ok and (self._best is None or _rank(trial) < _rank(self._best)):
            self._best = trial

    def judged(self, design: DesignKey, fidelity: float) -> Trial | None:
        """Return the first trial of a design at a fidelity, the baseline too; None without one."""
        return None if self._judged is None else self._judged.find(design, fidelity)

    def _trial(self, number: int) -> Trial | None:
        return self.baseline if number == BASELINE else self.trials.get(number)

    @property
    def name(self) -> str:
        """Unique in its store."""
        return self.header.name

    @property
    def in_order(self) -> Sequence[Trial]:
        """The strategy's trials in the order of their numbers."""
        return [*self.trials.values()] if self._rows <= KEPT else InOrder(self.trials)

    @property
    def best(self) -> Trial | None:
        """The feasible trial of least loss, the first of equal ones; None where there is none.

        Trials below full fidelity are estimates: they are never best, nearest or on the front.

        With several objectives, the trial on the Pareto front with the least product of losses.
        """
        return self._best

    @property
    def feasible(self) -> list[Trial]:
        """The whole trials that can be built and run within every constraint, in order."""
        return [trial for trial in self.in_order if trial.ok]

    @property
    def nearest(self) -> Trial | None:
        """The infeasible trial that misses by least, for when no trial is feasible.

        One that could be built is nearer than any that could not.
        """
        known = (t for t in self.in_order if t.whole and t.outcome.violation is not None)
        return min(known, key=_distance, default=None)

    @property
    def front(self) -> list[Trial]:
        """The feasible trials that no other dominates, each design once, by the first loss."""
        known = [(t.number, t.outcome.losses) for t in self.in_order if t.ok]
        if not known:
            return []
        keep = pareto_front(np.array([losses for _, losses in known]))
        numbers = [number for (number, _), kept in zip(known, keep, strict=True) if kept]
        trials = {t.design: t for t in (self.trials[number] for number in reversed(numbers))}
        return sorted(trials.values(), key=lambda trial: trial.outcome.losses)

    @property
    def findings(self) -> Findings:
        """What the scheme knows beyond the trials."""
        exhausted = self.header.status == EXHAUSTED
        found = self.scheme.findings(self.problem, self.in_order, exhausted=exhausted)
        if not self.problem.spec.prune or self.best is None:
            return found
        told = self.baseline is not None and self.problem.row_told(self.baseline) is not None
        trials = [*self.in_order, *([self.baseline] if told and self.baseline else [])]
        gap = gap_of(self.problem, trials, self.header.facts.get(LEFT, {}))
        return evolve(found, hardware_gap=gap)

    def count(self, state: State) -> int:
        """Return how many trials ended so."""
        return self._states[state]

    @property
    def spent(self) -> float:
        """Whole trials that the strategy's own come to; see `cosearch.trials.fidelity`."""
        return spent(self.in_order)[-1] if self._estimates[True] else float(len(self.trials))

    def networks(self, trials: int | None = None) -> int:
        """Return how many different networks the first trials met, the strategy's own.

        Args:
            trials: how many; None is all.
        """
        first = islice(self.in_order, trials)
        chosen = (self.problem.network_parameters(t.complete) for t in first)
        return len({tuple(values.items()) for values in chosen if values})

    @property
    def evaluations(self) -> int:
        """Mappings priced for the strategy's trials, nothing counted twice."""
        ledger = Ledger()
        if self.baseline is not None:
            ledger.charge(self.baseline)
        return added(map(ledger.charge, self.in_order))


def _rank(trial: Trial) -> tuple[float, int]:
    return trial.merit, trial.number


def _distance(trial: Trial) -> tuple[bool, float]:
    return not trial.outcome.accelerator, trial.outcome.violation or math.inf
