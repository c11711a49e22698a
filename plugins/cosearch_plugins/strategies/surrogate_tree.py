"""Gradient-boosted trees that rank candidates, as TVM's tuner does."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import numpy as np

from cosearch.errors import MissingExtraError
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.search.strategy import Strategy
from cosearch.search.unseen import Unseen
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.strategies.parts.history import History, standardised

_BEST = 8
"""Designs from which the walks through the model's landscape start."""

_STEPS = 8
"""Rounds of perturbation a walk takes."""


class SurrogateTree(Strategy):
    """Boosted trees predict the loss; walks that descend it propose, some rows stay random.

    An infeasible design is learned as worse than the worst. Needs the extra `trees`.

    Sources: Chen et al., Learning to Optimize Tensor Programs, NeurIPS 2018 (with XGBoost and
    simulated annealing on the model); the trees are scikit-learn's histogram-based ones, after
    Ke et al., LightGBM, NeurIPS 2017.
    """

    options = ParameterSpace(
        (
            Parameter("warmup", (2, 5, 10, 20, 30, 10_000), 10, free=True,
                      doc="random designs before the model"),
            Parameter("candidates", (50, 150, 300, 600, 100_000), 300, free=True,
                      doc="designs walked from and ranked by the model"),
            Parameter("epsilon", (0.0, 0.05, 0.1, 0.2, 1.0), 0.1, free=True,
                      doc="share of designs that stay random"),
            Parameter("trees", (20, 50, 100, 200, 2000), 50, free=True, doc="boosting rounds"),
        )
    )  # fmt: skip

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        warmup: int = 10,
        candidates: int = 300,
        epsilon: float = 0.1,
        trees: int = 50,
    ) -> None:
        super().__init__(space, rng)
        _regressor(trees, 0)
        self._warmup, self._candidates = warmup, candidates
        self._epsilon, self._trees = epsilon, trees
        self._history = History(space)
        self._unseen = Unseen(space)
        self._model: Any = None
        self._fitted = self._asked = 0

    def ask(self, n: int) -> Rows:
        """Return random rows while warming up, then the ones the model ranks best."""
        begun = max(self._asked, len(self._history))
        early = n if len(self._history) == 0 else min(n, max(0, self._warmup - begun))
        explore = early + int((self.rng.random(n - early) < self._epsilon).sum())
        self._asked += n
        modelled = self._propose(n - explore) if n > explore else self._history.rows[:0]
        filler = self._unseen.draw(n - len(modelled), self.rng)
        return np.concatenate([modelled, filler])

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Remember the trials; the model is fitted again once they have grown by a tenth."""
        told = self.checked(rows, losses, feasible, violations)
        self._unseen.mark(told.rows)
        self._history.add(told)

    def _propose(self, n: int) -> Rows:
        """Return up to n unseen rows of least predicted loss, found by descending walks."""
        self._fit()
        start = self._unseen.find(self._candidates, self.rng)
        best = self._history.best(_BEST)
        walkers = np.concatenate([np.repeat(best, self._candidates // (2 * _BEST), axis=0), start])
        walkers = walkers[: self._candidates]
        visited = [walkers]
        predicted = self._predict(walkers)
        for _ in range(_STEPS):
            moved = self.space.perturb(walkers, self.rng)
            ahead = np.where(self.space.feasible(moved), self._predict(moved), np.inf)
            visited.append(moved)
            better = ahead < predicted
            walkers = np.where(better[:, None], moved, walkers)
            predicted = np.where(better, ahead, predicted)
        pool = np.concatenate(visited)
        pool = pool[self._unseen.new(pool)]
        pool = pool[self.space.feasible(pool)]
        if len(pool) == 0:
            return pool
        order = np.argsort(self._predict(pool), kind="stable")
        return self._unseen.take(pool[order], n)

    def _fit(self) -> None:
        n = len(self._history)
        if self._model is not None and n < 1.1 * self._fitted:
            return
        usable = self._history.usable
        y = np.full(n, 2.0)
        y[usable] = standardised(self._history.loss[usable])
        y[~usable] = y[usable].max(initial=1.0) + 1.0
        self._model = _regressor(self._trees, int(self.rng.integers(2**31)))
        with _one_thread():
            self._model.fit(self._inputs(self._history.rows), y)
        self._fitted = n

    def _predict(self, rows: Rows) -> FloatArray:
        if len(rows) == 0:
            return np.zeros(0)
        with _one_thread():
            return np.asarray(self._model.predict(self._inputs(rows)), dtype=np.float64)

    def _inputs(self, rows: Rows) -> FloatArray:
        """Return the domain features and the raw choices, float64[n, f + d]."""
        return np.hstack([self.space.features(rows), rows.astype(np.float64)])


@cache
def _threads() -> Any:  # noqa: ANN401 - of an optional package
    """Return the control of loaded thread pools; finding them takes milliseconds."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _one_thread() -> AbstractContextManager[object]:
    """Keep OpenMP from spinning on a second core: a few hundred rows are no work for two."""
    limits: AbstractContextManager[object] = _threads().limit(limits=1, user_api="openmp")
    return limits


def _regressor(trees: int, seed: int) -> Any:  # noqa: ANN401 - of an optional package
    try:
        from sklearn.ensemble import HistGradientBoostingRegressor
    except ImportError:
        raise MissingExtraError("the strategy surrogate-tree", "trees") from None
    return HistGradientBoostingRegressor(
        max_iter=trees, learning_rate=0.15, max_leaf_nodes=15, min_samples_leaf=3,
        early_stopping=False, random_state=seed,
    )  # fmt: skip
