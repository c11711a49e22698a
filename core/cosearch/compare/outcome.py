"""What each run came to: losses in the order of trials, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from cosearch.compare.contest import Case, Contest, Run
from cosearch.quantities import added
from cosearch.store.store import Store
from cosearch.trials.fidelity import by_whole_trial
from cosearch.trials.trial import BASELINE, Ledger, Trial
from cosearch.typing import FloatArray, IntArray


@frozen(eq=False)
class Found:
    """The feasible designs of a run.

    Attributes:
        losses: float64[k, m], one column an objective.
        numbers: int64[k], of their trials.
        at: int64[k], the whole trial, from 0, with which each was known.
    """

    losses: FloatArray
    numbers: IntArray
    at: IntArray


@frozen(eq=False)
class RunOutcome:
    """One finished run.

    A trial is a whole one: of a strategy that judges cheaply first, the judgements that come to one
    (`cosearch.trials.fidelity`), so that every contender is given equally many.

    Attributes:
        run: which.
        losses: float64[trials] in order, infinite where not feasible. With several objectives, one
            over the share of the case's box that the designs so far dominate, see `fronts`.
        evaluations: int64[trials], mappings priced up to and with each trial.
        designs: different designs tried.
        infeasible: trials that could not be built or run, or broke a constraint.
        think_seconds: spent by the strategy.
        evaluate_seconds: what the searches of its designs' mappings took, each result once and
            whichever run searched it: what another run left in the cache is no one's gain.
        proven: whether every mapping of its best design is proven optimal.
        found: its feasible designs.
        start: the baseline's loss, from which all begin; infinite where it has none, and with
            several objectives.
    """

    run: Run
    losses: FloatArray
    evaluations: IntArray
    designs: int
    infeasible: int
    think_seconds: float
    evaluate_seconds: float
    proven: bool
    found: Found
    start: float = np.inf

    @property
    def best_so_far(self) -> FloatArray:
        """float64[trials]: the least loss up to each trial."""
        return np.asarray(np.minimum.accumulate(self.losses))

    @property
    def best(self) -> float:
        """The least loss; infinite when nothing was feasible."""
        return float(self.losses.min(initial=np.inf))


@frozen(eq=False)
class Result:
    """A finished contest.

    Attributes:
        contest: what was compared.
        outcomes: every run.
    """

    contest: Contest
    outcomes: tuple[RunOutcome, ...]

    def of(self, strategy: str, case: Case) -> tuple[RunOutcome, ...]:
        """Return a contender's runs on a case, by seed."""
        return tuple(o for o in self.outcomes if o.run.strategy == strategy and o.run.case == case)

    def best_known(self, case: Case) -> float:
        """Return the least loss that any run found on a case; infinite when none did."""
        return min((o.best for o in self.outcomes if o.run.case == case), default=np.inf)

    def winner(self, case: Case) -> RunOutcome:
        """Return the run that found the least loss of a case, the first of equal ones."""
        return min((o for o in self.outcomes if o.run.case == case), key=lambda o: o.best)

    @property
    def solved(self) -> tuple[Case, ...]:
        """The cases on which some run found a feasible design; only they can be compared."""
        return tuple(c for c in self.contest.cases if np.isfinite(self.best_known(c)))

    def finals(self, strategy: str) -> list[FloatArray]:
        """Return a contender's final losses, one float64[runs] a solved case."""
        return [np.array([o.best for o in self.of(strategy, case)]) for case in self.solved]


def collect(contest: Contest, runs: Sequence[Run], store: Store) -> Result:
    """Read every run's trials from the store."""
    outcomes = tuple(_outcome(run, store.trials(run.spec.name)) for run in runs)
    return Result(contest, outcomes)


def _outcome(run: Run, trials: Sequence[Trial]) -> RunOutcome:
    ledger = Ledger()
    priced = {trial.number: ledger.charge(trial) for trial in trials}
    own = [trial for trial in trials if trial.number > 0]
    groups = by_whole_trial(own)
    best = min(own, key=lambda trial: (trial.merit, trial.number), default=None)
    return RunOutcome(
        run,
        np.array([min(trial.merit for trial in group) for group in groups], dtype=np.float64),
        priced.get(BASELINE, 0)
        + np.cumsum([added(priced[t.number] for t in group) for group in groups], dtype=np.int64),
        len({trial.design for trial in own}),
        added(trial.whole and not trial.ok for trial in own),
        added(trial.think_seconds for trial in own),
        ledger.seconds,
        best is not None and best.ok and all(layer.proven for layer in best.outcome.layers),
        _found(groups, len(run.spec.objectives)),
        _start(trials),
    )


def _start(trials: Sequence[Trial]) -> float:
    baseline = next((t for t in trials if t.number == BASELINE and t.ok), None)
    alone = baseline is not None and len(baseline.outcome.losses) == 1
    return baseline.merit if baseline is not None and alone else np.inf


def _found(groups: Sequence[Sequence[Trial]], objectives: int) -> Found:
    feasible = [(t, i) for i, group in enumerate(groups) for t in group if t.ok]
    losses = np.array([t.outcome.losses for t, _ in feasible], dtype=np.float64)
    return Found(
        losses.reshape(len(feasible), objectives),
        np.array([t.number for t, _ in feasible], dtype=np.int64),
        np.array([i for _, i in feasible], dtype=np.int64),
    )
