"""Probabilistic models of a loss: Bayesian linear regression and Gaussian processes.

Both learn trial by trial, and neither keeps losses: those are restandardised as a search goes on,
so `fit` takes all of them, while what depends on the inputs alone is updated incrementally.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from cosearch.typing import FloatArray

_RIDGES = np.logspace(-4.0, 4.0, 33)
"""Ratios of noise to weight variance among which the marginal likelihood chooses."""


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

    A trial costs a rank-one update of an f by f matrix, whatever their number. Noise, weight
    variance and whether the codes of single choices take part maximise the marginal likelihood:
    with the ridge r = noise / weight variance and the eigenvalues e of the Gram matrix,
    log p(y) = -n/2 log R(r) - 1/2 sum log(1 + e/r) + const, R the regularised residual.

    Source: Bishop, Pattern Recognition and Machine Learning, 2006, equations 3.53, 3.54 and 3.86;
    the noise is profiled out.

    Args:
        features: numbers a design is described by.
        named: how many of them are features, and codes the rest; None: all.
    """

    def __init__(self, features: int, named: int | None = None) -> None:
        self._x = np.zeros((64, features + 1))
        self._n = 0
        self._gram = np.zeros((features + 1, features + 1))
        self._sizes = sorted({1 + (features if named is None else named), 1 + features})

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
        """Choose the features and the ridge, and solve for the weights."""
        fits = [self._fitted(y, size) for size in self._sizes]
        _, self.noise, self._weights, self._root = max(fits, key=lambda fit: fit[0])

    def _fitted(self, y: FloatArray, size: int) -> tuple[float, float, FloatArray, FloatArray]:
        """Return the evidence for the first features alone, noise, weights and their spread."""
        e, u = np.linalg.eigh(self._gram[:size, :size])
        e = np.maximum(e, 0.0)
        q = u.T @ (self._x[: self._n, :size].T @ y)
        residual = y @ y - (q**2 / (e + _RIDGES[:, None])).sum(axis=1)
        # An inverse gamma prior of one observation, at a hundredth of the variance, keeps the
        # noise off zero while there are fewer trials than features.
        noise = (np.maximum(residual, 0.0) + 0.01) / (self._n + 1)
        evidence = -(self._n + 1) / 2 * np.log(noise)
        evidence -= 0.5 * np.log1p(e / _RIDGES[:, None]).sum(axis=1)
        best = int(evidence.argmax())
        shrunk = e + _RIDGES[best]
        spread = u * np.sqrt(noise[best] / shrunk)
        return float(evidence[best]), float(noise[best]), u @ (q / shrunk), spread

    def posterior(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and covariance at x."""
        x = self._with_bias(x)
        spread = x @ self._root
        return x @ self._weights, spread @ spread.T

    def mean(self, x: FloatArray) -> FloatArray:
        """Return the mean at x, float64[c]."""
        return np.asarray(self._with_bias(x) @ self._weights)

    def drawn(self, x: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return a function drawn from the posterior, at x: float64[c]."""
        weights = self._weights + self._root @ rng.standard_normal(self._root.shape[1])
        return np.asarray(self._with_bias(x) @ weights)

    def _with_bias(self, x: FloatArray) -> FloatArray:
        return np.hstack([np.ones((len(x), 1)), x[:, : len(self._weights) - 1]])
