"""Gaussian processes whose factor grows with the trials."""

from __future__ import annotations

import math
from copy import copy

import numpy as np

from cosearch.typing import FloatArray
from cosearch_plugins.strategies.parts.surrogates import Surrogate

_LENGTHS = (0.15, 0.3, 0.6, 1.2, 2.5, 5.0)
"""Length scales tried, times the root of the number of features."""

_TRENDS = (0.0, 0.3, 3.0, 30.0)
"""Ratios of the trend's variance, at a design one deviation off, to the kernel's."""

_NOISES = np.array([1e-4, 1e-3, 1e-2, 1e-1])
"""Ratios of noise to signal variance tried."""

_FIT_ON = 96
"""Trials, at most, on which hyperparameters are chosen; all of them are conditioned on."""

_BLOCK = 128
"""Rows of a triangular factor that are multiplied at once, by what stands left of the diagonal."""

_DUE = 1.25
"""Hyperparameters are chosen again whenever the trials have grown by this factor."""


_AT_ONCE = 448
"""Trials up to which a factor is rebuilt in one ask."""

_PART = 64
"""Rows by which a factor of more trials grows in an ask, until it is whole."""

_AHEAD = 5
"""Rows at least for each new trial: so many that it is whole before the next choice is due."""


class KernelSurrogate(Surrogate):
    """A Gaussian process: a linear trend and a Matern-5/2 or squared exponential kernel.

    The kernel reads the first of the features it is given, all with one length scale: they are
    standardised, and with one a feature the few trials of a costly search were fitted too well.
    Far from the trials the trend goes on, where the kernel alone would return to the mean. Length
    scale, share of the trend and noise maximise the marginal likelihood over a grid, with the
    signal variance profiled out. The inverse Cholesky factor grows by rows, O(n^2) a trial. New
    hyperparameters need a new one, O(n^3): of many trials it is built over several asks, and the
    old ones serve until it is whole.

    Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, algorithm 2.1,
    equations 4.9 and 4.17, sections 2.7 and 5.4.1.
    """

    def __init__(self, features: int, kernel: str) -> None:
        self._kernel = kernel
        self._x = np.zeros((0, features))
        self._unit = math.sqrt(max(features, 1))
        self._length, self._trend, self._ratio = 0.6 * self._unit, 0.0, 1e-2
        self._inverse = np.zeros((64, 64))
        self._factored = self._fitted = 0
        self._coming: KernelSurrogate | None = None

    def add(self, x: FloatArray) -> None:
        """Take inputs in."""
        self._x = np.concatenate([self._x, self._read(x)])

    def fit(self, y: FloatArray) -> None:
        """Choose hyperparameters when due, extend the factor, solve for the weights."""
        n = len(y)
        if n >= max(4, _DUE * self._fitted) and self._coming is None:
            self._fitted = n
            self._coming = self._renewed(y)
        if self._coming is not None:
            self._go_over(self._coming, n)
        self._extend(n)
        inverse = self._inverse[:n, :n]
        white = inverse @ y
        self._signal = float(white @ white + 0.01) / (n + 0.01)
        self._weights = inverse.T @ white
        self.noise = self._signal * self._ratio

    def posterior(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and covariance at x."""
        n, x = self._factored, self._read(x)
        cross = self._k(self._x[:n], x)
        v = _lower_product(self._inverse[:n, :n], cross)
        covariance = self._signal * (self._k(x, x) - v.T @ v)
        return cross.T @ self._weights, covariance

    def _read(self, x: FloatArray) -> FloatArray:
        return x[:, : self._x.shape[1]]

    def _k(self, a: FloatArray, b: FloatArray) -> FloatArray:
        close = correlation(squared_distances(a, b) / self._length**2, self._kernel)
        return close + self._trend * trend(a, b)

    def _renewed(self, y: FloatArray) -> KernelSurrogate | None:
        """Return this process with the best hyperparameters, without a factor; None if as now."""
        new: KernelSurrogate = copy(self)
        new._choose(y)
        if new._factored > 0:
            return None
        new._inverse = np.zeros((64, 64))
        return new

    def _go_over(self, new: KernelSurrogate, n: int) -> None:
        """Go on with building a factor of n rows, and become the new process where it is whole."""
        new._x = self._x
        arrived = n - self._factored
        part = new._factored + max(_PART + 2 * arrived, _AHEAD * arrived)
        new._extend(min(n, max(_AT_ONCE, part)) if self._factored > 0 else n)
        if new._factored == n:
            vars(self).update(vars(new) | {"_coming": None})

    def _choose(self, y: FloatArray) -> None:
        """Find the length scale, trend and noise of the highest marginal likelihood."""
        n = len(y)
        chosen = np.linspace(0, n - 1, min(n, _FIT_ON)).astype(np.int64)
        x, y = self._x[chosen], y[chosen]
        apart, line = squared_distances(x, x), trend_factor(x)
        best, choice = -math.inf, (self._length, self._trend, self._ratio)
        for length in _LENGTHS:
            close = correlation(apart / (length * self._unit) ** 2, self._kernel)
            evidence = evidences(close, line, y)
            share, noise = np.unravel_index(evidence.argmax(), evidence.shape)
            if evidence[share, noise] > best:
                best = evidence[share, noise]
                choice = (length * self._unit, _TRENDS[share], float(_NOISES[noise]))
        if choice != (self._length, self._trend, self._ratio):
            self._length, self._trend, self._ratio = choice
            self._factored = 0

    def _extend(self, n: int) -> None:
        """Grow the inverse Cholesky factor of K + ratio I to n rows, in blocks."""
        if n > len(self._inverse):
            known, room = self._factored, max(n, 2 * len(self._inverse))
            larger = np.zeros((room, room))  # memory that is not used costs nothing, unlike np.pad
            larger[:known, :known] = self._inverse[:known, :known]
            self._inverse = larger
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


def evidences(close: FloatArray, line: FloatArray, y: FloatArray) -> FloatArray:
    """Return the log marginal likelihood, constants left out, of trends and noises.

    One eigendecomposition serves all of them, as a trend changes the covariance in few directions
    (Woodbury's identity and the determinant lemma).

    Args:
        close: float64[n, n], the kernel's correlation.
        line: float64[n, r], whose product with its transpose is the trend's covariance.
        y: float64[n], the target.

    Returns:
        float64[len(_TRENDS), len(_NOISES)].
    """
    values, vectors = np.linalg.eigh(close)
    q, w = vectors.T @ y, vectors.T @ line
    spread = np.maximum(values, 0.0) + _NOISES[:, None]
    scaled = w / spread[:, :, None]
    shares = np.array(_TRENDS)[:, None, None, None]
    inner = np.eye(w.shape[1]) + shares * (w.T @ scaled)
    across = (q @ scaled)[..., None]
    known = (shares * across.swapaxes(-1, -2) @ np.linalg.solve(inner, across))[..., 0, 0]
    signal = ((q**2 / spread).sum(axis=1) - known + 0.01) / (len(y) + 0.01)
    size = np.log(spread).sum(axis=1) + np.linalg.slogdet(inner)[1]
    return np.asarray(-0.5 * (len(y) * np.log(signal) + size))


def _lower_product(lower: FloatArray, other: FloatArray) -> FloatArray:
    """Return the product of a lower triangular matrix, float64[n, n], with float64[n, m]."""
    starts = range(0, len(lower), _BLOCK)
    parts = [lower[s : s + _BLOCK, : s + _BLOCK] @ other[: s + _BLOCK] for s in starts]
    return np.concatenate([other[:0], *parts])


def squared_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return float64[n, m] between the rows of a, float64[n, f], and b, float64[m, f]."""
    apart = np.asarray((a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1))
    apart -= 2.0 * a @ b.T
    np.maximum(apart, 0.0, out=apart)
    return apart


def trend(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the covariance, float64[n, m], of a line; 1 for standardised features on average."""
    return np.asarray((1.0 + a @ b.T) / (1.0 + a.shape[1]))


def trend_factor(x: FloatArray) -> FloatArray:
    """Return float64[n, f + 1], whose product with its transpose is `trend(x, x)`."""
    return np.hstack([np.ones((len(x), 1)), x]) / math.sqrt(1.0 + x.shape[1])


def correlation(squared: FloatArray, kernel: str) -> FloatArray:
    """Return the correlation at squared scaled distances: `rbf` or `matern` (5/2)."""
    if kernel == "rbf":
        return np.asarray(np.exp(-0.5 * squared))
    r = np.sqrt(5.0 * squared)  # in place from here on: an ask spends a third of its time here
    rising = np.square(r)
    rising /= 3.0
    rising += 1.0 + r
    rising *= np.exp(np.negative(r, out=r), out=r)
    return np.asarray(rising)
