"""Constrained Bayesian optimization."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.search.strategy import Strategy
from cosearch.search.unseen import Unseen
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.strategies.parts.acquisition import Acquisition, Belief
from cosearch_plugins.strategies.parts.feasibility import FeasibilityModel
from cosearch_plugins.strategies.parts.features import Features
from cosearch_plugins.strategies.parts.gaussian_process import KernelSurrogate
from cosearch_plugins.strategies.parts.history import History, standardised
from cosearch_plugins.strategies.parts.surrogates import LinearSurrogate, Surrogate

_BEST = 5
"""Designs around which local candidates are sought."""

_DOUBTED = 1e-6
"""Weight of a candidate that is infeasible by the drawn model, times its probability."""

WARMUP = Parameter(
    "warmup", (2, 5, 10, 30, 10_000), 5, free=True,
    doc="random designs before the model; the paper takes 5 for hardware, 30 for mappings",
)  # fmt: skip
ACQUISITION = Parameter(
    "acquisition", ("lcb", "ei", "thompson"), "lcb",
    doc="lower confidence bound, expected improvement or Thompson sampling",
)  # fmt: skip
CONFIDENCE = Parameter(
    "confidence", (0.0, 0.5, 1.0, 2.0, 3.0, 100.0), 1.0, free=True,
    doc="lambda of the lower confidence bound, in deviations",
)  # fmt: skip


class Bayesian(Strategy):
    """A Gaussian process proposes designs that are good, or uncertain, and likely feasible.

    Known constraints are met by rejection sampling of the candidates. Unknown ones are learned by
    logistic regression: every ask draws a model from its posterior, and the candidates that are
    feasible by it come first. A candidate thus counts as often as it is likely to be feasible.
    Weighting by the probability itself, as the paper does, keeps away from the edge of what can
    be built, where the best designs are. The linear kernel is Bayesian linear regression.

    Sources: Shi et al., Learned Hardware/Software Co-Design of Neural Accelerators,
    arXiv:2010.02075, sections 3.2 to 4.3; constraints drawn from their posterior: Eriksson and
    Poloczek, Scalable Constrained Bayesian Optimization, AISTATS 2021, section 2. Beyond the
    paper, a share of the candidates are neighbours of the best designs; `local=0` has none.
    """

    options = ParameterSpace(
        (
            Parameter("kernel", ("linear", "matern", "rbf"), "linear", doc="of the process"),
            ACQUISITION,
            CONFIDENCE,
            WARMUP,
            Parameter("candidates", (10, 75, 150, 300, 600, 100_000), 150, free=True,
                      doc="feasible designs among which the acquisition chooses"),
            Parameter("local", (0.0, 0.25, 0.5, 0.75, 1.0), 0.5, free=True,
                      doc="share of the candidates that are neighbours of the best designs"),
            Parameter("features", ("space", "encoding"), "space",
                      doc="what the model sees: the space's features, or the bare choices"),
        )
    )  # fmt: skip

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        kernel: str = "linear",
        acquisition: str = "lcb",
        confidence: float = 1.0,
        warmup: int = 5,
        candidates: int = 150,
        local: float = 0.5,
        features: str = "space",
    ) -> None:
        super().__init__(space, rng)
        self._acquisition = Acquisition(acquisition, confidence)
        self._warmup, self._candidates, self._local = warmup, candidates, local
        self._features = Features(space, rng, raw=features == "encoding")
        seen, named = len(self._features), self._features.named
        self._loss_model = _surrogate(kernel, seen, named)
        self._label_model = FeasibilityModel(seen, named)
        self._history = History(space)
        self._unseen = Unseen(space)
        self._pending: dict[bytes, Rows] = {}
        self._raw_draws = self._asks = 0

    @property
    def statistics(self) -> Mapping[str, float]:
        """Raw draws spent on feasible candidates, and how many asks they served."""
        return {"raw_draws": self._raw_draws + self._unseen.draws, "model_asks": self._asks}

    def ask(self, n: int) -> Rows:
        """Return random rows while warming up, then those of the highest acquisition."""
        begun = len(self._history) + len(self._pending)
        early = n if len(self._history) == 0 else min(n, max(0, self._warmup - begun))
        rows = self._unseen.draw(early, self.rng)
        if n > early:
            modelled = self._propose(n - early)
            filler = self._unseen.draw(n - early - len(modelled), self.rng)
            rows = np.concatenate([rows, modelled, filler])
        self._pending.update((row.tobytes(), row.copy()) for row in rows)
        return rows

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Take the trials in: a rank-one update each with the linear kernel."""
        told = self.checked(rows, losses, feasible, violations)
        self._unseen.mark(told.rows)
        for row in told.rows:
            self._pending.pop(row.tobytes(), None)
        self._history.add(told)
        x = self._features(told.rows)
        usable = told.feasible & np.isfinite(told.loss)
        self._label_model.add(x, usable)
        self._loss_model.add(x[usable])

    def _propose(self, n: int) -> Rows:
        """Return up to n rows chosen by the acquisition."""
        pool = self._pool(max(self._candidates, 2 * n))
        if len(pool) == 0:
            return pool
        pending = [row[None, :] for row in self._pending.values()]
        x = self._features(np.concatenate([*pending, pool]))
        self._asks += 1
        weight = self._weight_of_feasible(x)
        usable = self._history.usable
        y = standardised(self._history.loss[usable])
        if len(y):
            self._loss_model.fit(y)
            mean, covariance = self._loss_model.posterior(x)
            noise, best = self._loss_model.noise, float(y.min())
        else:
            mean, covariance, noise, best = np.zeros(len(x)), np.eye(len(x)), 1.0, 1.0
        belief = Belief(mean, covariance, noise, weight, best, len(pending))
        chosen = self._acquisition.choose(n, belief, self.rng)
        return self._unseen.take(pool[chosen - len(pending)])

    def _pool(self, size: int) -> Rows:
        """Return unseen candidates that meet the known constraints: random ones and neighbours."""
        best = self._history.best(_BEST)
        near = best[:0]
        if len(best) and self._local > 0:
            wanted = int(size * self._local)
            near = self._neighbours(best, wanted)
        anywhere = self._unseen.find(size - len(near), self.rng)
        pool = np.concatenate([near, anywhere])
        return pool[self._unseen.new(pool)]

    def _neighbours(self, rows: Rows, wanted: int) -> Rows:
        """Return up to that many unseen feasible rows one to three changes away."""
        found = rows[:0]
        for _ in range(4):
            tried = rows[self.rng.integers(0, len(rows), size=2 * wanted)]
            changes = self.rng.integers(1, 4, size=len(tried))
            for step in range(3):
                tried[changes > step] = self.space.perturb(tried[changes > step], self.rng)
            self._raw_draws += len(tried)
            found = np.concatenate([found, tried[self.space.feasible(tried)]])
            found = found[self._unseen.new(found)]
            if len(found) >= wanted:
                break
        return found[:wanted]

    def _weight_of_feasible(self, x: FloatArray) -> FloatArray:
        """Return the weight of each candidate, float64[c]: 1 if a drawn model has it feasible."""
        if self._history.usable.all():
            return np.ones(len(x))
        self._label_model.fit()
        doubted = _DOUBTED * np.maximum(self._label_model.probability(x), _DOUBTED)
        return np.where(self._label_model.drawn(x, self.rng), 1.0, doubted)


def _surrogate(kernel: str, seen: int, named: int) -> Surrogate:
    if kernel == "linear":
        return LinearSurrogate(seen, named)
    return KernelSurrogate(named, kernel)
