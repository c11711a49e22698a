"""Gaussian processes whose factor grows with the trials."""

from __future__ import annotations

import math

import numpy as np

from cosearch.typing import FloatArray
from cosearch_plugins.strategies.surrogates import Surrogate

_LENGTHS = (0.15, 0.3, 0.6, 1.2, 2.5, 5.0)
"""Length scales tried, times the root of the number of features."""

_NOISES = np.array([1e-4, 1e-3, 1e-2, 1e-1])
"""Ratios of noise to signal variance tried."""

_FIT_ON = 128
"""Trials, at most, on which hyperparameters are chosen; all of them are conditioned on."""

_SWEPT = 24
"""Features, at most, whose own length scales are reconsidered at a time."""


class KernelSurrogate(Surrogate):
    """A Gaussian process with a Matern-5/2 or squared exponential kernel.

    Each feature has a length scale of its own (automatic relevance determination). They and the
    noise maximise the marginal likelihood, with the signal variance profiled out, by a search over
    steps of factors of two, whenever the trials have grown by half. The inverse Cholesky factor
    grows by rows, O(n^2) a trial, and is rebuilt when hyperparameters change.

    Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, algorithm 2.1,
    equations 4.9 and 4.17, sections 5.1 and 5.4.1.
    """

    def __init__(self, features: int, kernel: str) -> None:
        self._kernel = kernel
        self._x = np.zeros((0, features))
        self._unit = math.sqrt(max(features, 1))
        self._lengths, self._ratio = np.full(features, 0.6 * self._unit), 1e-2
        self._inverse = np.zeros((64, 64))
        self._factored = self._fitted = self._sweep = 0

    def add(self, x: FloatArray) -> None:
        """Take inputs in."""
        self._x = np.concatenate([self._x, x])

    def fit(self, y: FloatArray) -> None:
        """Choose hyperparameters when due, extend the factor, solve for the weights."""
        n = len(y)
        if n >= max(4, 1.5 * self._fitted):
            self._choose(y)
            self._fitted = n
        self._extend(n)
        inverse = self._inverse[:n, :n]
        white = inverse @ y
        self._signal = float(white @ white + 0.01) / (n + 0.01)
        self._weights = inverse.T @ white
        self.noise = self._signal * self._ratio

    def posterior(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and covariance at x."""
        n = self._factored
        cross = self._k(self._x[:n], x)
        v = self._inverse[:n, :n] @ cross
        covariance = self._signal * (self._k(x, x) - v.T @ v)
        return cross.T @ self._weights, covariance

    def _k(self, a: FloatArray, b: FloatArray) -> FloatArray:
        a, b = a / self._lengths, b / self._lengths
        squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2.0 * a @ b.T
        return correlation(np.maximum(squared, 0.0), self._kernel)

    def _choose(self, y: FloatArray) -> None:
        """Move the length scales and the noise ratio up the marginal likelihood."""
        n = len(y)
        chosen = np.unique(np.linspace(0, n - 1, min(n, _FIT_ON)).astype(np.int64))
        x, y = self._x[chosen], y[chosen]
        apart = (x.T[:, :, None] - x.T[:, None, :]) ** 2
        lengths = self._lengths
        best, ratio = self._evidence(np.tensordot(lengths**-2.0, apart, 1), y)
        for length in _LENGTHS:
            trial = np.full(len(lengths), length * self._unit)
            value, trial_ratio = self._evidence(np.tensordot(trial**-2.0, apart, 1), y)
            if value > best:
                best, lengths, ratio = value, trial, trial_ratio
        for j in self._next_features():
            squared = np.tensordot(lengths**-2.0, apart, 1)
            for factor in (0.5, 2.0, 8.0):
                length = lengths[j] * factor
                change = length**-2.0 - lengths[j] ** -2.0
                value, trial_ratio = self._evidence(squared + change * apart[j], y)
                if value > best:
                    best, ratio = value, trial_ratio
                    lengths = lengths.copy()
                    lengths[j] = length
                    break
        if ratio != self._ratio or (lengths != self._lengths).any():
            self._lengths, self._ratio, self._factored = lengths, ratio, 0

    def _next_features(self) -> list[int]:
        """Return the features whose turn it is."""
        features = self._x.shape[1]
        turn = [(self._sweep + i) % features for i in range(min(features, _SWEPT))]
        self._sweep += len(turn)
        return turn

    def _evidence(self, squared: FloatArray, y: FloatArray) -> tuple[float, float]:
        """Return the log marginal likelihood, constants left out, and its noise ratio."""
        values, vectors = np.linalg.eigh(correlation(np.maximum(squared, 0.0), self._kernel))
        q2 = (vectors.T @ y) ** 2
        spread = np.maximum(values, 0.0) + _NOISES[:, None]
        signal = ((q2 / spread).sum(axis=1) + 0.01) / (len(y) + 0.01)
        evidence = -0.5 * (len(y) * np.log(signal) + np.log(spread).sum(axis=1))
        best = int(evidence.argmax())
        return float(evidence[best]), float(_NOISES[best])

    def _extend(self, n: int) -> None:
        """Grow the inverse Cholesky factor of K + ratio I to n rows, in blocks."""
        if n > len(self._inverse):
            room = max(n, 2 * len(self._inverse)) - len(self._inverse)
            self._inverse = np.pad(self._inverse, ((0, room), (0, room)))
        while self._factored < n:
            old = self._factored
            new = min(n, old + 64)
            tail = self._x[old:new]
            inverse = self._inverse[:old, :old]
            across = inverse @ self._k(self._x[:old], tail)
            corner = self._k(tail, tail) - across.T @ across
            # The ratio is the noise; a further 1e-10 covers rounding.
            corner += (self._ratio + 1e-10) * np.eye(new - old)
            small = np.linalg.inv(np.linalg.cholesky(corner))
            self._inverse[old:new, :old] = -small @ (across.T @ inverse)
            self._inverse[old:new, old:new] = small
            self._factored = new


def correlation(squared: FloatArray, kernel: str) -> FloatArray:
    """Return the correlation at squared scaled distances: `rbf` or `matern` (5/2)."""
    if kernel == "rbf":
        return np.asarray(np.exp(-0.5 * squared))
    r = np.sqrt(5.0 * squared)
    return np.asarray((1.0 + r + r**2 / 3.0) * np.exp(-r))
