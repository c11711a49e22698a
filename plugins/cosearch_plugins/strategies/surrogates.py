"""Probabilistic models of a loss: Bayesian linear regression and Gaussian processes.

Both learn trial by trial, and neither keeps losses: those are restandardised as a search goes on,
so `fit` takes all of them, while what depends on the inputs alone is updated incrementally.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np

from cosearch.typing import FloatArray

_RIDGES = np.logspace(-4.0, 4.0, 33)
"""Ratios of noise to weight variance among which the marginal likelihood chooses."""

_LENGTHS = np.array([0.15, 0.3, 0.6, 1.2, 2.5, 5.0])
"""Length scales tried, times the root of the number of features."""

_NOISES = np.array([1e-4, 1e-3, 1e-2, 1e-1])
"""Ratios of noise to signal variance tried."""

_FIT_ON = 256
"""Trials, at most, on which hyperparameters are chosen; all of them are conditioned on."""


class Surrogate(ABC):
    """A model from features, float64[n, f], to a standardised target, float64[n].

    Attributes:
        noise: variance of an observation about the function, known once fitted.
    """

    noise: float = 1.0

    @abstractmethod
    def add(self, x: FloatArray) -> None:
        """Take inputs, float64[n, f], in."""

    @abstractmethod
    def fit(self, y: FloatArray) -> None:
        """Condition on the targets, float64[n], of all inputs, and choose hyperparameters."""

    @abstractmethod
    def posterior(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the mean, float64[c], and covariance, float64[c, c], of the function at x."""


class LinearSurrogate(Surrogate):
    """Bayesian linear regression: the linear kernel, in weight space.

    A trial costs a rank-one update of an f by f matrix, whatever their number. Noise and weight
    variance maximise the marginal likelihood: with the ridge r = noise / weight variance and the
    eigenvalues e of the Gram matrix, log p(y) = -n/2 log R(r) - 1/2 sum log(1 + e/r) + const, R
    the regularised residual.

    Source: Bishop, Pattern Recognition and Machine Learning, 2006, equations 3.53, 3.54 and 3.86;
    the noise is profiled out.
    """

    def __init__(self, features: int) -> None:
        self._x = np.zeros((64, features + 1))
        self._n = 0
        self._gram = np.zeros((features + 1, features + 1))

    def add(self, x: FloatArray) -> None:
        """Take inputs in: one rank-n update."""
        end = self._n + len(x)
        if end > len(self._x):
            self._x = np.pad(self._x, ((0, max(end, 2 * len(self._x)) - len(self._x)), (0, 0)))
        self._x[self._n : end, 0] = 1.0
        self._x[self._n : end, 1:] = x
        self._gram += self._x[self._n : end].T @ self._x[self._n : end]
        self._n = end

    def fit(self, y: FloatArray) -> None:
        """Choose the ridge and solve for the weights."""
        e, u = np.linalg.eigh(self._gram)
        e = np.maximum(e, 0.0)
        q = u.T @ (self._x[: self._n].T @ y)
        residual = y @ y - (q**2 / (e + _RIDGES[:, None])).sum(axis=1)
        # An inverse gamma prior of one observation, at a hundredth of the variance, keeps the
        # noise off zero while there are fewer trials than features.
        noise = (np.maximum(residual, 0.0) + 0.01) / (self._n + 1)
        evidence = -(self._n + 1) / 2 * np.log(noise)
        evidence -= 0.5 * np.log1p(e / _RIDGES[:, None]).sum(axis=1)
        best = int(evidence.argmax())
        self.noise = float(noise[best])
        self._weights = u @ (q / (e + _RIDGES[best]))
        self._root = u * np.sqrt(self.noise / (e + _RIDGES[best]))

    def posterior(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and covariance at x."""
        x = np.hstack([np.ones((len(x), 1)), x])
        spread = x @ self._root
        return x @ self._weights, spread @ spread.T


class KernelSurrogate(Surrogate):
    """A Gaussian process with an isotropic Matern-5/2 or squared exponential kernel.

    The inverse Cholesky factor grows by rows, O(n^2) a trial, and is rebuilt when the length
    scale or the noise ratio change; they are chosen anew, by marginal likelihood with the signal
    variance profiled out, whenever the trials have grown by half.

    Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, algorithm 2.1,
    equations 4.9 and 4.17, section 5.4.1.
    """

    def __init__(self, features: int, kernel: str) -> None:
        self._kernel = kernel
        self._x = np.zeros((0, features))
        self._unit = math.sqrt(max(features, 1))
        self._length, self._ratio = self._unit * 0.6, 1e-2
        self._inverse = np.zeros((64, 64))
        self._factored = self._fitted = 0

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
        cross = self._k(self._x[:n], x, self._length)
        v = self._inverse[:n, :n] @ cross
        covariance = self._signal * (self._k(x, x, self._length) - v.T @ v)
        return cross.T @ self._weights, covariance

    def _k(self, a: FloatArray, b: FloatArray, length: float) -> FloatArray:
        squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2.0 * a @ b.T
        squared = np.maximum(squared, 0.0) / length**2
        if self._kernel == "rbf":
            return np.asarray(np.exp(-0.5 * squared))
        r = np.sqrt(5.0 * squared)
        return np.asarray((1.0 + r + r**2 / 3.0) * np.exp(-r))

    def _choose(self, y: FloatArray) -> None:
        """Set the length scale and the noise ratio of the greatest marginal likelihood."""
        n = len(y)
        chosen = np.unique(np.linspace(0, n - 1, min(n, _FIT_ON)).astype(np.int64))
        x, y = self._x[chosen], y[chosen]
        best = (-math.inf, self._length, self._ratio)
        for length in self._unit * _LENGTHS:
            values, vectors = np.linalg.eigh(self._k(x, x, float(length)))
            q2 = (vectors.T @ y) ** 2
            for ratio in _NOISES:
                spread = np.maximum(values, 0.0) + ratio
                signal = ((q2 / spread).sum() + 0.01) / (len(y) + 0.01)
                evidence = -0.5 * (len(y) * math.log(signal) + np.log(spread).sum())
                best = max(best, (float(evidence), float(length), float(ratio)))
        if (self._length, self._ratio) != best[1:]:
            self._length, self._ratio = best[1:]
            self._factored = 0

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
            across = inverse @ self._k(self._x[:old], tail, self._length)
            corner = self._k(tail, tail, self._length) - across.T @ across
            # The ratio is the noise; a further 1e-10 covers rounding.
            corner += (self._ratio + 1e-10) * np.eye(new - old)
            small = np.linalg.inv(np.linalg.cholesky(corner))
            self._inverse[old:new, :old] = -small @ (across.T @ inverse)
            self._inverse[old:new, old:new] = small
            self._factored = new
