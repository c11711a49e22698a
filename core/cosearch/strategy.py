"""The contract of a search strategy: two verbs on any space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from cosearch.space import ParameterSpace, Space
from cosearch.typing import BoolArray, FloatArray, Rows


class Strategy(ABC):
    """Proposes points of a space and learns from their losses.

    The order of calls: `ask(n)`, evaluate, `tell(...)`, and again. `tell` may also bring points
    that were never asked for (a warm start), before or between asks. A strategy knows nothing of
    accelerators. It takes randomness from `rng` alone, so one seed gives one trace, in any
    process; it can be pickled between calls and continues identically.

    Attributes:
        options: what the constructor takes as keywords, as a space, so that every contender can
            be tuned on equal terms before it is compared.
        multi_objective: whether `tell` takes more than one column of losses.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(())
    multi_objective: ClassVar[bool] = False

    def __init__(self, space: Space, rng: np.random.Generator) -> None:
        self.space = space
        self.rng = rng

    @abstractmethod
    def ask(self, n: int) -> Rows:
        """Return int64[m, d] with 1 <= m <= n points that meet the known constraints.

        Fewer than n (even 0) only when the space holds no more points the strategy can find.
        """

    @abstractmethod
    def tell(self, rows: Rows, losses: FloatArray, feasible: BoolArray) -> None:
        """Learn.

        Args:
            rows: int64[n, d]; left as they are.
            losses: float64[n, m], lower is better; infinite is allowed, NaN is refused. Where not
                feasible the loss means nothing.
            feasible: bool[n]: whether the design could be built and run at all.
        """
