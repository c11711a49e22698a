"""A search strategy: two verbs, on any space."""

import numpy as np

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.search.strategy import Strategy
from cosearch.search.unseen import Unseen


class HillClimb(Strategy):
    """Asks for neighbours of the best point so far, and for a random point now and then."""

    options = ParameterSpace(
        (
            Parameter(
                "restart",
                (5, 10, 20, 1000),
                20,
                free=True,
                doc="one point in so many is drawn at random",
            ),
        )
    )

    def __init__(self, space, rng, *, restart=20):
        super().__init__(space, rng)
        self.restart = restart
        self.unseen = Unseen(space)
        self.best_row, self.best_loss = None, np.inf

    def ask(self, n):
        rows = [self.one() for _ in range(n)]
        return np.concatenate(rows)

    def one(self):
        """Return a new neighbour of the best point, or a random point where none is found."""
        if self.best_row is not None and self.rng.integers(self.restart) > 0:
            around = np.repeat(self.best_row[None, :], 32, axis=0)
            found = self.unseen.take(self.space.perturb(around, self.rng), 1)
            if len(found):
                return found
        return self.unseen.draw(1, self.rng)

    def tell(self, rows, losses, feasible, violations=None):
        told = self.checked(rows, losses, feasible, violations)
        self.unseen.mark(told.rows)
        if len(told.loss) and told.loss.min() < self.best_loss:
            best = int(told.loss.argmin())
            self.best_row, self.best_loss = told.rows[best], told.loss[best]
