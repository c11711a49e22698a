"""What repeated runs of contenders allow one to say, and no more.

Runs come in *cases* (a hardware model and a workload); within a case they are independent of each
other, so contenders are compared case by case and the cases then put together. Losses of different
cases are never averaged as they are: ranks and ratios to the best known loss of the case are.
Lower is better everywhere; a run that found nothing has an infinite loss and ranks last.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from attrs import frozen

from cosearch.search.ranking import midranks
from cosearch.typing import FloatArray

PERMUTATIONS = 9_999
"""Random relabellings of a permutation test; p-values are then multiples of 1e-4."""

CRITICAL_RANGE = {
    2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164,
}  # fmt: skip
"""Quantiles of the studentized range over sqrt(2) for Nemenyi's test at 0.05, by the number of
contenders (J. Demsar, *Statistical Comparisons of Classifiers over Multiple Data Sets*, JMLR 7,
2006, table 5)."""


def quartiles(values: FloatArray) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile of values.

    The median of an even number is the mean of the middle two; quartiles lie as far between their
    neighbours as a quarter of the way falls (type 7 of R. J. Hyndman and Y. Fan, *Sample Quantiles
    in Statistical Packages*, 1996). What lies between a number and infinity is infinite.

    Args:
        values: float64[n], n at least 1, without NaN; infinite where a run found nothing.
    """
    ordered = np.sort(values)
    lower, median, upper = (_quantile(ordered, share) for share in (0.25, 0.5, 0.75))
    return lower, median, upper


def _quantile(ordered: FloatArray, share: float) -> float:
    place = share * (len(ordered) - 1)
    below, weight = int(place), place - int(place)
    if weight == 0.0:
        return float(ordered[below])
    low, high = float(ordered[below]), float(ordered[below + 1])
    return low if low == high else low * (1 - weight) + high * weight


def superiority(a: FloatArray, b: FloatArray) -> float:
    """Return the probability that a run of a beats a run of b, ties counting half.

    Vargha and Delaney's A, *A critique and improvement of the CL common language effect size
    statistics*, 2000.

    Args:
        a: losses, float64[n].
        b: losses, float64[m].
    """
    less = (a[:, None] < b[None, :]).mean()
    equal = (a[:, None] == b[None, :]).mean()
    return float(less + equal / 2)


def stratified_superiority(a: Sequence[FloatArray], b: Sequence[FloatArray]) -> float:
    """Return `superiority` averaged over cases, each given as losses of a and of b."""
    return float(np.mean([superiority(x, y) for x, y in zip(a, b, strict=True)]))


def permutation_test(
    a: Sequence[FloatArray], b: Sequence[FloatArray], rng: np.random.Generator
) -> float:
    """Return the two-sided p-value that a and b do not differ in any case.

    The statistic is the superiority averaged over cases; labels are exchanged within cases only,
    which is all that the null hypothesis allows. Valid for any distribution and any number of runs.

    Args:
        a: one float64[n_i] of losses a case.
        b: one float64[m_i] of losses a case, cases in the same order.
        rng: for the relabellings.
    """
    observed = abs(stratified_superiority(a, b) - 0.5)
    total = np.zeros(PERMUTATIONS)
    for x, y in zip(a, b, strict=True):
        ranks = midranks(np.concatenate([x, y]))
        shuffled = rng.permuted(np.tile(ranks, (PERMUTATIONS, 1)), axis=1)
        sums = shuffled[:, : len(x)].sum(axis=1)
        # Mann-Whitney: a rank sum is the number of lost pairs, up to a constant
        lost = sums - len(x) * (len(x) + 1) / 2
        total += 1 - lost / (len(x) * len(y))
    extreme = np.abs(total / len(a) - 0.5) >= observed - 1e-12
    return float((extreme.sum() + 1) / (PERMUTATIONS + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, in the same order.

    S. Holm, *A simple sequentially rejective multiple test procedure*, 1979.
    """
    order = np.argsort(p_values, kind="stable")
    corrected = np.empty(len(p_values))
    least = 0.0
    for i, index in enumerate(order):
        least = max(least, min(1.0, (len(p_values) - i) * p_values[index]))
        corrected[index] = least
    return [float(p) for p in corrected]


@frozen
class Pair:
    """Two contenders compared.

    Attributes:
        a, b: their positions.
        superiority: probability that a run of a beats one of b, averaged over cases.
        p_value: that they do not differ.
        corrected: for the number of pairs, by Holm.
    """

    a: int
    b: int
    superiority: float
    p_value: float
    corrected: float


def pairwise(losses: Sequence[Sequence[FloatArray]], seed: int = 0) -> list[Pair]:
    """Compare every two contenders.

    Args:
        losses: contender, case -> float64[runs].
        seed: of the permutations.
    """
    pairs = list(combinations(range(len(losses)), 2))
    p_values = [
        permutation_test(losses[a], losses[b], np.random.default_rng((seed, a, b)))
        for a, b in pairs
    ]
    return [
        Pair(a, b, stratified_superiority(losses[a], losses[b]), p, q)
        for (a, b), p, q in zip(pairs, p_values, holm(p_values), strict=True)
    ]


def mean_ranks(losses: Sequence[Sequence[FloatArray]]) -> FloatArray:
    """Return float64[contenders]: mean rank over cases and runs, 1 is best.

    Args:
        losses: contender, case -> float64[runs], the same number of runs for all.
    """
    table = np.array([list(contender) for contender in losses])
    blocks = table.reshape(len(table), -1).T
    return np.asarray(np.mean([midranks(block) for block in blocks], axis=0))


def critical_difference(contenders: int, blocks: int) -> float | None:
    """Return by how much mean ranks must differ to count at 0.05 (Nemenyi), or None beyond ten.

    Args:
        contenders: how many are ranked.
        blocks: cases times runs over which ranks are averaged.
    """
    if contenders not in CRITICAL_RANGE or blocks < 1:
        return None
    return float(CRITICAL_RANGE[contenders] * np.sqrt(contenders * (contenders + 1) / (6 * blocks)))
