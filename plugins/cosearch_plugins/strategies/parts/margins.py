"""By how much designs miss limits, learned limit by limit.

A label says on which side of its limits a design is; a margin says how far, so that two misses
already show the direction in which they become smaller.
"""

from __future__ import annotations

import numpy as np

from cosearch.search.strategy import Told
from cosearch.typing import BoolArray, FloatArray
from cosearch_plugins.strategies.parts.acquisition import normal_cdf, normal_pdf
from cosearch_plugins.strategies.parts.surrogates import LinearSurrogate

_LEAST = 0.05
"""A design that uses less than this share of what is allowed counts as using so much."""

_MISSES = 3
"""Misses of a limit before it is modelled."""

_ROUNDS = 5
"""Of expectation maximization in a fit; it goes on where the last fit ended."""

_DUE = 1.05
"""A model is fitted again when its trials have grown by this factor."""


class Margin:
    """One limit: Bayesian linear regression of the logarithm of what is used over what is allowed.

    Of a feasible design of which nothing is told it is known that it uses no more than allowed:
    it counts as what the model expects under that condition (expectation maximization for
    censored data).

    Source: Tobin, Estimation of Relationships for Limited Dependent Variables, Econometrica 26,
    1958; Dempster, Laird and Rubin, JRSS B 39, 1977, section 4.
    """

    def __init__(self, features: int, named: int) -> None:
        self._model = LinearSurrogate(features, named)
        self._x = np.zeros((0, features))
        self._target = np.zeros(0)
        self._fitted = 0
        self.misses = 0

    def add(self, x: FloatArray, violation: FloatArray, feasible: BoolArray) -> None:
        """Take in designs, float64[n, f]; of those that say nothing the feasible ones alone."""
        counts = feasible | ~np.isnan(violation)
        x, violation = x[counts], violation[counts]
        used = np.clip(1.0 + violation, _LEAST, 1e6)
        self.misses += int((violation > 0).sum())
        self._model.add(x)
        self._x = np.concatenate([self._x, x])
        self._target = np.concatenate([self._target, np.log(used)])

    @property
    def known(self) -> bool:
        """Whether there is something to go by."""
        return self.misses >= _MISSES

    def fit(self) -> None:
        """Condition on what is known, where enough is new."""
        if len(self._target) < _DUE * self._fitted:
            return
        target, hidden = self._target.copy(), np.isnan(self._target)
        if not self._fitted:
            target[hidden] = -0.5
            self._model.fit(target)
        for _ in range(_ROUNDS if hidden.any() else 1):
            target[hidden] = self._within(self._x[hidden])
            self._model.fit(target)
        self._fitted = len(target)

    def _within(self, x: FloatArray) -> FloatArray:
        """Return the mean, float64[n], of what the model says, given that it is below 0."""
        mean, deviation = self._model.mean(x), max(float(np.sqrt(self._model.noise)), 1e-6)
        z = -mean / deviation
        below = mean - deviation * normal_pdf(z) / np.maximum(normal_cdf(z), 1e-12)
        return np.clip(below, np.log(_LEAST), 0.0)

    def drawn(self, x: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return what a model drawn from the posterior says, float64[c]; over 0: missed."""
        return self._model.drawn(x, rng)


class Margins:
    """Every limit met so far.

    Args:
        features: numbers a design is described by.
        named: how many of them are features; codes are the rest.
    """

    def __init__(self, features: int, named: int) -> None:
        self._size, self._named = features, named
        self._limits: list[Margin] = []
        self._x = np.zeros((0, features))

    def add(self, x: FloatArray, told: Told) -> None:
        """Take in trials described by x, float64[n, f]."""
        for j in range(len(self._limits), told.violations.shape[1]):
            self._limits.append(Margin(self._size, self._named))
            before = len(self._x)
            nothing, yes = np.full(before, np.nan), np.ones(before, dtype=bool)
            self._limits[j].add(self._x, nothing, yes)
        unknown = np.full(len(x), np.nan)
        for j, limit in enumerate(self._limits):
            told_of = told.violations[:, j] if j < told.violations.shape[1] else unknown
            limit.add(x, told_of, told.feasible)
        self._x = np.concatenate([self._x, x[told.feasible]])

    def drawn(self, x: FloatArray, rng: np.random.Generator) -> BoolArray:
        """Return bool[c]: what meets every limit by models drawn from their posteriors."""
        ok = np.ones(len(x), dtype=bool)
        for limit in self._limits:
            if limit.known:
                limit.fit()
                ok &= limit.drawn(x, rng) <= 0.0
        return ok
