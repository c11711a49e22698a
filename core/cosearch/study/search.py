"""The loop: a strategy proposes machines, an executor evaluates them, the store keeps them.

A study is resumed by playing it again: the strategy is asked and told exactly as before, only that
trials which the store has are not evaluated anew. So there is one path through this module,
interrupted or not, and no state of a strategy to save.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing

import numpy as np
from attrs import evolve, frozen

from cosearch.errors import CosearchError, PluginError
from cosearch.mapping.search import asked_rows
from cosearch.store.records import EXHAUSTED, FINISHED, INTERRUPTED, RUNNING
from cosearch.store.store import Store
from cosearch.strategy import Strategy
from cosearch.study.events import Events
from cosearch.study.executor import Design, Executor
from cosearch.study.problem import broken
from cosearch.study.study import Study
from cosearch.study.transfer import Known
from cosearch.study.trial import BASELINE, Ledger, Outcome, State, Trial

_WAITING = Outcome(State.FAILED, "not evaluated")

_OUTSIDE = Outcome.failed("the strategy proposed a row outside the space")


@frozen
class Ending:
    """How a search ended.

    Attributes:
        status: as in the study's header.
        note: why, in words.
    """

    status: str
    note: str


class Search:
    """One session of a study.

    Args:
        study: what there is so far; trials are added to it.
        store: where each trial is committed.
        strategy: not asked yet.
        executor: evaluates designs.
        events: tells observers.
        known: another study's trials, told after the baseline; nothing is charged for them.
    """

    def __init__(
        self,
        study: Study,
        store: Store,
        strategy: Strategy,
        executor: Executor,
        events: Events,
        known: Known | None = None,
    ) -> None:
        self.study, self.store, self.strategy = study, store, strategy
        self.executor, self.events, self._known = executor, events, known
        self._ledger, self._spent = Ledger(), 0
        self._before, self._started = study.header.seconds, time.monotonic()
        self._fresh: set[int] = set()
        self._next = 1
        self._designs = {t.design: t for t in reversed(study.in_order) if t.outcome != _OUTSIDE}

    def run(self) -> None:
        """Search until the budget is spent; an interruption is stored and raised again."""
        self._end(Ending(RUNNING, ""))
        self.events.started(self.study)
        ending = Ending(INTERRUPTED, "stopped by an error")
        try:
            self._evaluate_baseline()
            self._tell_baseline()
            self._tell_known()
            ending = self._search()
        except KeyboardInterrupt:
            ending = Ending(INTERRUPTED, "stopped by Ctrl-C or a signal")
            raise
        finally:
            self._end(ending)
            self.events.finished(self.study)

    @property
    def seconds(self) -> float:
        """Wall-clock time over all sessions."""
        return self._before + time.monotonic() - self._started

    def _end(self, ending: Ending) -> None:
        self.study.header = evolve(
            self.study.header, status=ending.status, note=ending.note, seconds=self.seconds
        )
        self.store.update(self.study.header)

    def _search(self) -> Ending:
        number = 0
        think = 0.0
        while True:
            ending = self._over(number)
            if ending is not None:
                return ending
            started = time.perf_counter()
            rows = self._ask()
            think += time.perf_counter() - started
            if len(rows) == 0:
                return Ending(EXHAUSTED, f"{self.strategy.when_exhausted} after {number}")
            batch = [
                self._proposed(number + 1 + i, row, think / len(rows)) for i, row in enumerate(rows)
            ]
            self._evaluate(batch)
            trials = [self.study.trials.get(trial.number) for trial in batch]
            done = [trial for trial in trials if trial is not None]
            if len(done) == len(batch):
                number += len(batch)
                think = self._tell(rows, done)
                self._spent += sum(map(self._ledger.charge, done))
            else:  # the budget ends inside a batch, of which the strategy is then not told
                return self._over(number + len(done)) or Ending(FINISHED, "the time is over")

    def _over(self, number: int) -> Ending | None:
        """Return the ending when the budget leaves nothing to do after so many trials."""
        budget = self.study.header.budget
        if budget.trials is not None and number >= budget.trials:
            return Ending(FINISHED, f"{budget.trials} trials are done")
        if budget.evaluations is not None and self._spent >= budget.evaluations:
            return Ending(FINISHED, f"{self._spent} evaluations are done")
        if number + 1 not in self.study.trials and self._late:
            return Ending(FINISHED, f"{budget.seconds:g} seconds are over")
        return None

    @property
    def _late(self) -> bool:
        limit = self.study.header.budget.seconds
        return limit is not None and self.seconds >= limit

    def _ask(self) -> np.ndarray:
        spec, space = self.study.problem.spec, self.study.problem.space
        try:
            return asked_rows(self.strategy, spec.batch, space, spec.strategy)
        except CosearchError:
            raise
        except Exception as error:
            raise broken("strategy", spec.strategy, "ask", error) from error

    def _tell(self, rows: np.ndarray, trials: Sequence[Trial]) -> float:
        """Tell the strategy; return the seconds it thought."""
        m = len(self.study.problem.objectives)
        inside = [i for i, trial in enumerate(trials) if trial.outcome != _OUTSIDE]
        losses = np.array([_told(trials[i].outcome, m) for i in inside]).reshape(-1, m)
        feasible = np.array([trials[i].ok for i in inside], dtype=bool)
        started = time.perf_counter()
        try:
            self.strategy.tell(rows[inside], losses, feasible)
        except CosearchError:
            raise
        except Exception as error:
            raise broken("strategy", self.study.problem.spec.strategy, "tell", error) from error
        return time.perf_counter() - started

    def _tell_baseline(self) -> None:
        """Let the strategy start from the baseline, where that is in its space."""
        problem, baseline = self.study.problem, self.study.baseline
        if not problem.spec.warm or baseline is None or not baseline.ok:
            return
        try:
            row = problem.space.index(baseline.configuration)
        except (CosearchError, ValueError):
            return  # a fixed parameter, or a value that is no choice, sets them apart
        if problem.space.feasible(row[None, :])[0]:
            self._tell(row[None, :], [baseline])

    def _tell_known(self) -> None:
        if self._known is None or len(self._known.rows) == 0:
            return
        try:
            self._known.tell(self.strategy)
        except CosearchError:
            raise
        except Exception as error:
            raise broken("strategy", self.study.problem.spec.strategy, "tell", error) from error

    def _proposed(self, number: int, row: np.ndarray, think_seconds: float) -> Trial:
        """Return a trial to be evaluated; the stored one must be of the same row."""
        space = self.study.problem.space
        point = tuple(int(i) for i in row)
        stored = self.study.trials.get(number)
        if stored is not None and stored.row != point:
            raise PluginError(
                f"the strategy {self.study.problem.spec.strategy!r} proposes another trial "
                f"{number} than the stored one: it, or the machine's space, has changed since",
                "start a new study: --study NAME",
            )
        if ((row < 0) | (row >= space.cardinalities)).any():
            return Trial(number, point, {}, _OUTSIDE, think_seconds)
        return Trial(number, point, space.decode(row), _WAITING, think_seconds)

    def _evaluate_baseline(self) -> None:
        if self.study.baseline is None:
            baseline = self.study.problem.hardware.baseline
            configuration = self.study.problem.hardware.space.complete(baseline)
            trial = Trial(BASELINE, (), configuration, _WAITING)
            for _, outcome in self.executor.run([Design(BASELINE, configuration)]):
                self._commit(evolve(trial, outcome=outcome))
        if self.study.baseline is not None:
            self._ledger.charge(self.study.baseline)
            self._designs.setdefault(self.study.baseline.design, self.study.baseline)

    def _evaluate(self, batch: Sequence[Trial]) -> None:
        """Commit an outcome for each trial of a batch that the budget has room for."""
        limit = self.study.header.budget.trials
        open_trials = [
            trial
            for trial in batch
            if trial.number not in self.study.trials and (limit is None or trial.number <= limit)
        ]
        for trial in open_trials:
            if trial.outcome is not _WAITING:
                self._commit(trial)
        new: dict[object, Trial] = {}
        for trial in open_trials:
            if trial.outcome is _WAITING and trial.design not in self._designs:
                new.setdefault(trial.design, trial)
        self._run({trial.number: trial for trial in new.values()})
        for trial in open_trials:
            known = self._designs.get(trial.design)
            if trial.number not in self.study.trials and known is not None:
                self._commit(known.repeated(trial.number, trial.row, trial.think_seconds))

    def _run(self, trials: dict[int, Trial]) -> None:
        if not trials or self._late:
            return
        designs = [Design(number, trial.configuration) for number, trial in trials.items()]
        with closing(self.executor.run(designs)) as outcomes:
            for design, outcome in outcomes:
                self._commit(evolve(trials.pop(design.number), outcome=outcome))
                if self._late:
                    return
        if trials:
            raise PluginError(f"the executor gave no outcome for trials {sorted(trials)}")

    def _commit(self, trial: Trial) -> None:
        self.store.add(self.study.name, trial, self.study.problem.cache_purpose, self.seconds)
        self.study.header = evolve(self.study.header, seconds=self.seconds)
        self.study.add(trial)
        if trial.outcome is not _OUTSIDE:
            self._designs.setdefault(trial.design, trial)
        self._fresh.add(trial.number)
        self._announce()

    def _announce(self) -> None:
        """Tell observers of new trials in the order of their numbers."""
        while self._next in self.study.trials:
            if self._next in self._fresh:
                self.events.trial_finished(self.study, self.study.trials[self._next])
            self._next += 1


def _told(outcome: Outcome, m: int) -> list[float]:
    """Return what a strategy hears of an outcome: m losses, or m times by how much it misses."""
    if outcome.ok:
        return list(outcome.losses)
    return [np.inf if outcome.violation is None else outcome.violation] * m
