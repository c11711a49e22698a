"""Two verbs: ask for neighbours of where the search stands, and learn which was best."""

import numpy as np

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.search.strategy import Strategy
from cosearch.search.unseen import Unseen

NEIGHBOURS = Parameter("neighbours", (4, 8, 16, 32), 8, doc="tried before each step")


class Tabu(Strategy):
    """Steps to the best of some neighbours, better or worse; nothing is tried twice."""

    options = ParameterSpace((NEIGHBOURS,))

    def __init__(self, space, rng, *, neighbours=8):
        super().__init__(space, rng)
        self.neighbours = neighbours
        self.unseen = Unseen(space)
        self.here = None
        self.told, self.best_row, self.best_loss = 0, None, np.inf

    def ask(self, n):
        found = np.empty((0, len(self.space.names)), dtype=np.int64)
        if self.here is not None:
            around = np.repeat(self.here[None, :], 8 * n, axis=0)
            found = self.unseen.take(self.space.perturb(around, self.rng), n)
        if len(found) < n:
            more = self.unseen.draw(n - len(found), self.rng)
            found = np.concatenate([found, more])
        return found

    def tell(self, rows, losses, feasible, violations=None):
        told = self.checked(rows, losses, feasible, violations)
        self.unseen.mark(told.rows)
        for row, loss in zip(told.rows, told.loss, strict=True):
            if loss < self.best_loss:
                self.best_row, self.best_loss = row.copy(), loss
            self.told += 1
            if self.told >= self.neighbours and self.best_row is not None:
                self.here, self.told = self.best_row, 0
                self.best_row, self.best_loss = None, np.inf
