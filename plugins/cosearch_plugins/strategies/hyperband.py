"""Multi-fidelity search: many designs judged cheaply, the best of them in full."""

from __future__ import annotations

import math

import numpy as np

from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.search.strategy import MultiFidelity
from cosearch.search.unseen import Unseen
from cosearch.typing import BoolArray, FloatArray, IntArray, Rows
from cosearch_plugins.strategies.parts.breeding import Breeding

_PARENTS = 8
"""Best designs, at the highest fidelity that has as many, from which new ones are bred."""


class Hyperband(MultiFidelity):
    """Asynchronous successive halving, from starts that are cheap, dear and in between.

    The fidelities are 1, 1/eta, 1/eta^2 and so on. A design that is among the best 1/eta of those
    judged at its fidelity is judged again at the next one; if there is none, a new design begins,
    at a fidelity drawn with the frequencies of Hyperband's brackets. New designs are random, or,
    for a share of them, bred from the best so far. Where the caller knows no fidelities every
    design is judged in full, and what remains is evolution beside random search.

    Sources: Li et al., Hyperband, JMLR 18, 2018, algorithm 1 (the brackets); Li et al., A System
    for Massively Parallel Hyperparameter Tuning, MLSys 2020, algorithm 2 (asynchronous halving);
    Awad, Mallik and Hutter, DEHB, IJCAI 2021 (breeding).
    """

    options = ParameterSpace(
        (
            Parameter("eta", (2, 3, 4, 10), 3, free=True, doc="one of so many designs goes on"),
            Parameter(
                "least", (0.01, 0.04, 0.1, 0.3, 1.0), 0.1, free=True, doc="no fidelity is lower"
            ),
            Parameter(
                "bred",
                (0.0, 0.25, 0.5, 0.75, 1.0),
                0.5,
                free=True,
                doc="share of new designs that are children of the best",
            ),
        )
    )

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        eta: int = 3,
        least: float = 0.1,
        bred: float = 0.5,
    ) -> None:
        super().__init__(space, rng)
        self._eta, self._bred = eta, bred
        halvings = int(math.log(1.0 / least) / math.log(eta) + 1e-9)
        self.fidelities = float(eta) ** -np.arange(halvings, -1.0, -1.0)
        sizes = [math.ceil((halvings + 1) / (s + 1) * eta**s) for s in range(halvings, -1, -1)]
        self._starts = np.array(sizes) / sum(sizes)
        self._results: list[dict[bytes, float]] = [{} for _ in self.fidelities]
        self._highest: dict[bytes, int] = {}
        self._unseen = Unseen(space)
        self._breeding = Breeding(space, crossover=0.5, mutations=1.5)

    def ask(self, n: int) -> Rows:
        """Return up to n new rows, to be judged in full."""
        return self._fresh(n)

    def ask_at(self, n: int) -> tuple[Rows, FloatArray]:
        """Return designs that go on, then new ones."""
        rows, levels = [], []
        for row, level in self._promotions()[:n]:
            rows.append(row)
            levels.append(level)
        fresh = self._fresh(n - len(rows))
        rows.extend(fresh)
        levels.extend(self.rng.choice(len(self.fidelities), size=len(fresh), p=self._starts))
        for row, level in zip(rows, levels, strict=True):
            self._highest[row.tobytes()] = int(level)
        shape = (len(rows), len(self.space.names))
        chosen = np.array(levels, dtype=np.int64)
        return np.array(rows, dtype=np.int64).reshape(shape), self.fidelities[chosen]

    def tell_at(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        fidelity: FloatArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Rank the rows among those judged at the same fidelity."""
        told = self.checked(rows, losses, feasible, violations)
        self._unseen.mark(told.rows)
        for row, loss, level in zip(told.rows, told.loss, self._levels(fidelity), strict=True):
            key = row.tobytes()
            self._results[level][key] = float(loss)
            self._highest[key] = max(int(level), self._highest.get(key, 0))

    def _levels(self, fidelity: FloatArray) -> IntArray:
        """Return the index, int64[n], of the nearest fidelity."""
        apart = np.abs(np.log(np.asarray(fidelity)[:, None]) - np.log(self.fidelities))
        return np.asarray(apart.argmin(axis=1), dtype=np.int64)

    def _promotions(self) -> list[tuple[Rows, int]]:
        """Return the rows that may go on and the level they go to, the highest first."""
        found = []
        for level in range(len(self.fidelities) - 2, -1, -1):
            results = self._results[level]
            best = _best(results, len(results) // self._eta)
            going_on = [key for key in best if self._highest[key] == level]
            found += [(np.frombuffer(key, dtype=np.int64), level + 1) for key in going_on]
        return found

    def _fresh(self, n: int) -> Rows:
        """Return up to n new rows, random or bred."""
        parents = self._parents()
        bred = int((self.rng.random(n) < self._bred).sum()) if len(parents) else 0
        children = self._breeding.offspring(
            bred,
            parents,
            lambda k: self.rng.integers(0, len(parents), size=k),
            self._unseen,
            self.rng,
        )
        return np.concatenate([children, self._unseen.draw(n - len(children), self.rng)])

    def _parents(self) -> Rows:
        for results in reversed(self._results):
            best = _best(results, _PARENTS)
            if len(best) == _PARENTS:
                return np.array([np.frombuffer(key, dtype=np.int64) for key in best])
        return np.zeros((0, len(self.space.names)), dtype=np.int64)


def _best(results: dict[bytes, float], n: int) -> list[bytes]:
    """Return up to n keys of least, finite loss."""
    ranked = sorted(results, key=results.__getitem__)[:n]
    return [key for key in ranked if math.isfinite(results[key])]
