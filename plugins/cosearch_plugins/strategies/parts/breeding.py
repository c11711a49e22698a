"""How populations reproduce: parents chosen, crossed and mutated into rows nobody has seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from attrs import frozen

from cosearch.search.parameters import Space
from cosearch.search.unseen import Unseen
from cosearch.typing import IntArray, Rows

_ATTEMPTS = 16
"""Rounds of breeding before random rows make up what is missing."""


def neighbour(row: Rows, space: Space, unseen: Unseen, rng: np.random.Generator) -> Rows:
    """Return one unseen row, int64[1, d], few changes away from a row, int64[d].

    It is one change away where such a row exists, then two, and so on; random if none is near;
    int64[0, d] when nothing is left.
    """
    near = np.repeat(row[None, :], _ATTEMPTS, axis=0)
    for _ in range(_ATTEMPTS):
        near = space.perturb(near, rng)
        found = unseen.take(near, 1)
        if len(found):
            return found
    return unseen.draw(1, rng)


@frozen(eq=False)
class Breeding:
    """The variation operators of a population.

    Attributes:
        space: supplies crossover and perturbation.
        crossover: probability that a child has two parents.
        mutations: mean number of perturbations of a child, at least 1.
    """

    space: Space
    crossover: float
    mutations: float

    def children(self, parents: Rows, others: Rows, rng: np.random.Generator) -> Rows:
        """Return one child, int64[n, d], of each pair of rows."""
        crossed = rng.random(len(parents)) < self.crossover
        child = np.where(crossed[:, None], self.space.crossover(parents, others, rng), parents)
        times = rng.geometric(1.0 / self.mutations, size=len(parents))
        for done in range(int(times.max(initial=0))):
            active = times > done
            child[active] = self.space.perturb(child[active], rng)
        return child

    def offspring(
        self,
        n: int,
        population: Rows,
        select: Callable[[int], IntArray],
        unseen: Unseen,
        rng: np.random.Generator,
    ) -> Rows:
        """Return up to n unseen children that meet the known constraints.

        Args:
            n: how many.
            population: int64[p, d].
            select: from a number k to the indices, int64[k], of k chosen parents.
            unseen: the rows that may be returned; the returned ones are marked.
            rng: the randomness.
        """
        found: list[Rows] = []
        missing = n
        for _ in range(_ATTEMPTS):
            if missing == 0:
                break
            brood = 2 * missing
            parents, others = population[select(brood)], population[select(brood)]
            fresh = unseen.take(self.children(parents, others, rng), missing)
            found.append(fresh)
            missing -= len(fresh)
        found.append(unseen.draw(missing, rng))
        return np.concatenate(found)
