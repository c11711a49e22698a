"""What a strategy that looks back remembers, and losses on a scale that models can use."""

from __future__ import annotations

import numpy as np

from cosearch.errors import CosearchError
from cosearch.search.parameters import Space
from cosearch.search.strategy import Told
from cosearch.typing import BoolArray, FloatArray, Rows


class History:
    """Every trial told so far, in growing arrays."""

    def __init__(self, space: Space) -> None:
        self._rows = np.zeros((64, len(space.names)), dtype=np.int64)
        self._losses = np.zeros((64, 1))
        self._feasible = np.zeros(64, dtype=bool)
        self._n = 0

    def __len__(self) -> int:
        """How many trials."""
        return self._n

    def add(self, told: Told) -> None:
        """Append trials; raises CosearchError when the number of losses is another one."""
        m = told.losses.shape[1]
        if self._n == 0 and m != self._losses.shape[1]:
            self._losses = np.zeros((len(self._losses), m))
        if m != self._losses.shape[1]:
            raise CosearchError(f"{self._losses.shape[1]} losses were told first and now {m}")
        end = self._n + len(told.rows)
        if end > len(self._rows):
            room = max(end, 2 * len(self._rows)) - len(self._rows)
            self._rows = np.pad(self._rows, ((0, room), (0, 0)))
            self._losses = np.pad(self._losses, ((0, room), (0, 0)))
            self._feasible = np.pad(self._feasible, (0, room))
        self._rows[self._n : end] = told.rows
        self._losses[self._n : end] = told.losses
        self._feasible[self._n : end] = told.feasible
        self._n = end

    @property
    def rows(self) -> Rows:
        """int64[n, d]."""
        return self._rows[: self._n]

    @property
    def loss(self) -> FloatArray:
        """float64[n]: the first loss; infinite where not feasible."""
        return self._losses[: self._n, 0]

    @property
    def losses(self) -> FloatArray:
        """float64[n, m]; infinite where not feasible."""
        return self._losses[: self._n]

    @property
    def feasible(self) -> BoolArray:
        """bool[n]."""
        return self._feasible[: self._n]

    @property
    def usable(self) -> BoolArray:
        """bool[n]: feasible and of finite losses."""
        return self.feasible & np.isfinite(self.losses).all(axis=1)

    def best(self, n: int) -> Rows:
        """Return up to n rows of least loss, the best first; only usable ones."""
        order = np.argsort(self.loss, kind="stable")[:n]
        return self.rows[order[self.usable[order]]]


def standardised(loss: FloatArray) -> FloatArray:
    """Return finite losses, float64[n], with mean 0 and deviation 1.

    The logarithm of positive losses is taken first: costs of machines span decades, and a model
    of their logarithm is wrong by factors, not by joules. Equal losses become zeros.
    """
    if len(loss) == 0:
        return loss.copy()
    scaled = np.log(loss) if loss.min() > 0 else loss / max(float(np.abs(loss).max()), 1e-300)
    scaled = scaled - scaled.mean()
    deviation = float(scaled.std())
    return scaled / deviation if deviation > 1e-12 else np.zeros_like(scaled)
