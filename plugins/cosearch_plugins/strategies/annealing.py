"""Simulated annealing."""

from __future__ import annotations

import math

import numpy as np
from attrs import define

from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.search.strategy import Strategy
from cosearch.search.unseen import Unseen
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.strategies.parts.breeding import neighbour

_FAR = 1e3
"""A rise in loss no temperature accepts."""


@define(eq=False)
class _Chain:
    """A walk: where it stands. Without a row it has not begun."""

    row: Rows | None = None
    loss: float = math.inf


class Annealing(Strategy):
    """Metropolis walks under a falling temperature, several at once so that batches are of use.

    A rise is measured by the logarithm of the ratio of losses where losses are positive, and in
    mean absolute steps where they are not, so that temperatures mean the same on every space: at
    temperature 1 a loss 2.7 times as high is accepted with probability 0.37.

    Source: Kirkpatrick, Gelatt and Vecchi, Optimization by Simulated Annealing, Science 220, 1983.
    """

    options = ParameterSpace(
        (
            Parameter("chains", (1, 2, 4, 8, 16, 256), 4, free=True, doc="independent walks"),
            Parameter("hot", (0.1, 0.3, 1.0, 3.0, 100.0), 0.3, free=True, doc="first temperature"),
            Parameter(
                "cold", (0.0001, 0.003, 0.01, 0.03, 1.0), 0.01, free=True, doc="last temperature"
            ),
            Parameter(
                "horizon",
                (10, 100, 300, 1000, 3000, 10_000_000),
                300,
                free=True,
                doc="trials until it is cold; then each walk is heated from the best again",
            ),
        )
    )

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        chains: int = 4,
        hot: float = 0.3,
        cold: float = 0.01,
        horizon: int = 300,
    ) -> None:
        super().__init__(space, rng)
        self._hot, self._cold, self._horizon = hot, cold, horizon
        self._chains = [_Chain() for _ in range(chains)]
        self._walker: dict[bytes, int] = {}
        self._turn = self._told = self._steps = 0
        self._travelled = 0.0
        self._best = _Chain()
        self._unseen = Unseen(space)

    @property
    def temperature(self) -> float:
        """Falls geometrically from hot to cold over the horizon, again and again."""
        share = (self._told % self._horizon) / self._horizon
        return self._hot * math.pow(self._cold / self._hot, share)

    def ask(self, n: int) -> Rows:
        """Return a neighbour of each walk in turn, or a random row of a walk that begins."""
        asked: list[Rows] = []
        for _ in range(n):
            walk = self._turn % len(self._chains)
            here = self._chains[walk].row
            if here is None:
                rows = self._unseen.draw(1, self.rng)
            else:
                rows = neighbour(here, self.space, self._unseen, self.rng)
            if len(rows) == 0:
                break
            self._turn += 1
            self._walker[rows[0].tobytes()] = walk
            asked.append(rows)
        none = np.zeros((0, len(self.space.names)), dtype=np.int64)
        return np.concatenate([none, *asked])

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Let each walk step to its row, or stay; a stranger's row goes to the worst walk."""
        told = self.checked(rows, losses, feasible, violations)
        self._unseen.mark(told.rows)
        for row, loss in zip(told.rows, told.loss.tolist(), strict=True):
            walk = self._walker.pop(row.tobytes(), None)
            if walk is None:
                worst = max(self._chains, key=lambda chain: chain.loss)
                self._step(worst, row, loss, temperature=0.0)
            else:
                self._step(self._chains[walk], row, loss, self.temperature)
            if loss < self._best.loss:
                self._best = _Chain(row, loss)
            self._told += 1
            if self._told % self._horizon == 0 and self._best.row is not None:
                self._chains = [_Chain(self._best.row, self._best.loss) for _ in self._chains]

    def _step(self, chain: _Chain, row: Rows, loss: float, temperature: float) -> None:
        rise = self._rise(chain.loss, loss)
        luck = self.rng.random()
        if chain.row is None or rise <= 0 or luck < math.exp(-rise / max(temperature, 1e-9)):
            chain.row, chain.loss = row, loss

    def _rise(self, before: float, after: float) -> float:
        """Return how much worse a loss is than the one before; negative when better."""
        if before == after:
            return 0.0
        if not (math.isfinite(before) and math.isfinite(after)):
            return _FAR if after > before else -_FAR
        if before > 0 and after > 0:
            return math.log(after) - math.log(before)
        self._steps += 1
        self._travelled += abs(after - before)
        return (after - before) / (self._travelled / self._steps)
