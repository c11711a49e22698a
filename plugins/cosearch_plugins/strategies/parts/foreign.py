"""Other people's optimizers as strategies: what all of them need, so that an adapter is short."""

from __future__ import annotations

import random
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.search.parameters import Space
from cosearch.search.strategy import Strategy, Told
from cosearch.search.unseen import Unseen
from cosearch.typing import BoolArray, FloatArray, Rows

_RUNNING = 4096
"""Rows that may wait for their results; those asked before them are given up."""

_BEYOND = 1e30
"""Worse than any loss: of what is infeasible while there is no loss to be worse than."""


@frozen(eq=False)
class Result:
    """What an optimizer is told of a row.

    Attributes:
        losses: float64[m], all finite; where infeasible the worst seen so far.
        missed: 0 where feasible, otherwise by how much limits are missed, 1 where unknown.
        first: whether nothing feasible was seen before it, so that `losses` are zeros.
    """

    losses: FloatArray
    missed: float
    first: bool = False

    @property
    def penalised(self) -> float:
        """The first loss, where no constraint can be told: a miss is beyond the worst."""
        if self.first:
            return _BEYOND * (1.0 + self.missed)
        first = float(self.losses[0])
        return first + (abs(first) + 1.0) * self.missed

    @property
    def logged(self) -> float:
        """The inverse hyperbolic sine of `penalised`, like its logarithm where that is large."""
        return float(np.arcsinh(self.penalised))


class Foreign(Strategy):
    """Asks an optimizer for a row at a time and tells it what came of each.

    What it repeats is answered from memory, what breaks a known constraint is answered as
    infeasible, and neither reaches the caller; random rows make up what is missing. It begins with
    the first result, for only then is the number of losses known.
    """

    def __init__(self, space: Space, rng: np.random.Generator) -> None:
        super().__init__(space, rng)
        self._unseen = Unseen(space)
        self._results: dict[bytes, Result] = {}
        self._waiting: dict[bytes, list[Any]] = {}
        self._worst: FloatArray | None = None
        self._met = False  # a feasible design

    @abstractmethod
    def _begin(self, objectives: int) -> None:
        """Make the optimizer."""

    @abstractmethod
    def _next(self) -> tuple[Rows, Any] | None:
        """Return the row, int64[d], it proposes, and its name for it; None while it waits."""

    @abstractmethod
    def _learn(self, row: Rows, result: Result, handle: Any) -> None:  # noqa: ANN401 - its own
        """Tell it; the handle is None for a row that it did not propose."""

    @contextmanager
    def _apart(self, seed: int | None = None) -> Iterator[None]:
        """Keep its warnings off the screen, and what it draws from global generators apart.

        Those are seeded, from this strategy's own unless it is told how, and put back afterwards.
        """
        before = random.getstate(), np.random.get_state()  # noqa: NPY002
        seed = self._drawn_seed() if seed is None else seed
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])  # noqa: NPY002

    def _drawn_seed(self) -> int:
        return int(self.rng.integers(2**31))

    def ask(self, n: int) -> Rows:
        """Return up to n rows: the optimizer's, made up with random ones where it has none."""
        found = [self._unseen.draw(0, self.rng)]
        missing = n
        for _ in range(4 * n + 8 if self._worst is not None and self.space.size > 1 else 0):
            proposed = self._next() if missing else None
            if proposed is None:
                break
            row, handle = proposed
            fresh = self._unseen.take(row[None, :])
            found.append(fresh)
            missing -= len(fresh)
            known = self._known(row)
            if known is not None:
                self._learn(row, known, handle)
            else:
                self._wait(row, handle)
        found.append(self._unseen.draw(missing, self.rng))
        return np.concatenate(found)

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Tell the optimizer, also of rows that it did not propose."""
        told = self.checked(rows, losses, feasible, violations)
        self._unseen.mark(told.rows)
        if len(told.rows) == 0 or self.space.size == 1:  # no optimizer likes to have no choice
            return
        m = told.losses.shape[1]
        if self._worst is None:
            self._worst = np.zeros(m)
            self._begin(m)
        if len(self._worst) != m:
            name = type(self).__name__
            raise CosearchError(f"{name} was told {len(self._worst)} losses first and now {m}")
        for i, row in enumerate(told.rows):
            result = self._result(told, i)
            self._results[row.tobytes()] = result
            for handle in self._waiting.pop(row.tobytes(), [None]):
                self._learn(row, result, handle)

    def _wait(self, row: Rows, handle: Any) -> None:  # noqa: ANN401
        self._waiting.setdefault(row.tobytes(), []).append(handle)
        while len(self._waiting) > _RUNNING:
            del self._waiting[next(iter(self._waiting))]

    def _known(self, row: Rows) -> Result | None:
        """Return what is known of a row without evaluating it."""
        result = self._results.get(row.tobytes())
        if result is None and not bool(self.space.feasible(row[None, :])[0]):
            worst = np.zeros(1) if self._worst is None else self._worst
            return Result(worst, 1.0, first=not self._met)
        return result

    def _result(self, told: Told, i: int) -> Result:
        losses = told.losses[i]
        worst = np.zeros(len(losses)) if self._worst is None else self._worst
        if not (told.feasible[i] and np.isfinite(losses).all()):
            missed = float(told.violation[i])
            return Result(worst, missed if 0 < missed < np.inf else 1.0, first=not self._met)
        self._worst = np.maximum(worst, losses)
        self._met = True
        return Result(losses, 0.0)


class Generations(Foreign):
    """An optimizer that proposes a generation at once, and waits until all of it is known."""

    def __init__(self, space: Space, rng: np.random.Generator) -> None:
        super().__init__(space, rng)
        self._queue: list[tuple[Rows, int]] = []
        self._answers: list[Result | None] = []

    @abstractmethod
    def _generation(self) -> Rows:
        """Return the next rows, int64[g, d]; none when it cannot go on."""

    @abstractmethod
    def _finish(self, results: Sequence[Result]) -> None:
        """Tell the optimizer of all rows of its generation, in their order."""

    def _next(self) -> tuple[Rows, Any] | None:
        if not self._queue:
            results = [answer for answer in self._answers if answer is not None]
            if len(results) < len(self._answers):
                return None
            if results:
                self._finish(results)
            rows = self._generation()
            self._answers = [None] * len(rows)
            self._queue = [(row, i) for i, row in enumerate(rows)]
        return self._queue.pop(0) if self._queue else None

    def _learn(self, row: Rows, result: Result, handle: Any) -> None:  # noqa: ANN401, ARG002
        if handle is not None:
            self._answers[handle] = result


def nearest_rows(points: FloatArray, space: Space) -> Rows:
    """Return the rows, int64[n, d], of points, float64[n, d]: columns share out [0, 1]."""
    cards = space.cardinalities
    return np.clip((points * cards).astype(np.int64), 0, cards - 1)
