"""Random search: the contender every other one has to beat."""

from __future__ import annotations

import numpy as np

from cosearch.search.parameters import Space
from cosearch.search.strategy import Strategy
from cosearch.search.unseen import Unseen
from cosearch.typing import BoolArray, FloatArray, Rows


class Random(Strategy):
    """Uniform draws from the rows that meet the known constraints, none twice.

    Source: Bergstra and Bengio, Random Search for Hyper-Parameter Optimization, JMLR 13, 2012.
    """

    multi_objective = True
    blind = True

    def __init__(self, space: Space, rng: np.random.Generator) -> None:
        super().__init__(space, rng)
        self._unseen = Unseen(space)

    def ask(self, n: int) -> Rows:
        """Return up to n new rows; fewer only once the space is used up."""
        return self._unseen.draw(n, self.rng)

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Remember the rows, so that none is asked again."""
        self._unseen.mark(self.checked(rows, losses, feasible, violations).rows)
