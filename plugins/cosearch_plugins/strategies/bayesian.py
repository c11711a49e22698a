"""Constrained Bayesian optimization."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cosearch.space import Parameter, ParameterSpace, Space
from cosearch.strategy import Strategy
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch.unseen import Unseen
from cosearch_plugins.strategies.acquisition import Acquisition, Belief, normal_cdf
from cosearch_plugins.strategies.gaussian_process import KernelSurrogate
from cosearch_plugins.strategies.history import History, standardised
from cosearch_plugins.strategies.surrogates import LinearSurrogate, Surrogate

_BEST = 5
"""Designs around which local candidates are sought."""

_INDICATED = 16
"""Columns with up to so many choices enter the linear model one-hot as well."""

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


class Features:
    """A space's features, standardised once and for all by a sample of the space.

    Args:
        space: to be described.
        rng: draws the sample.
        indicators: whether columns of few choices are described one-hot as well.
        raw: the encoding takes the place of the features.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, indicators: bool, raw: bool = False
    ) -> None:
        self._space = space
        self._described = space.encode if raw else space.features
        self._indicated = np.flatnonzero(
            (space.cardinalities > 2) & (space.cardinalities <= _INDICATED)
        )
        if not indicators:
            self._indicated = self._indicated[:0]
        sample = self._raw(space.sample_feasible(256, rng, max_draws=65_536)[0])
        if len(sample) == 0:
            sample = self._raw(space.sample(256, rng))
        self._mean, deviation = sample.mean(axis=0), sample.std(axis=0)
        self._scale = np.where(deviation > 1e-9, deviation, 1.0)

    def __len__(self) -> int:
        """How many."""
        return len(self._mean)

    def __call__(self, rows: Rows) -> FloatArray:
        """Return float64[n, f]."""
        return np.asarray(np.clip((self._raw(rows) - self._mean) / self._scale, -10.0, 10.0))

    def _raw(self, rows: Rows) -> FloatArray:
        blocks = [np.asarray(self._described(rows), dtype=np.float64)]
        choices = self._space.cardinalities
        blocks += [(rows[:, [j]] == np.arange(choices[j])).astype(float) for j in self._indicated]
        return np.nan_to_num(np.hstack(blocks), posinf=1e30, neginf=-1e30)


class Bayesian(Strategy):
    """A Gaussian process proposes designs that are good, or uncertain, and likely feasible.

    Known constraints are met by rejection sampling of the candidates. Unknown ones are learned by
    a second model of the same kind, regressing the labels +1 and -1, whose probability weights
    the acquisition. The linear kernel is Bayesian linear regression on the space's features.

    Sources: Shi et al., Learned Hardware/Software Co-Design of Neural Accelerators,
    arXiv:2010.02075, sections 3.2 to 4.3; feasibility: Gelbart, Snoek and Adams, UAI 2014, with
    least-squares classification, Rasmussen and Williams 2006, section 6.5. Beyond the paper, a
    share of the candidates are neighbours of the best designs; `local=0` is the paper's search.
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
        raw = features == "encoding"
        self._features = Features(space, rng, indicators=kernel == "linear" and not raw, raw=raw)
        self._loss_model = _surrogate(kernel, len(self._features))
        self._label_model = _surrogate(kernel, len(self._features))
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

    def tell(self, rows: Rows, losses: FloatArray, feasible: BoolArray) -> None:
        """Take the trials in: a rank-one update each with the linear kernel."""
        told = self.checked(rows, losses, feasible)
        self._unseen.mark(told.rows)
        for row in told.rows:
            self._pending.pop(row.tobytes(), None)
        self._history.add(told)
        x = self._features(told.rows)
        self._label_model.add(x)
        self._loss_model.add(x[told.feasible & np.isfinite(told.loss)])

    def _propose(self, n: int) -> Rows:
        """Return up to n rows chosen by the acquisition."""
        pool = self._pool(max(self._candidates, 2 * n))
        if len(pool) == 0:
            return pool
        pending = [row[None, :] for row in self._pending.values()]
        x = self._features(np.concatenate([*pending, pool]))
        self._asks += 1
        weight = self._probability_of_feasible(x)
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

    def _probability_of_feasible(self, x: FloatArray) -> FloatArray:
        feasible = self._history.usable
        if feasible.all():
            return np.ones(len(x))
        labels = np.where(feasible, 1.0, -1.0)
        # The share of feasible trials is the prior mean; a floor keeps the acquisition's order
        # where everything looks infeasible.
        share = (feasible.sum() + 1.0) / (len(feasible) + 2.0)
        centre = 2.0 * share - 1.0
        self._label_model.fit(labels - centre)
        mean, covariance = self._label_model.posterior(x)
        spread = np.sqrt(np.maximum(np.diag(covariance), 0.0) + self._label_model.noise)
        return np.maximum(normal_cdf((mean + centre) / spread), 1e-6)


def _surrogate(kernel: str, features: int) -> Surrogate:
    if kernel == "linear":
        return LinearSurrogate(features)
    return KernelSurrogate(features, kernel)
