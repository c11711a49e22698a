"""Kernels and trust regions that `bayesian` does without, raced against it.

python benchmarks/bayesian_variants.py --seeds 10 --trials 200

They stand here and not among the options because they did not win: docs/strategies.md has the
figures. Problems are those of `strategy_tuning.py`, on which a choice may be made, and complete
tables of `cosearch bench-optimizers`, on which it may not.
"""

from __future__ import annotations

import argparse
import math
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from strategy_tuning import PROBLEMS

from cosearch.hooks.discovery import load_registry
from cosearch.registry.registry import Named
from cosearch.search.parameters import Space
from cosearch.search.strategy import Strategy
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.bench.races import Landscape, Race, beaten, race
from cosearch_plugins.bench.tables import table_of
from cosearch_plugins.bench.tasks import task
from cosearch_plugins.strategies.bayesian import Bayesian
from cosearch_plugins.strategies.parts.features import Features
from cosearch_plugins.strategies.parts.gaussian_process import (
    _NOISES,
    KernelSurrogate,
    correlation,
    squared_distances,
    trend,
)

FACTORS = (0.25, 0.5, 2.0, 4.0)
"""By which a feature's length scale is changed, one feature after the other."""

LEAST_GAIN = 1.0
"""Of log evidence, for a length scale of a feature's own: the prior that all are one."""


