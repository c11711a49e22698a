"""The counter-example: a fully differentiable search of hardware, and its two repairs.

A machine's parameters become Gumbel-softmax weights, a perceptron fitted to machines that can be
built predicts the cost, and the weights descend. What comes out is rounded - and, where the rules
of what can be built are not known, is a machine that cannot be built, because the perceptron has
never seen one. Two repairs: a classifier of what can be built, fitted to free attempts, as a
penalty; and rounding to the nearest machine that can be built.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from cosearch.search.parameters import ParameterSpace
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.schemes.rhnas.networks import softmax
from cosearch_plugins.strategies.parts.perceptron import Perceptron
from cosearch_plugins.strategies.parts.policy import Adam

DESIGNS, ATTEMPTS = 2_000, 4_000
"""Machines that the estimator is fitted to; attempts at building that the classifier is."""

FIT_STEPS, STEPS = 3_000, 500


@frozen
class Rounded:
    """What relaxed searches come to.

    Attributes:
        weight: of the classifier's penalty; 0 is none.
        searches: how many.
        built: of the rounded machines can be built.
        regret: median over these, to the best machine; not a number where none is.
        repaired: median regret when rounded to the nearest machine that can be built.
        worst: of those.
    """

    weight: float
    searches: int
    built: int
    regret: float
    repaired: float
    worst: float


class RelaxedHardware:
    """Relaxed searches of one space of machines whose costs are known.

    Args:
        space: of machines, every rule hidden.
        losses: float64[size] by rank; infinite where a machine cannot be built.
        rng: random stream.
    """

    def __init__(self, space: ParameterSpace, losses: FloatArray, rng: np.random.Generator) -> None:
        self._space, self._losses, self._rng = space, losses, rng
        self._cards = [int(c) for c in space.cardinalities]
        self._buildable = np.flatnonzero(np.isfinite(losses))
        seen = rng.choice(self._buildable, min(DESIGNS, len(self._buildable)), replace=False)
        logs = np.log(losses[seen])
        self._shift, self._scale = float(logs.mean()), float(logs.std()) or 1.0
        x = self._one_hot(space.unrank(seen))
        self._estimator = Perceptron(x.shape[1], rng)
        targets = (logs - self._shift) / self._scale
        self._estimator.fit(x, targets, rng, FIT_STEPS, labels=False)
        self.error = float(np.abs(np.expm1((self._estimator(x) - targets) * self._scale)).mean())
        tried = space.sample(ATTEMPTS, rng)
        can = np.isfinite(losses[space.rank(tried)])
        self._classifier = Perceptron(x.shape[1], rng)
        self._classifier.fit(
            self._one_hot(tried), can.astype(np.float64), rng, FIT_STEPS, labels=True
        )

    def _one_hot(self, rows: Rows) -> FloatArray:
        blocks = [rows[:, [j]] == np.arange(c) for j, c in enumerate(self._cards)]
        return np.concatenate(blocks, axis=1).astype(np.float64)

    def search(self, searches: int, weight: float) -> Rounded:
        """Return what some searches side by side come to.

        Args:
            searches: how many.
            weight: of what the classifier says, in standard deviations of log cost.
        """
        rows = self._descend(searches, weight)
        losses = self._losses[self._space.rank(rows)]
        built: BoolArray = np.isfinite(losses)
        best = float(self._losses[self._buildable].min())
        near = self._losses[[self._nearest(row) for row in rows]] / best - 1.0
        regret = float(np.median(losses[built] / best - 1.0)) if built.any() else float("nan")
        return Rounded(
            weight, searches, int(built.sum()), regret, float(np.median(near)), float(near.max())
        )

    def _descend(self, searches: int, weight: float) -> Rows:
        ends = np.cumsum(self._cards)
        theta = self._rng.normal(0.0, 0.1, searches * int(ends[-1]))
        adam = Adam(len(theta), 0.05)
        for step in range(STEPS):
            heat = 2.0 * 0.1 ** (step / (STEPS - 1))
            logits = theta.reshape(searches, -1)
            noisy = logits + self._rng.gumbel(size=logits.shape)
            soft = [softmax(part / heat) for part in np.split(noisy, ends[:-1], axis=1)]
            x = np.concatenate(soft, axis=1)
            slope = self._slope(x, weight)
            parts = zip(soft, np.split(slope, ends[:-1], axis=1), strict=True)
            back = [w * (s - (w * s).sum(axis=1, keepdims=True)) / heat for w, s in parts]
            theta = theta - adam.step(np.concatenate(back, axis=1).ravel())
        parts_of = np.split(theta.reshape(searches, -1), ends[:-1], axis=1)
        return np.stack([part.argmax(axis=1) for part in parts_of], axis=1)

    def _slope(self, x: FloatArray, weight: float) -> FloatArray:
        slope = self._estimator.slopes(x, np.ones(len(x)))[1]
        if weight:
            odds = self._classifier(x)
            doubt = -1.0 / (1.0 + np.exp(np.clip(odds, -30, 30)))
            slope = slope + weight * self._classifier.slopes(x, doubt)[1]
        return slope

    def _nearest(self, row: Rows) -> int:
        """Return the machine that can be built with the fewest steps from a row, by rank."""
        steps = np.abs(self._space.unrank(self._buildable) - row).sum(axis=1)
        return int(self._buildable[int(steps.argmin())])
