"""The loop: a strategy proposes machines, an executor evaluates them, the store keeps them.

A study is resumed by playing it again: the strategy is asked and told exactly as before, only that
trials which the store has are not evaluated anew. So there is one path through this module,
interrupted or not, and no state of a strategy to save.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np
from attrs import evolve

from cosearch.errors import PluginError
from cosearch.quantities import counted
from cosearch.search.strategy import MultiFidelity, Strategy
from cosearch.store.records import EXHAUSTED, FINISHED, INTERRUPTED, RUNNING
from cosearch.store.store import Store
from cosearch.study.dialogue import OUTSIDE, Asked, Dialogue
from cosearch.study.ending import Ending
from cosearch.study.events import Events
from cosearch.study.executor import Design, Executor
from cosearch.study.handing import evaluated
from cosearch.study.pruned_study import PrunedStudy
from cosearch.study.pruning import DesignFloors
from cosearch.study.study import Study
from cosearch.study.warm_start import Known
from cosearch.trials.fidelity import ROUNDING, WHOLE, Bill, attained, spent, spoken_for
from cosearch.trials.trial import BASELINE, Ledger, Outcome, State, Trial

_WAITING = Outcome(State.FAILED, "not evaluated")

AHEAD = 1024
"""Trials evaluated without waiting for one another, where the strategy learns from none of them."""

HELD_SECONDS = 0.05
"""Trials that took less than this together are committed together, so that trials of next to no
work are not held up by the disk; it is what a kill may lose of trials that have ended."""


class Search:
    """One session of a study.

    Args:
        study: what there is so far; trials are added to it.
        store: where each trial is committed.
        strategy: not asked yet.
        executor: evaluates designs.
        events: tells observers.
        known: another study's trials, told after the baseline; nothing is charged for them.
        floors: by which designs leave the strategy's space; None where the study is not pruned.
    """

    def __init__(
        self,
        study: Study,
        store: Store,
        strategy: Strategy,
        executor: Executor,
        events: Events,
        known: Known | None = None,
        floors: DesignFloors | None = None,
    ) -> None:
        self.study, self.store, self.strategy = study, store, strategy
        self.executor, self.events, self._known = executor, events, known
        self._dialogue = Dialogue(strategy, study.problem)
        self._pruning = None if floors is None else PrunedStudy(study, store, floors)
        self._ledger, self._evaluations = Ledger(), 0
        self._multi_fidelity = isinstance(strategy, MultiFidelity)
        self._bill = Bill(stepwise=self._multi_fidelity)
        self._before, self._started = study.header.seconds, time.monotonic()
        if (limit := study.header.budget.seconds) is not None:
            executor.until = self._started + limit - self._before
        self._fresh: set[int] = set()
        self._next = 1
        self._held: list[Trial] = []
        self._held_seconds = 0.0
        self._dry = False  # the strategy has found nothing more: it is not asked again
        self._best = math.inf  # of the batches told: the same however a batch was interrupted

    def run(self) -> None:
        """Search until the budget is spent; an interruption is stored and raised again."""
        self._end(Ending(RUNNING, ""))
        self.events.started(self.study)
        ending = Ending(INTERRUPTED, "stopped by an error")
        try:
            self._evaluate_baseline()
            self._dialogue.tell_baseline(self.study.baseline)
            self._dialogue.tell_known(self._known)
            if self._pruning is not None:
                self._pruning.begin()
            ending = self._search()
            if self._pruning is not None:
                ending = self._pruning.end(ending, hurried=self._late)
        except KeyboardInterrupt:
            ending = Ending(INTERRUPTED, "stopped by Ctrl-C or a signal")
            raise
        finally:
            try:
                self._end(ending)
            finally:
                self.events.finished(self.study)

    @property
    def seconds(self) -> float:
        """Wall-clock time over all sessions."""
        return self._before + time.monotonic() - self._started

    def _end(self, ending: Ending) -> None:
        try:
            self._store_held()
        finally:  # an observer, or a full disk, leaves no study that seems to run
            self._write(ending)

    def _write(self, ending: Ending) -> None:
        self.study.header = evolve(
            self.study.header, status=ending.status, note=ending.note, seconds=self.seconds
        )
        self.store.update(self.study.header)
        if ending.status != RUNNING and self.study.trials:
            study, best = self.study, self.study.best
            facts = {
                "trials": len(study.trials),
                "spent": study.spent,
                "best": None if best is None else best.number,
                "losses": () if best is None else best.outcome.losses,
            }
            self.store.summarize(study.name, study.trials.last, facts)

    def _search(self) -> Ending:
        number = 0
        think = 0.0
        while True:
            ending = self._over(number)
            if ending is not None:
                return ending
            batches = [] if self._dry else list(self._asked(number, think))
            if not batches:
                return Ending(EXHAUSTED, f"{self.strategy.when_exhausted} after {number}")
            proposed = [trial for _, batch in batches for trial in batch]
            self._evaluate(proposed)
            done = sum(trial.number in self.study.trials for trial in proposed)
            if done < len(proposed):  # the budget ends in it: the strategy is not told
                return self._over(number + done, cut=True) or self._out_of_time
            number, think = number + len(proposed), 0.0
            for asked, batch in batches:
                think += self._told(asked, [self.study.trials[t.number] for t in batch])

    def _asked(self, number: int, think: float) -> Iterator[tuple[Asked, list[Trial]]]:
        """Yield a batch; more, where none hangs on what comes of another, so that workers go on.

        They go on soon: a strategy that thinks for longer is asked for less ahead, for the same.

        Args:
            number: of trials before it.
            think: seconds that the strategy thought since the last batch.
        """
        limit = self.study.header.budget.trials
        room = AHEAD if limit is None else min(AHEAD, math.ceil(limit - self._bill.total))
        more, begun = True, time.perf_counter()
        while more:
            more = self._blind and self._dialogue.asks_the_strategy
            started = time.perf_counter()
            asked = self._dialogue.ask()
            think += time.perf_counter() - started
            if self._pruning is not None:
                self._pruning.keep()
            if len(asked.rows) == 0:
                self._dry = True
                return
            yield asked, self._batch(number, asked, think)
            number, room, think = number + len(asked.rows), room - len(asked.rows), 0.0
            soon = time.perf_counter() - begun < HELD_SECONDS and not self._late
            more = more and soon and room > 0

    @property
    def _blind(self) -> bool:
        """Whether what is proposed, and when the study ends, hangs on nothing that is found out."""
        budget = self.study.header.budget
        ends_by_findings = budget.evaluations is not None or budget.networks is not None
        prunes = self._pruning is not None or self.study.problem.spec.bound
        return self.strategy.blind and not ends_by_findings and not prunes

    def _told(self, asked: Asked, done: Sequence[Trial]) -> float:
        """Charge a batch and tell the strategy of it; return the seconds it thought."""
        for trial in done:
            self._bill.charge(trial)
            if self.study.header.budget.evaluations is not None:
                self._evaluations += self._ledger.charge(trial)
            if trial.outcome.ok and trial.fidelity == WHOLE:
                self._best = min(self._best, trial.outcome.losses[0])
        if self._pruning is not None:
            self._pruning.learn(done)
        started = time.perf_counter()
        self._dialogue.tell(asked, done)
        return time.perf_counter() - started

    def _over(self, number: int, *, cut: bool = False) -> Ending | None:
        """Return the ending when the budget leaves nothing to do after so many trials.

        Args:
            number: of trials that have ended.
            cut: whether the last batch was cut short.
        """
        budget = self.study.header.budget
        if budget.trials is not None and self._no_room(budget.trials, cut=cut):
            worth = float(number)
            if self._multi_fidelity and number:
                worth = spent(self.study.in_order[:number])[-1]
            return Ending(FINISHED, _done(number, worth, budget.trials))
        if budget.evaluations is not None and self._evaluations >= budget.evaluations:
            return Ending(FINISHED, _are(self._evaluations, "evaluation", "done"))
        if budget.networks is not None and self.study.networks(number) >= budget.networks:
            return Ending(FINISHED, _are(self.study.networks(number), "network", "known"))
        return self._out_of_time if number + 1 not in self.study.trials and self._late else None

    def _no_room(self, limit: int, *, cut: bool) -> bool:
        """Return whether no trial more is begun; a batch is cut by this limit or by the time."""
        if cut and not self._late:
            return True
        return (self.study.spent if cut else self._bill.total) >= limit - ROUNDING

    @property
    def _out_of_time(self) -> Ending:
        return Ending(FINISHED, f"{self.study.header.budget.seconds:g} seconds are over")

    @property
    def _late(self) -> bool:
        limit = self.study.header.budget.seconds
        return limit is not None and self.seconds >= limit

    def _batch(self, number: int, asked: Asked, think_seconds: float) -> list[Trial]:
        """Return trials to be evaluated, those after the given number."""
        share = think_seconds / len(asked.rows)
        return [
            self._proposed(number + i, row, float(level), share)
            for i, (row, level) in enumerate(zip(asked.rows, asked.fidelity, strict=True), 1)
        ]

    def _proposed(
        self, number: int, row: np.ndarray, fidelity: float, think_seconds: float
    ) -> Trial:
        """Return a trial to be evaluated; the stored one must be of the same row and fidelity."""
        problem = self.study.problem
        space = problem.space
        point = tuple(row.tolist())
        stored = self.study.trials.get(number)
        if stored is not None and stored.row == point and stored.fidelity == fidelity == WHOLE:
            return stored
        inside = bool(((row >= 0) & (row < space.cardinalities)).all())
        configuration = space.decode(row) if inside else {}
        if fidelity < WHOLE:
            fidelity = attained(problem.network_of(configuration), fidelity)
        if stored is not None and (stored.row != point or stored.fidelity not in (fidelity, WHOLE)):
            raise PluginError(
                f"the strategy {self.study.problem.spec.strategy!r} proposes another trial "
                f"{number} than the stored one: it, or the machine's space, has changed since",
                "start a new study: --study NAME",
            )
        if not inside:
            return Trial(number, point, {}, OUTSIDE, think_seconds)
        return Trial(number, point, configuration, _WAITING, think_seconds, fidelity)

    def _evaluate_baseline(self) -> None:
        if self.study.baseline is None:
            configuration = self.study.problem.baseline
            trial = Trial(BASELINE, (), configuration, _WAITING)
            design = Design(BASELINE, configuration)
            for _, outcome in evaluated(self.executor, [design], self.study.notes):
                self._commit(evolve(trial, outcome=outcome))
            self._store_held()
        if self.study.baseline is not None:
            self._ledger.charge(self.study.baseline)

    def _evaluate(self, batch: Sequence[Trial]) -> None:
        """Commit an outcome for each trial of a batch that the budget has room for."""
        while begun := [t for t in self._fitting(batch) if t.number not in self.study.trials]:
            self._evaluate_all(begun)
            if self._late:
                return

    def _fitting(self, batch: Sequence[Trial]) -> list[Trial]:
        """Return the first trials of a batch, which the budget has room for whatever they cost.

        What a trial costs that is judged cheaply is known when it has ended: a design refused
        outright costs a whole one.
        """
        limit = self.study.header.budget.trials
        if limit is None:
            return list(batch)
        if not self._multi_fidelity:  # each costs one
            return list(batch[: max(0, math.floor(limit + ROUNDING - self._bill.total))])
        bill, fitting = Bill(self._bill), []
        for trial in batch:
            if bill.total + bill.price(trial, trial.fidelity) > limit + ROUNDING:
                break
            fitting.append(trial)
            ended = self.study.trials.get(trial.number)
            bill.charge(trial, WHOLE if ended is None else ended.fidelity)
        return fitting

    def _evaluate_all(self, trials: Sequence[Trial]) -> None:
        """Commit trials, each design once evaluated at each fidelity, while there is time."""
        for trial in trials:
            if trial.outcome is not _WAITING:
                self._commit(trial)
        waiting = [trial for trial in trials if trial.outcome is _WAITING]
        new: dict[object, Trial] = {}
        for trial in waiting:
            if self._answer(trial) is None:
                new.setdefault((trial.design, trial.fidelity), trial)
        self._run({trial.number: trial for trial in new.values()})
        self._store_held()
        for trial in waiting:
            known = self._answer(trial)
            if trial.number not in self.study.trials and known is not None:
                self._commit(known.repeated(trial.number, trial.row, trial.think_seconds))
        self._store_held()

    def _answer(self, trial: Trial) -> Trial | None:
        """Return what is known of a design at a fidelity; refused outright, it is at every one."""
        whole = self.study.judged(trial.design, WHOLE)
        refused = whole is not None and "energy_pj" not in whole.outcome.metrics
        return whole if refused else self.study.judged(trial.design, trial.fidelity)

    def _run(self, trials: dict[int, Trial]) -> None:
        if not trials or self._late:
            return
        best = self._best if self.study.problem.spec.bound else math.inf
        designs = [Design(t.number, t.configuration, t.fidelity, best) for t in trials.values()]
        with closing(evaluated(self.executor, designs, self.study.notes)) as outcomes:
            for design, outcome in outcomes:
                trial = trials.pop(design.number)
                reached = spoken_for(trial.fidelity, outcome)
                point, thought = trial.row, trial.think_seconds
                done = Trial(trial.number, point, trial.configuration, outcome, thought, reached)
                self._commit(done)
                if self._late:
                    return

    def _commit(self, trial: Trial) -> None:
        """Take in a trial that has ended, to be stored with others that are as short."""
        self._held.append(trial)
        self._held_seconds += trial.outcome.seconds
        if self._held_seconds >= HELD_SECONDS:
            self._store_held()

    def _store_held(self) -> None:
        """Store the trials that have ended; only then are they part of the study and announced."""
        if not self._held:
            return
        trials, self._held, self._held_seconds = self._held, [], 0.0
        seconds = self.seconds
        self.store.add_all(self.study.name, [(t, self._purpose(t)) for t in trials], seconds)
        self.study.header = evolve(self.study.header, seconds=seconds)
        for trial in trials:
            self.study.add(trial)
            self._fresh.add(trial.number)
            self._announce()

    def _purpose(self, trial: Trial) -> str:
        """Return what a trial's mappings are remembered by; empty where they are not."""
        found = trial.outcome.layers or trial.outcome.unmapped
        if not self.executor.task.cached or not found:
            return ""
        return self.study.problem.for_design(trial.configuration).task.remembered_by()

    def _announce(self) -> None:
        """Tell observers of new trials in the order of their numbers."""
        while self._next in self.study.trials:
            if self._next in self._fresh:
                self._fresh.remove(self._next)
                self.events.trial_finished(self.study, self.study.trials[self._next])
            self._next += 1


def _done(n: int, worth: float, limit: int) -> str:
    """Return `50 trials are done`, or how many whole ones they were worth."""
    if abs(worth - n) <= ROUNDING:
        return _are(n, "trial", "done")
    return f"{_are(n, 'trial', 'done')}, worth {worth:.1f} of {limit} whole ones"


def _are(number: int, one: str, what: str) -> str:
    return f"{counted(number, one)} {'is' if number == 1 else 'are'} {what}"