def _evidence(k: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Return the log marginal likelihood, constants left out, and the noise ratio it is for."""
    values, vectors = np.linalg.eigh(k)
    q2 = (vectors.T @ y) ** 2
    spread = np.maximum(values, 0.0) + _NOISES[:, None]
    signal = ((q2 / spread).sum(axis=1) + 0.01) / (len(y) + 0.01)
    evidence = -0.5 * (len(y) * np.log(signal) + np.log(spread).sum(axis=1))
    best = int(evidence.argmax())
    return float(evidence[best]), float(_NOISES[best])


APART = (0.0, 0.3, 1.0, 3.0)
"""Decays of the correlation tried, of designs that differ in all categories."""


class ArdSurrogate(KernelSurrogate):
    """A length scale a feature, by coordinate ascent on the evidence from the common one."""

    def __init__(self, features: int, kernel: str) -> None:
        super().__init__(features, kernel)
        self._scales = np.ones(features)

    def _k(self, a: FloatArray, b: FloatArray) -> FloatArray:
        near = squared_distances(a * self._scales, b * self._scales) / self._length**2
        return correlation(near, self._kernel) + self._trend * trend(a, b)

    def _choose(self, y: FloatArray) -> None:
        super()._choose(y)
        chosen = np.linspace(0, len(y) - 1, min(len(y), 96)).astype(np.int64)
        x, y = self._x[chosen], y[chosen]
        before = self._scales.copy()
        best, self._ratio = _evidence(self._k(x, x), y)
        for j in range(x.shape[1]):
            for factor in FACTORS:
                kept = self._scales[j]
                self._scales[j] = kept * factor
                value, ratio = _evidence(self._k(x, x), y)
                if value > best + LEAST_GAIN:
                    best, self._ratio = value, ratio
                else:
                    self._scales[j] = kept
        if (before != self._scales).any():
            self._factored = 0


class MixedSurrogate(KernelSurrogate):
    """Matern on the features, times an exponential of how many categories differ.

    The categories come last, one column a choice.
    """

    def __init__(self, features: int, kernel: str, categories: int) -> None:
        super().__init__(features + categories, kernel)
        self._unit = math.sqrt(max(features, 1))
        self._features, self._categories, self._apart = features, categories, 0.0

    def _read(self, x: FloatArray) -> FloatArray:
        first = x[:, : self._features]
        return np.hstack([first, x[:, x.shape[1] - self._categories :]])

    def _k(self, a: FloatArray, b: FloatArray) -> FloatArray:
        f = self._features
        near = correlation(squared_distances(a[:, :f], b[:, :f]) / self._length**2, self._kernel)
        other = squared_distances(a[:, f:], b[:, f:]) / 2.0
        return near * np.exp(-self._apart * other) + self._trend * trend(a[:, :f], b[:, :f])

    def _choose(self, y: FloatArray) -> None:
        chosen = np.linspace(0, len(y) - 1, min(len(y), 96)).astype(np.int64)
        x, y = self._x[chosen], y[chosen]
        best, found = -math.inf, (self._length, self._trend, self._ratio, self._apart)
        for length in (0.15, 0.3, 0.6, 1.2, 2.5, 5.0):
            for share in (0.0, 0.3, 3.0, 30.0):
                for apart in APART:
                    self._length, self._trend, self._apart = length * self._unit, share, apart
                    value, ratio = _evidence(self._k(x, x), y)
                    if value > best:
                        best, found = value, (self._length, share, ratio, apart)
        self._length, self._trend, self._ratio, self._apart = found
        self._factored = 0


class WithCategories(Features):
    """Features and codes, then one column for every choice of every unordered column."""

    def __init__(self, space: Space, rng: np.random.Generator) -> None:
        super().__init__(space, rng)
        columns = zip(space.cardinalities.tolist(), space.ordered.tolist(), strict=True)
        self._units = [(j, np.eye(c)) for j, (c, o) in enumerate(columns) if c > 1 and not o]
        self.categories = len(np.hstack([np.zeros((1, 0)), *(u[:1] for _, u in self._units)])[0])

    def __len__(self) -> int:
        """How many numbers."""
        return super().__len__() + self.categories

    def __call__(self, rows: Rows) -> FloatArray:
        """Return float64[n, f]."""
        return np.hstack([super().__call__(rows), *(u[rows[:, j]] for j, u in self._units)])


class Ard(Bayesian):
    """With a length scale a feature."""

    def __init__(self, space: Space, rng: np.random.Generator) -> None:
        super().__init__(space, rng)
        self._loss_model = ArdSurrogate(self._features.named, "matern")


class Mixed(Bayesian):
    """With a kernel of its own for categories."""

    def __init__(self, space: Space, rng: np.random.Generator) -> None:
        super().__init__(space, rng)
        self._features = WithCategories(space, rng)
        named = self._features.named
        self._label_model = type(self._label_model)(len(self._features), named)
        self._margins = type(self._margins)(len(self._features), named)
        self._loss_model = MixedSurrogate(named, "matern", self._features.categories)


class Trusting(Bayesian):
    """Candidates differ from the best designs in few columns: in more after successes.

    The region grows by a column after three better designs in a row, shrinks by one after as many
    failures as there are columns, and is the whole space again once it has shrunk to nothing.
    Source: Eriksson et al., Scalable Global Optimization via Local Bayesian Optimization, NeurIPS
    2019, section 2, its lengths replaced by a number of columns.
    """

    def __init__(self, space: Space, rng: np.random.Generator) -> None:
        super().__init__(space, rng)
        self._width = int((space.cardinalities > 1).sum())
        self._reach, self._good, self._bad = max(1, self._width // 2), 0, 0

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Move the region, and take the trials in."""
        least = self._history.loss.min(initial=np.inf)
        super().tell(rows, losses, feasible, violations)
        better = bool(self._history.loss.min(initial=np.inf) < least)
        self._good, self._bad = (self._good + 1, 0) if better else (0, self._bad + 1)
        if self._good >= 3:
            self._reach, self._good = min(self._reach + 1, self._width), 0
        elif self._bad >= max(4, self._width):
            self._reach, self._bad = self._reach - 1, 0
        if self._reach == 0:
            self._reach = self._width

    def _pool(self, size: int, best: Rows) -> Rows:
        whole = super()._pool(size, best)
        if len(best) == 0 or self._reach == self._width:
            return whole
        near = self._neighbours(best[:1], size)
        apart = (whole[:, None, :] != best[None, :1, :]).sum(axis=2).min(axis=1, initial=10**9)
        pool = np.concatenate([near, whole[apart <= self._reach]])
        pool = pool[(pool != best[:1]).sum(axis=1) <= self._reach]
        return pool[self._unseen.new(pool)] if len(pool) else whole


VARIANTS = {"default": Bayesian, "ard": Ard, "mixed": Mixed, "trust": Trusting}


def landscape(name: str) -> Landscape:
    """Return a problem of formulas, or a complete table, by name."""
    return PROBLEMS[name] if name in PROBLEMS else table_of(task(name), load_registry())


def main() -> None:
    """Print medians; a star marks who is worse than the first by the test of the races."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variants", default=";".join(VARIANTS))
    parser.add_argument("--problems", default="array;fields;gemmini;systolic;eyeriss;vta;simba")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=200)
    given = parser.parse_args()
    budgets = (*(b for b in (50, 200, 1000) if b < given.trials), given.trials)
    registry = load_registry()
    for name in given.problems.split(";"):
        land = landscape(name)
        runs: list[Race] = []
        print(f"{name}: designs to 5 %, then median regret in % at {budgets}")
        for variant in given.variants.split(";"):
            named: Named[Strategy] = Named(variant, variant, VARIANTS[variant], {}, registry)
            runs += [race(name, land, named, seed, budgets) for seed in range(given.seeds)]
        _show(runs, len(budgets))


def _show(runs: list[Race], budgets: int) -> None:
    worse = [beaten(runs, i) for i in range(budgets)]
    for variant in dict.fromkeys(run.strategy for run in runs):
        of = [run for run in runs if run.strategy == variant]
        regrets = np.median([run.regrets for run in of], axis=0)
        shown = "".join(
            f"{100 * r:10.3g}" + (" ", "*")[worse[i][variant]] for i, r in enumerate(regrets)
        )
        hit = float(np.median([run.hit for run in of]))
        each = 1e3 * math.fsum(run.cpu_s for run in of) / sum(run.designs for run in of)
        print(f"  {variant:10}{hit:6.0f}{shown}{each:8.1f} ms", flush=True)


if __name__ == "__main__":
    main()
