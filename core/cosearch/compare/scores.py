"""Scores of contenders over all cases: how good, how soon, at what cost."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import asdict, frozen

from cosearch.compare.outcome import Result, RunOutcome
from cosearch.compare.statistics import Pair, critical_difference, mean_ranks, pairwise, quartiles
from cosearch.quantities import added
from cosearch.typing import FloatArray

WITHIN = 0.05
"""`evaluations to reach`: within so much of the best known loss of the case."""

SIGNIFICANT = 0.05
"""Corrected p-value up to which two contenders are said to differ."""


@frozen
class Score:
    """A contender over all cases that any run solved.

    Losses count as ratios to the best known of their case: 1 is the best that any contender found.

    Attributes:
        strategy: as the contest names it.
        median, lower, upper: of the final ratio over cases and runs, with its quartiles; infinite
            where a run found nothing.
        rank: mean rank of the final loss, 1 is best.
        superiority: probability of beating a run of another contender, averaged over the others.
        better_than, worse_than: contenders that it differs from after correction.
        reached: share of runs that came within WITHIN of the best known.
        trials_to_reach, evaluations_to_reach: median over runs; infinite unless more than half
            did.
        log_regret: mean over trials of log2 of the best-so-far ratio, the baseline included: 0 is
            perfect from the start, and 1 is twice the best known on average. Every run starts at
            the baseline, so that it is not decided by how bad a first random design was. Where the
            baseline has no loss, a trial before the first feasible design counts as the worst loss
            that any run of the case ever had.
        designs: different designs a run, mean.
        evaluations: mappings priced a run, each result counted once, mean.
        infeasible: share of trials.
        think_seconds, evaluate_seconds: a run, mean.
    """

    strategy: str
    median: float
    lower: float
    upper: float
    rank: float
    superiority: float
    better_than: tuple[str, ...]
    worse_than: tuple[str, ...]
    reached: float
    trials_to_reach: float
    evaluations_to_reach: float
    log_regret: float
    designs: float
    evaluations: float
    infeasible: float
    think_seconds: float
    evaluate_seconds: float


@frozen
class Standing:
    """The outcome of a contest.

    Attributes:
        scores: best rank first, of equal ones the lower median.
        pairs: every two contenders, by their position in the contest.
        critical_difference: of mean ranks (Nemenyi, 0.05); None beyond ten contenders.
        blocks: cases times runs over which ranks are averaged.
        unsolved: cases on which no run found a feasible design; they are left out.
    """

    scores: tuple[Score, ...]
    pairs: tuple[Pair, ...]
    critical_difference: float | None
    blocks: int
    unsolved: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return asdict(self)


def standing(result: Result) -> Standing:
    """Score every contender of a finished contest."""
    names = result.contest.strategies
    finals = [result.finals(name) for name in names]
    unsolved = tuple(str(c) for c in result.contest.cases if c not in result.solved)
    if not result.solved:
        return Standing((), (), None, 0, unsolved)
    pairs = tuple(pairwise(finals))
    ranks = mean_ranks(finals)
    scores = [_score(result, i, pairs, float(ranks[i])) for i in range(len(names))]
    blocks = sum(len(case) for case in finals[0])
    return Standing(
        tuple(sorted(scores, key=lambda s: (s.rank, s.median, s.strategy))),
        pairs,
        critical_difference(len(names), blocks),
        blocks,
        unsolved,
    )


def _score(result: Result, position: int, pairs: tuple[Pair, ...], rank: float) -> Score:
    names = result.contest.strategies
    outcomes = [o for case in result.solved for o in result.of(names[position], case)]
    ratios = np.array([o.best / result.best_known(o.run.case) for o in outcomes])
    lower, median, upper = quartiles(ratios)
    wins = {
        (pair.b if pair.a == position else pair.a): (
            pair.superiority if pair.a == position else 1 - pair.superiority,
            pair.corrected <= SIGNIFICANT,
        )
        for pair in pairs
        if position in (pair.a, pair.b)
    }
    to_reach = [reach(o, (1 + WITHIN) * result.best_known(o.run.case)) for o in outcomes]
    trials = sum(len(o.losses) for o in outcomes)
    return Score(
        strategy=names[position],
        median=median,
        lower=lower,
        upper=upper,
        rank=rank,
        superiority=float(np.mean([chance for chance, _ in wins.values()])),
        better_than=tuple(names[i] for i, (p, real) in wins.items() if real and p > 0.5),
        worse_than=tuple(names[i] for i, (p, real) in wins.items() if real and p < 0.5),
        reached=float(np.mean([np.isfinite(t) for t, _ in to_reach])),
        trials_to_reach=_median([t for t, _ in to_reach]),
        evaluations_to_reach=_median([e for _, e in to_reach]),
        log_regret=float(np.mean([log_regret(result, o) for o in outcomes])),
        designs=float(np.mean([o.designs for o in outcomes])),
        evaluations=float(np.mean([o.evaluations.max(initial=0) for o in outcomes])),
        infeasible=added(o.infeasible for o in outcomes) / max(trials, 1),
        think_seconds=float(np.mean([o.think_seconds for o in outcomes])),
        evaluate_seconds=float(np.mean([o.evaluate_seconds for o in outcomes])),
    )


def reach(outcome: RunOutcome, loss: float) -> tuple[float, float]:
    """Return the trials and the evaluations after which a run had that loss; infinite if never."""
    there = np.flatnonzero(outcome.losses <= loss)
    if len(there) == 0:
        return np.inf, np.inf
    return float(there[0] + 1), float(outcome.evaluations[there[0]])


def ratios_so_far(result: Result, outcome: RunOutcome) -> FloatArray:
    """Return float64[trials]: best so far over the best known of the case.

    Before the first feasible design stands the worst feasible loss that any run of the case had.
    """
    case = outcome.run.case
    same = [o.losses for o in result.outcomes if o.run.case == case]
    finite = np.concatenate(same)
    worst = finite[np.isfinite(finite)].max()
    return np.asarray(np.minimum(outcome.best_so_far, worst) / result.best_known(case))


def log_regret(result: Result, outcome: RunOutcome) -> float:
    """Return the mean over trials of log2 of the best-so-far ratio; infinite without a trial.

    Of the best so far is the baseline, from which every run starts.
    """
    if len(outcome.losses) == 0:
        return float("inf")
    start = max(outcome.start / result.best_known(outcome.run.case), 1.0)
    return float(np.mean(np.log2(np.minimum(ratios_so_far(result, outcome), start))))


def log_ratio(result: Result, outcome: RunOutcome) -> float:
    """Return log2 of the final ratio, by `ratios_so_far`; infinite without a trial."""
    if len(outcome.losses) == 0:
        return float("inf")
    return float(np.log2(ratios_so_far(result, outcome)[-1]))


def _median(values: list[float]) -> float:
    return quartiles(np.array(values))[1]
