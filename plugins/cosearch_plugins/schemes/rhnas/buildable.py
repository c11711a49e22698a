"""What can be built, learned from attempts: a classifier that screens what is proposed.

A policy learns what can be built through its rewards alone, and forgets it where it is led to
something new. A perceptron fitted to every attempt so far, built or not, knows it apart from what
machines cost. What it thinks less likely than not is left out, but for a share, so that a wrong
verdict is met again.
"""

from __future__ import annotations

import numpy as np

from cosearch.search.parameters import Space
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.strategies.parts.perceptron import Perceptron

LEAST = 16
"""Attempts of either kind before there is a verdict."""

EVERY = 32
"""Attempts between two fits."""

STEPS = 80
"""Of each fit, which goes on from the last one."""

DOUBT = 0.05
"""Share of proposals that are let through whatever the verdict."""


class Buildable:
    """Which machines are likely to be built.

    Args:
        space: of machines.
        rng: random stream.
    """

    def __init__(self, space: Space, rng: np.random.Generator) -> None:
        self._cards = [int(c) for c in space.cardinalities]
        self._rng = rng
        self._rows: Rows = np.zeros((0, len(self._cards)), dtype=np.int64)
        self._built: BoolArray = np.zeros(0, dtype=bool)
        self._fitted = 0
        self._net: Perceptron | None = None

    def learn(self, rows: Rows, built: BoolArray) -> None:
        """Take attempts in: rows int64[n, d], and which could be built, bool[n]."""
        self._rows = np.concatenate([self._rows, rows])
        self._built = np.concatenate([self._built, built])
        kinds = int(self._built.sum()), int((~self._built).sum())
        if min(kinds) < LEAST or len(self._built) - self._fitted < EVERY:
            return
        self._fitted = len(self._built)
        x = self._described(self._rows)
        if self._net is None:
            self._net = Perceptron(x.shape[1], self._rng)
        self._net.fit(x, self._built.astype(np.float64), self._rng, STEPS, labels=True)

    def odds(self, rows: Rows) -> FloatArray:
        """Return the logarithm of the odds that machines can be built, float64[n]; 0 is unknown."""
        if self._net is None or len(rows) == 0:
            return np.zeros(len(rows))
        return self._net(self._described(rows))

    def passed(self, rows: Rows) -> Rows:
        """Return the rows that are let through, in order."""
        doubted = self._rng.random(len(rows)) < DOUBT
        return rows[(self.odds(rows) >= 0.0) | doubted]

    def _described(self, rows: Rows) -> FloatArray:
        """Return rows as numbers: each choice by itself, and how far along its column it is."""
        blocks = [rows[:, [j]] == np.arange(c) for j, c in enumerate(self._cards)]
        along = [rows[:, [j]] / max(1, c - 1) - 0.5 for j, c in enumerate(self._cards)]
        return np.concatenate([*blocks, *along], axis=1).astype(np.float64)
