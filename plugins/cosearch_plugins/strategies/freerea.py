"""FreeREA: evolution by a sum of training-free scores, each normalised within the population."""

from __future__ import annotations

import numpy as np

from cosearch.errors import CosearchError
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.search.strategy import Strategy
from cosearch.search.unseen import Unseen
from cosearch.typing import BoolArray, FloatArray, IntArray, Rows

STEPS = 50
"""Generations without anything new before a random row is asked for."""


def normalised_sum(losses: FloatArray) -> FloatArray:
    """Return float64[n]: the sum of the columns of losses, float64[n, m], each scaled alike.

    A column is divided by the largest of its absolute values. A loss that is infinite (a score that
    failed) counts as the largest finite one of its column; a column without a finite one counts for
    nothing.
    """
    total = np.zeros(len(losses))
    for column in losses.T:
        finite = column[np.isfinite(column)]
        scale = np.abs(finite).max(initial=0.0)
        if scale > 0:
            total += np.where(np.isfinite(column), column, finite.max()) / scale
    return total


class FreeRea(Strategy):
    """The best two of a sample have two mutants and a child; the oldest dies.

    The losses of a design are summed up, each divided by its largest absolute value in the
    population: with minus the scores NASWOT, LogSynflow and `skip` as objectives this is the search
    of the paper. A child that was met before joins the population again and is not asked for.

    Source: Cavagnero, Robbiano, Caputo and Averta, FreeREA: Training-Free Evolution-based
    Architecture Search, WACV 2023, arXiv 2207.05135; its public code for the order of steps.
    """

    multi_objective = True
    options = ParameterSpace(
        (
            Parameter("population", (4, 25, 50, 100, 200, 4096), 100, free=True,
                      doc="designs that stay"),
            Parameter("sample", (2, 10, 25, 50, 4096), 25, free=True,
                      doc="designs drawn for each step; the best two are parents"),
        )
    )  # fmt: skip

    def __init__(
        self, space: Space, rng: np.random.Generator, *, population: int = 100, sample: int = 25
    ) -> None:
        super().__init__(space, rng)
        self._size, self._sample = population, sample
        self._unseen = Unseen(space)
        self._asked = 0
        self._rows = np.zeros((0, len(space.names)), dtype=np.int64)
        self._losses: FloatArray | None = None
        self._known: dict[bytes, FloatArray] = {}
        self._bred = False

    def ask(self, n: int) -> Rows:
        """Return random rows until a population has been asked for, then what was bred."""
        early = n if len(self._rows) < 2 else min(n, max(0, self._size - self._asked))
        rows = self._unseen.draw(early, self.rng)
        for _ in range(STEPS):
            if len(rows) >= n or len(self._rows) < 2:
                break
            children = self._children()
            self._rejoin(children)
            rows = np.concatenate([rows, self._unseen.take(children, n - len(rows))])
        if len(rows) < n:
            rows = np.concatenate([rows, self._unseen.draw(n - len(rows), self.rng)])
        self._asked += len(rows)
        return rows

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Let the feasible rows join the population; the oldest dies, then the worst leave."""
        told = self.checked(rows, losses, feasible, violations)
        self._unseen.mark(told.rows)
        if self._losses is not None and self._losses.shape[1] != told.losses.shape[1]:
            raise CosearchError(
                f"FreeRea was told {self._losses.shape[1]} losses first and now "
                f"{told.losses.shape[1]}"
            )
        good = told.feasible
        for row, loss in zip(told.rows[good], told.losses[good], strict=True):
            self._known[row.tobytes()] = loss
        self._join(told.rows[good], told.losses[good])

    def _join(self, rows: Rows, losses: FloatArray) -> None:
        before = losses[:0] if self._losses is None else self._losses
        self._rows = np.concatenate([self._rows, rows])
        self._losses = np.concatenate([before, losses])
        over = len(self._rows) - self._size
        if over <= 0:
            return
        oldest = 1 if self._bred else 0
        self._bred = True
        self._rows, self._losses = self._rows[oldest:], self._losses[oldest:]
        order = np.argsort(normalised_sum(self._losses), kind="stable")[: self._size]
        stay = np.sort(order)
        self._rows, self._losses = self._rows[stay], self._losses[stay]

    def _rejoin(self, children: Rows) -> None:
        """Let children that were met before join the population again."""
        known = [row for row in children if row.tobytes() in self._known]
        if known:
            losses = np.array([self._known[row.tobytes()] for row in known])
            self._join(np.array(known), losses)

    def _children(self) -> Rows:
        """Return a mutant of each of the best two of a sample, and a child of both, int64[3, d]."""
        assert self._losses is not None
        few = min(self._sample, len(self._rows))
        drawn: IntArray = self.rng.choice(len(self._rows), size=few, replace=False)
        best = drawn[np.argsort(normalised_sum(self._losses[drawn]), kind="stable")[:2]]
        parents = self._rows[best]
        child = self.space.crossover(parents[:1], parents[1:], self.rng)
        return np.concatenate([self.space.perturb(parents, self.rng), child])
