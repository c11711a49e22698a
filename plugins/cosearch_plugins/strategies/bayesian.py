"""Constrained Bayesian optimization."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.search.strategy import Strategy, Told
from cosearch.search.unseen import Unseen
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.strategies.parts.acquisition import Acquisition, Belief
from cosearch_plugins.strategies.parts.feasibility import FeasibilityModel
from cosearch_plugins.strategies.parts.features import Features
from cosearch_plugins.strategies.parts.gaussian_process import KernelSurrogate
from cosearch_plugins.strategies.parts.history import History, standardised
from cosearch_plugins.strategies.parts.margins import Margins
from cosearch_plugins.strategies.parts.pending import Pending
from cosearch_plugins.strategies.parts.scalarised import drawn_weights, scalarised
from cosearch_plugins.strategies.parts.surrogates import LinearSurrogate, Surrogate
from cosearch_plugins.strategies.sobol import Sobol

_BEST = 5
"""Designs around which local candidates are sought."""

_PATIENCE = 20
"""The model starts without the feasible designs it waits for after so many times their number."""

_BORED = 50
"""Designs told without a better one, of one loss, after which some are drawn at random."""

_WEIGHTINGS = 8
"""Of several losses tried in one ask."""

_DOUBTED = 1e-6
"""Weight of a candidate that is infeasible by the drawn model, times its probability."""

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

    Known constraints are met by rejection sampling of the candidates. Unknown ones are learned
    twice. A logistic regression learns from the labels; by how much limits are missed is learned
    limit by limit. Every ask draws all of these models from their posteriors, and the candidates
    that are feasible by them come first, so a candidate counts as often as it is likely to be
    feasible. Weighting by the probability itself, as the paper does, keeps away from the edge of
    what can be built, where the best designs are. The linear kernel is Bayesian linear regression.

    Of several losses each design is sought for another weighting of them (ParEGO).

    Sources: Shi et al., Learned Hardware/Software Co-Design of Neural Accelerators,
    arXiv:2010.02075, sections 3.2 to 4.3; constraints drawn from their posterior: Eriksson and
    Poloczek, Scalable Constrained Bayesian Optimization, AISTATS 2021, section 2; a share drawn at
    random, so that no wrong belief lasts: Bull, Convergence Rates of Efficient Global Optimization
    Algorithms, JMLR 2011, section 4. Beyond the paper, the process has a Matern kernel, the first
    designs are a Sobol sequence and a share of the candidates are neighbours of the best:
    `kernel=linear,start=random,warmup=5,local=0`, `explore=0` and `margins=false` take that back.
    """

    multi_objective = True
    at_once = 10
    options = ParameterSpace(
        (
            Parameter("kernel", ("linear", "matern", "rbf"), "matern", doc="of the process"),
            ACQUISITION,
            CONFIDENCE,
            Parameter("start", ("sobol", "random"), "sobol", doc="what the first designs are"),
            Parameter("warmup", (2, 3, 5, 10, 30, 10_000), 3, free=True,
                      doc="feasible designs before the model; of a random start, all designs"),
            Parameter("candidates", (10, 75, 150, 300, 600, 100_000), 150, free=True,
                      doc="feasible designs among which the acquisition chooses"),
            Parameter("local", (0.0, 0.25, 0.5, 0.75, 1.0), 0.5, free=True,
                      doc="share of the candidates that are neighbours of the best designs"),
            Parameter("explore", (0.0, 0.05, 0.1, 0.2, 1.0), 0.1, free=True,
                      doc=f"share drawn at random once {_BORED} designs brought nothing better"),
            Parameter("features", ("space", "encoding"), "space",
                      doc="what the model sees: the space's features, or the bare choices"),
            Parameter("floors", (False, True), False,
                      doc="learns how far designs are above their floors, in a pruned space"),
            Parameter("margins", (False, True), True,
                      doc="learns by how much limits are missed, where that is told"),
        )
    )  # fmt: skip

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        kernel: str = "matern",
        acquisition: str = "lcb",
        confidence: float = 1.0,
        start: str = "sobol",
        warmup: int = 3,
        candidates: int = 150,
        local: float = 0.5,
        explore: float = 0.1,
        features: str = "space",
        floors: bool = False,
        margins: bool = True,
    ) -> None:
        super().__init__(space, rng)
        self._acquisition = Acquisition(acquisition, confidence)
        self._floors = floors
        self._warmup, self._candidates, self._local = warmup, candidates, local
        self._explore, self._bored = explore, 0
        self._features = Features(space, rng, raw=features == "encoding")
        seen, named = len(self._features), self._features.named
        self._loss_model = _surrogate(kernel, seen, named)
        self._label_model = FeasibilityModel(seen, named)
        self._margins = Margins(seen, named) if margins else None
        self._history = History(space)
        self._unseen = Unseen(space)
        self._sobol = Sobol(space, rng, self._unseen) if start == "sobol" else None
        self._pending = Pending(len(space.names))
        self._raw_draws = self._asks = 0

    @property
    def statistics(self) -> Mapping[str, float]:
        """Raw draws spent on feasible candidates, and how many asks they served."""
        return {"raw_draws": self._raw_draws + self._unseen.draws, "model_asks": self._asks}

    def ask(self, n: int) -> Rows:
        """Return the first designs while warming up, then those of the highest acquisition."""
        rows = self._first(self._early(n))
        if self._bored > _BORED and self._explore > 0:
            drawn = self.rng.binomial(n - len(rows), self._explore)
            rows = np.concatenate([rows, self._unseen.draw(drawn, self.rng)])
        missing = n - len(rows)
        # Of several losses, each weighting of them is asked for a few designs.
        share = missing if self._m == 1 else -(-missing // _WEIGHTINGS)
        found = [rows]
        for begun in range(0, missing, max(share, 1)):
            modelled = self._propose(min(share, missing - begun))
            self._pending.add(modelled)
            found.append(modelled)
        filler = self._unseen.draw(n - sum(map(len, found)), self.rng)
        self._pending.add(np.concatenate([rows, filler]))
        return np.concatenate([*found, filler])

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Take the trials in: a rank-one update each with the linear kernel."""
        told = self.checked(rows, losses, feasible, violations)
        self._note_better(told)
        self._history.add(told)
        self._unseen.mark(told.rows)
        self._pending.remove(told.rows)
        x = self._features(told.rows)
        usable = told.feasible & np.isfinite(told.losses).all(axis=1)
        self._label_model.add(x, usable)
        self._loss_model.add(x[usable])
        if self._margins is not None:
            self._margins.add(x, told)

    def _note_better(self, told: Told) -> None:
        """Count the designs since the last that was better than all before, of one loss."""
        least = float(self._history.loss.min(initial=np.inf))
        better = told.losses.shape[1] > 1 or told.losses[:, 0].min(initial=np.inf) < least
        self._bored = 0 if better else self._bored + len(told.rows)

    @property
    def _m(self) -> int:
        return int(self._history.losses.shape[1])

    def _early(self, n: int) -> int:
        """Return how many of the next n designs come before the model."""
        begun = len(self._history) + len(self._pending)
        if len(self._history) == 0:
            return n
        if self._sobol is None:
            return min(n, max(0, self._warmup - begun))
        enough = int(self._history.usable.sum()) >= self._warmup
        return 0 if enough else min(n, max(0, _PATIENCE * self._warmup - begun))

    def _first(self, n: int) -> Rows:
        return self._unseen.draw(n, self.rng) if self._sobol is None else self._sobol.ask(n)

    def _propose(self, n: int) -> Rows:
        """Return up to n rows chosen by the acquisition."""
        usable = self._history.usable
        losses = self._history.losses[usable]
        loss = losses[:, 0]
        if self._m > 1:
            loss = scalarised(losses, drawn_weights(self._m, self.rng))
        best = self._history.rows[usable][np.argsort(loss, kind="stable")[:_BEST]]
        pool = self._pool(max(self._candidates, 2 * n), best)
        if len(pool) == 0:
            return pool
        pending = self._pending.rows
        x = self._features(np.concatenate([pending, pool]))
        self._asks += 1
        weight = self._weight_of_feasible(x)
        if len(loss):
            told, ahead, least = self._expected(loss, np.concatenate([pending, pool]))
            self._loss_model.fit(told)
            mean, covariance = self._loss_model.posterior(x)
            mean, noise = mean + ahead, self._loss_model.noise
        else:
            mean, covariance, noise, least = np.zeros(len(x)), np.eye(len(x)), 1.0, 1.0
        belief = Belief(mean, covariance, noise, weight, least, len(pending))
        chosen = self._acquisition.choose(n, belief, self.rng)
        return self._unseen.take(pool[chosen - len(pending)])

    def _expected(self, loss: FloatArray, rows: Rows) -> tuple[FloatArray, FloatArray, float]:
        """Return what the model is to learn, what to add to its means of rows, and the least loss.

        Where floors of the loss are known, how far above them designs are is learned.
        """
        y = standardised(loss)
        if self._m > 1 or not self._floors or loss.min() <= 0:
            return y, np.zeros(len(rows)), float(y.min())
        known = self._history.rows[self._history.usable]
        floors = self.space.least(np.concatenate([known, rows]))
        if floors is None or not (np.isfinite(floors).all() and (floors > 0).all()):
            return y, np.zeros(len(rows)), float(y.min())
        low = np.log(floors[:, 0])
        above = np.log(loss) - low[: len(known)]
        centre, scale = float(above.mean()), max(float(above.std()), 1e-9)
        least = (float(np.log(loss.min())) - centre) / scale
        return (above - centre) / scale, low[len(known) :] / scale, least

    def _pool(self, size: int, best: Rows) -> Rows:
        """Return unseen candidates that meet the known constraints: random ones and neighbours."""
        near = best[:0]
        if len(best) and self._local > 0:
            near = self._neighbours(best, int(size * self._local))
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
        """Return the weight of each candidate, float64[c]: 1 if drawn models have it feasible."""
        if self._history.usable.all():
            return np.ones(len(x))
        self._label_model.fit()
        doubted = _DOUBTED * np.maximum(self._label_model.probability(x), _DOUBTED)
        possible = self._label_model.drawn(x, self.rng)
        if self._margins is not None:
            possible &= self._margins.drawn(x, self.rng)
        return np.where(possible, 1.0, doubted)


def _surrogate(kernel: str, seen: int, named: int) -> Surrogate:
    if kernel == "linear":
        return LinearSurrogate(seen, named)
    return KernelSurrogate(named, kernel)
