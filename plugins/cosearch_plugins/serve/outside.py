"""A strategy without ideas of its own: it proposes what it is given."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import numpy as np

from cosearch.errors import CosearchError
from cosearch.search.parameters import Space
from cosearch.search.strategy import Strategy
from cosearch.typing import BoolArray, FloatArray, Rows


class Outside(Strategy):
    """Proposes the rows in its queue, and asks for more when that is empty.

    Args:
        space: of the designs.
        rng: unused.
        more: fills the queue, or raises CosearchError to end the session; None where no program
            is connected.
        suggests: a strategy that is told everything, for programs that ask for ideas.
    """

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        more: Callable[[], None] | None = None,
        suggests: Strategy | None = None,
    ) -> None:
        super().__init__(space, rng)
        self._more, self._suggests = more, suggests
        self._queue: deque[tuple[int, ...]] = deque()

    def add(self, rows: Iterable[tuple[int, ...]]) -> None:
        """Queue rows."""
        self._queue.extend(rows)

    def ask(self, n: int) -> Rows:
        """Return the next rows, int64[m, d] with 1 <= m <= n."""
        if not self._queue and self._more is None:
            raise CosearchError(
                "this study is led by another program",
                "continue it with the same `cosearch serve` command",
            )
        while not self._queue and self._more is not None:
            self._more()
        rows = [self._queue.popleft() for _ in range(min(n, len(self._queue)))]
        return np.array(rows, dtype=np.int64)

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Pass on what designs are worth to the strategy that suggests."""
        if self._suggests is not None and losses.shape[1] == 1:
            self._suggests.tell(rows, losses, feasible, violations)
