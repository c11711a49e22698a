"""Bayesian optimization in a continuous relaxation, rounded: a rival to `bayesian`."""

from __future__ import annotations

import numpy as np

from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.search.strategy import Strategy
from cosearch.search.unseen import Unseen
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.strategies.bayesian import ACQUISITION, CONFIDENCE
from cosearch_plugins.strategies.parts.acquisition import Acquisition, Belief
from cosearch_plugins.strategies.parts.gaussian_process import KernelSurrogate
from cosearch_plugins.strategies.parts.history import History, standardised
from cosearch_plugins.strategies.parts.rounding import Rounding

_STEP = 0.1
"""Deviation of the points tried around the best one; the relaxation spans 0 to 1."""


class RelaxAndRound(Strategy):
    """A Matern Gaussian process over the unit cube of encodings; its choice is rounded to a row.

    It knows nothing of choices and constraints: the process sees the point before rounding, and
    an infeasible design counts as the worst loss seen. A choice that rounds to a row that was
    seen, or breaks a known constraint, is passed over. Unordered columns are relaxed one-hot.

    Source: the baseline of arXiv:2010.02075, section 5.1; its defects are analysed by
    Garrido-Merchan and Hernandez-Lobato, Neurocomputing 380, 2020.
    """

    options = ParameterSpace(
        (
            ACQUISITION,
            CONFIDENCE,
            Parameter(
                "warmup",
                (2, 5, 10, 30, 10_000),
                5,
                free=True,
                doc="random designs before the model",
            ),
            Parameter(
                "candidates",
                (100, 300, 600, 1000, 100_000),
                300,
                free=True,
                doc="points of the cube among which the acquisition chooses",
            ),
        )
    )

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        acquisition: str = "lcb",
        confidence: float = 1.0,
        warmup: int = 5,
        candidates: int = 300,
    ) -> None:
        super().__init__(space, rng)
        self._acquisition = Acquisition(acquisition, confidence)
        self._warmup, self._candidates = warmup, candidates
        self._rounding = Rounding(space)
        self._width = self._rounding.width
        self._model = KernelSurrogate(self._width, "matern")
        self._points = np.zeros((0, self._width))
        self._history = History(space)
        self._unseen = Unseen(space)
        self._relaxed: dict[bytes, FloatArray] = {}

    def ask(self, n: int) -> Rows:
        """Return random rows while warming up, then rounded choices of the acquisition."""
        begun = len(self._history) + len(self._relaxed)
        early = n if not self._history.usable.any() else min(n, max(0, self._warmup - begun))
        rows = self._unseen.draw(early, self.rng)
        for row, point in zip(rows, self.space.encode(rows), strict=True):
            self._relaxed[row.tobytes()] = point
        if n > early:
            modelled = self._propose(n - early)
            filler = self._unseen.draw(n - early - len(modelled), self.rng)
            rows = np.concatenate([rows, modelled, filler])
        return rows

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Take the trials in at the points that were rounded to them."""
        told = self.checked(rows, losses, feasible, violations)
        self._unseen.mark(told.rows)
        encoded = self.space.encode(told.rows)
        points = encoded.copy()
        for i, row in enumerate(told.rows):
            points[i] = self._relaxed.pop(row.tobytes(), encoded[i])
        self._history.add(told)
        self._model.add(points)
        self._points = np.concatenate([self._points, points])

    def _propose(self, n: int) -> Rows:
        """Return up to n rows, nearest to the points of highest acquisition."""
        usable = self._history.usable
        y = np.full(len(self._history), np.nan)
        y[usable] = standardised(self._history.loss[usable])
        y[~usable] = y[usable].max()
        self._model.fit(y)
        points = self._cube(np.flatnonzero(usable)[y[usable].argmin()])
        rows = self._rounding.nearest(points)
        possible = self.space.feasible(rows) & self._unseen.new(rows)
        points, rows = points[possible], rows[possible]
        pending = np.array([*self._relaxed.values()]).reshape(len(self._relaxed), self._width)
        mean, covariance = self._model.posterior(np.concatenate([pending, points]))
        belief = Belief(
            mean, covariance, self._model.noise, np.ones(len(mean)), float(y.min()), len(pending)
        )
        chosen = self._acquisition.choose(n, belief, self.rng) - len(pending)
        for j in chosen:
            self._relaxed[rows[j].tobytes()] = points[j]
        return self._unseen.take(rows[chosen])

    def _cube(self, best: int) -> FloatArray:
        """Return points of the unit cube, float64[c, e]: half anywhere, half about a trial."""
        half = self._candidates // 2
        anywhere = self.rng.random((self._candidates - half, self._width))
        steps = self.rng.normal(0.0, _STEP, size=(half, self._width))
        return np.concatenate([np.clip(self._points[best] + steps, 0.0, 1.0), anywhere])
