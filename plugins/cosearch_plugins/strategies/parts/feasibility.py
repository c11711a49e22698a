"""What can be built: Bayesian logistic regression on a space's features."""

from __future__ import annotations

import math

import numpy as np
from attrs import frozen

from cosearch.typing import BoolArray, FloatArray

_VARIANCES = 4.0 ** np.arange(-3.0, 5.0)
"""Of the weights' prior, among which the evidence chooses."""

_BIAS_VARIANCE = 100.0

_CHOSEN_ON = 256
"""Trials, at most, on which the prior is chosen."""

_DUE = 1.1
"""The prior is chosen again whenever the trials have grown by this factor."""

_STEPS = 20
"""Newton steps at most; from the weights of the last trial two or three are usual."""


@frozen(eq=False)
class Laplace:
    """A Gaussian about the most probable weights.

    Attributes:
        weights: float64[k], the mode.
        factor: float64[k, k], lower Cholesky factor of the inverse covariance.
        evidence: the log marginal likelihood, a constant left out.
    """

    weights: FloatArray
    factor: FloatArray
    evidence: float


class FeasibilityModel:
    """The probability that a design is feasible, by logistic regression with Laplace's method.

    The variance of the weights' prior, and whether the codes of single choices take part beside
    the features, maximise the evidence.

    Sources: Bishop, Pattern Recognition and Machine Learning, 2006, equations 4.137 (evidence),
    4.142 to 4.144 (posterior), 4.153 to 4.155 (prediction, after MacKay 1992).

    Args:
        features: numbers a design is described by.
        named: how many of them are features; codes are the rest.
    """

    def __init__(self, features: int, named: int) -> None:
        self._x = np.zeros((64, features + 1))
        self._signs = np.zeros(64)
        self._named = named
        self._n = self._chosen_at = 0
        self._variance, self._coded = 2, False
        self._posterior = Laplace(np.zeros(features + 1), np.eye(features + 1), 0.0)

    def add(self, x: FloatArray, feasible: BoolArray) -> None:
        """Take descriptions, float64[n, f], and labels, bool[n], in."""
        end = self._n + len(x)
        if end > len(self._x):
            room = max(end, 2 * len(self._x)) - len(self._x)
            self._x = np.pad(self._x, ((0, room), (0, 0)))
            self._signs = np.pad(self._signs, (0, room))
        self._x[self._n : end, 0] = 1.0
        self._x[self._n : end, 1:] = x
        self._signs[self._n : end] = np.where(feasible, 1.0, -1.0)
        self._n = end

    def fit(self) -> None:
        """Find the posterior of the weights, and its prior where that is due."""
        if self._n >= _DUE * self._chosen_at:
            self._choose()
            self._chosen_at = self._n
        precision = self._precision(self._variance, self._coded)
        x, signs = self._x[: self._n], self._signs[: self._n]
        self._posterior = laplace(x, signs, precision, self._posterior.weights)

    def probability(self, x: FloatArray) -> FloatArray:
        """Return the probability, float64[c], that designs described by x are feasible."""
        x = np.hstack([np.ones((len(x), 1)), x])
        spread = np.linalg.solve(self._posterior.factor, x.T)
        flatter = np.sqrt(1.0 + math.pi / 8.0 * (spread**2).sum(axis=0))
        return sigmoid(x @ self._posterior.weights / flatter)

    def drawn(self, x: FloatArray, rng: np.random.Generator) -> BoolArray:
        """Return bool[c]: what is feasible by one model drawn from the posterior."""
        shift = rng.standard_normal(len(self._posterior.weights))
        weights = self._posterior.weights + np.linalg.solve(self._posterior.factor.T, shift)
        return np.asarray(weights[0] + x @ weights[1:] > 0.0)

    def _choose(self) -> None:
        """Move the prior to the neighbour of most evidence."""
        chosen = np.linspace(0, self._n - 1, min(self._n, _CHOSEN_ON)).astype(np.int64)
        x, signs, start = self._x[chosen], self._signs[chosen], self._posterior.weights
        best = -math.inf
        for v in range(max(self._variance - 1, 0), min(self._variance + 2, len(_VARIANCES))):
            for coded in (False, True):
                tried = laplace(x, signs, self._precision(v, coded), start).evidence
                if tried > best:
                    best, choice = tried, (v, coded)
        self._variance, self._coded = choice

    def _precision(self, variance: int, coded: bool) -> FloatArray:
        """Return the prior's inverse variances, float64[k]; weights left out have next to none."""
        precision = np.full(self._x.shape[1], 1.0 / _VARIANCES[variance])
        precision[0] = 1.0 / _BIAS_VARIANCE
        if not coded:
            precision[1 + self._named :] = 1e8
        return precision


def laplace(
    x: FloatArray, signs: FloatArray, precision: FloatArray, weights: FloatArray
) -> Laplace:
    """Return the approximate posterior of logistic regression, by Newton's method.

    Args:
        x: float64[n, k].
        signs: float64[n], 1 or -1.
        precision: float64[k], of the prior, whose mean is 0.
        weights: float64[k] to start from.
    """

    def log_posterior(weights: FloatArray) -> float:
        fit = np.logaddexp(0.0, -signs * (x @ weights)).sum()
        return -float(fit + 0.5 * (precision * weights**2).sum())

    value, step = log_posterior(weights), np.zeros_like(weights)
    for _ in range(_STEPS):
        p = sigmoid(x @ weights)
        gradient = x.T @ ((signs + 1.0) / 2.0 - p) - precision * weights
        curvature = (x.T * (p * (1.0 - p))) @ x + np.diag(precision)
        factor = np.asarray(np.linalg.cholesky(curvature), dtype=np.float64)
        step = np.linalg.solve(factor.T, np.linalg.solve(factor, gradient))
        if float(step @ gradient) < 1e-6:
            break
        while (ahead := log_posterior(weights + step)) <= value and np.abs(step).max() > 1e-9:
            step = step / 2.0
        weights, value = weights + step, max(value, ahead)
    determinant = 0.5 * np.log(precision).sum() - np.log(np.diag(factor)).sum()
    return Laplace(weights, factor, value + float(determinant))


def sigmoid(z: FloatArray) -> FloatArray:
    """Return the logistic function of each element."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * z))
