"""Which candidates to try: acquisition functions over a joint posterior."""

from __future__ import annotations

import math

import numpy as np
from attrs import frozen

from cosearch.typing import FloatArray, IntArray

_ERF = np.vectorize(math.erf, otypes=[np.float64])


def normal_cdf(z: FloatArray) -> FloatArray:
    """Return the standard normal distribution function of each element."""
    return np.asarray(0.5 * (1.0 + _ERF(z / math.sqrt(2.0))))


def normal_pdf(z: FloatArray) -> FloatArray:
    """Return the standard normal density of each element."""
    return np.asarray(np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi))


def expected_improvement(mean: FloatArray, deviation: FloatArray, best: float) -> FloatArray:
    """Return the expected fall below the best loss, float64[c].

    Source: Jones, Schonlau and Welch, Efficient Global Optimization, 1998, equation 15.
    """
    z = (best - mean) / np.maximum(deviation, 1e-12)
    return (best - mean) * normal_cdf(z) + deviation * normal_pdf(z)


@frozen(eq=False)
class Belief:
    """What is known of the candidates; losses are standardised, lower is better.

    Attributes:
        mean: float64[c]; the first `pending` candidates are being evaluated already.
        covariance: float64[c, c].
        noise: variance of an observation.
        feasible: float64[c]: the probability of being feasible.
        best: the least loss seen.
        pending: how many of the first candidates are not to be chosen.
    """

    mean: FloatArray
    covariance: FloatArray
    noise: float
    feasible: FloatArray
    best: float
    pending: int


@frozen
class Acquisition:
    """A rule for choosing among candidates.

    Attributes:
        kind: `lcb` (lower confidence bound), `ei` (expected improvement) or `thompson`.
        confidence: deviations below the mean of the bound, lambda.
    """

    kind: str
    confidence: float

    def choose(self, n: int, belief: Belief, rng: np.random.Generator) -> IntArray:
        """Return the indices of up to n candidates, one after the other.

        Thompson samples are drawn jointly. Otherwise each choice is believed to return its mean
        (the kriging believer), as are the pending candidates, so that the next one is made
        elsewhere. Source: Ginsbourger, Le Riche and Carraro, 2010, section 5.
        """
        free = np.arange(len(belief.mean)) >= belief.pending
        n = min(n, int(free.sum()))
        samples = _joint_samples(n, belief, rng) if self.kind == "thompson" else None
        variance = np.maximum(np.diag(belief.covariance), 0.0)
        known: list[FloatArray] = []
        for j in range(belief.pending):
            variance = _believe(j, belief, variance, known)
        chosen: list[int] = []
        for i in range(n):
            if samples is None:
                utility = self._utility(belief, np.sqrt(variance))
            else:
                utility = _below_the_worst(samples[i])
            pick = int(np.where(free, utility * belief.feasible, -1.0).argmax())
            chosen.append(pick)
            free[pick] = False
            variance = _believe(pick, belief, variance, known)
        return np.array(chosen, dtype=np.int64)

    def _utility(self, belief: Belief, deviation: FloatArray) -> FloatArray:
        """Return how desirable each candidate is, float64[c], at least 0."""
        if self.kind == "ei":
            gain = expected_improvement(belief.mean, deviation, belief.best)
            return np.maximum(gain, 0.0)
        return _below_the_worst(belief.mean - self.confidence * deviation)


def _below_the_worst(bound: FloatArray) -> FloatArray:
    """A bound has no zero; measured from the worst candidate, a probability can weight it."""
    return np.asarray(bound.max(initial=-np.inf) - bound)


def _believe(j: int, belief: Belief, variance: FloatArray, known: list[FloatArray]) -> FloatArray:
    """Return the variances, float64[c], once candidate j is observed, and note its direction."""
    column = belief.covariance[:, j].copy()
    for direction in known:
        column -= direction * direction[j]
    direction = column / math.sqrt(max(variance[j], 0.0) + belief.noise + 1e-12)
    known.append(direction)
    return np.maximum(variance - direction**2, 0.0)


def _joint_samples(n: int, belief: Belief, rng: np.random.Generator) -> FloatArray:
    values, vectors = np.linalg.eigh(belief.covariance)
    z = rng.standard_normal((n, len(values))) * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(belief.mean + z @ vectors.T)
