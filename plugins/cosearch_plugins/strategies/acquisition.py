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


@frozen
class Acquisition:
    """A rule for choosing among candidates; losses are standardised, lower is better.

    Attributes:
        kind: `lcb` (lower confidence bound), `ei` (expected improvement) or `thompson`.
        confidence: deviations below the mean of the bound, lambda.
    """

    kind: str
    confidence: float

    def utility(
        self, mean: FloatArray, covariance: FloatArray, best: float, rng: np.random.Generator
    ) -> FloatArray:
        """Return how desirable each candidate is, float64[c], at least 0."""
        deviation = np.sqrt(np.maximum(np.diag(covariance), 0.0))
        if self.kind == "ei":
            return np.maximum(expected_improvement(mean, deviation, best), 0.0)
        if self.kind == "thompson":
            bound = _joint_sample(mean, covariance, rng)
        else:
            bound = mean - self.confidence * deviation
        # A bound has no zero; measured from the worst candidate it can be weighted with the
        # probability that a candidate is feasible.
        return np.asarray(bound.max(initial=0.0) - bound)

    def choose(
        self,
        n: int,
        mean: FloatArray,
        covariance: FloatArray,
        noise: float,
        weight: FloatArray,
        best: float,
        pending: int,
        rng: np.random.Generator,
    ) -> IntArray:
        """Return the indices of up to n candidates, one after the other.

        Each choice is believed to return its mean (the kriging believer), so that the next one is
        made elsewhere. Source: Ginsbourger, Le Riche and Carraro, 2010, section 5.

        Args:
            n: how many.
            mean: float64[c]; the first `pending` candidates are being evaluated already.
            covariance: float64[c, c].
            noise: variance of an observation.
            weight: float64[c]: the probability of being feasible.
            best: the least loss seen.
            pending: how many of the first candidates to believe and not to choose.
            rng: for Thompson samples.
        """
        covariance = covariance.copy()
        open_ = np.arange(len(mean)) >= pending
        for j in range(pending):
            _believe(covariance, j, noise)
        chosen: list[int] = []
        for _ in range(min(n, int(open_.sum()))):
            utility = self.utility(mean, covariance, best, rng) * weight
            pick = int(np.where(open_, utility, -1.0).argmax())
            chosen.append(pick)
            open_[pick] = False
            _believe(covariance, pick, noise)
        return np.array(chosen, dtype=np.int64)


def _believe(covariance: FloatArray, j: int, noise: float) -> None:
    """Condition a joint covariance, in place, on an observation of its element j."""
    column = covariance[:, j].copy()
    covariance -= np.outer(column, column) / (max(column[j], 0.0) + noise + 1e-12)


def _joint_sample(mean: FloatArray, covariance: FloatArray, rng: np.random.Generator) -> FloatArray:
    values, vectors = np.linalg.eigh(covariance)
    z = rng.standard_normal(len(mean))
    return np.asarray(mean + (vectors * np.sqrt(np.maximum(values, 0.0))) @ z)
