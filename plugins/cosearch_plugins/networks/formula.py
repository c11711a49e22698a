"""Formulas over the ranks of training-free scores, and their search by genetic programming.

After *Evolving Zero Cost Proxies For Neural Architecture Scoring* (Akhauri et al., 2022, arXiv
2209.07413): expression trees whose fitness is the rank correlation with the accuracy on few
networks. There the inputs are tensors of untrained networks; here they are ready scores, so it is
the method and not that paper's formula.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from attrs import frozen

from cosearch.search.ranking import midranks, spearman
from cosearch.typing import FloatArray

Tree: TypeAlias = int | tuple[str, "Tree", "Tree"]
"""The number of an input, or an operation with its two arguments."""

OPERATIONS = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
}

PRICE = 0.001
"""Of a node, in rank correlation: of two formulas that rank alike the shorter one is kept."""


def ranks(columns: Mapping[str, FloatArray]) -> FloatArray:
    """Return float64[n, k]: the rank of each network by each score, from 0 to 1."""
    each = [(midranks(column) - 0.5) / len(column) for column in columns.values()]
    return np.stack(each, axis=1)


def value(tree: Tree, inputs: FloatArray) -> FloatArray:
    """Return what a formula gives, float64[n], on inputs float64[n, k]."""
    if isinstance(tree, int):
        return inputs[:, tree]
    operation, left, right = tree
    found: FloatArray = OPERATIONS[operation](value(left, inputs), value(right, inputs))
    return found


def written(tree: Tree, names: Sequence[str]) -> str:
    """Return a formula as text."""
    if isinstance(tree, int):
        return names[tree]
    operation, left, right = tree
    pair = written(left, names), written(right, names)
    if operation in ("min", "max"):
        return f"{operation}({pair[0]}, {pair[1]})"
    return f"({pair[0]} {operation} {pair[1]})"


def nodes(tree: Tree) -> int:
    """Return how many inputs and operations a formula has."""
    return 1 if isinstance(tree, int) else 1 + nodes(tree[1]) + nodes(tree[2])


def depth(tree: Tree) -> int:
    """Return how deep a formula is; an input is 1."""
    return 1 if isinstance(tree, int) else 1 + max(depth(tree[1]), depth(tree[2]))


@frozen(eq=False)
class Evolution:
    """Genetic programming with tournaments; the best formula is carried over.

    Attributes:
        population: formulas of a generation.
        generations: of them.
        deepest: a formula at most.
        tournament: formulas of which the best is a parent.
    """

    population: int = 200
    generations: int = 40
    deepest: int = 4
    tournament: int = 5

    def best(self, inputs: FloatArray, accuracy: FloatArray, rng: np.random.Generator) -> Tree:
        """Return the formula found.

        Args:
            inputs: float64[n, k], of the networks that it is fitted to.
            accuracy: float64[n], of these.
            rng: the randomness.
        """
        k = inputs.shape[1]
        people = [*range(k), *(self._random(k, rng) for _ in range(self.population - k))]
        known: dict[Tree, float] = {}

        def fitness(tree: Tree) -> float:
            if tree not in known:
                known[tree] = agreement(tree, inputs, accuracy) - PRICE * nodes(tree)
            return known[tree]

        for _ in range(self.generations):
            scores = np.array([fitness(tree) for tree in people])
            elite = people[int(np.argmax(scores))]
            people = [elite, *(self._child(people, scores, k, rng) for _ in people[1:])]
        best: Tree = max(people, key=fitness)
        return best

    def _child(
        self, people: Sequence[Tree], scores: FloatArray, k: int, rng: np.random.Generator
    ) -> Tree:
        """Return a crossing of two parents or a mutant of one, not deeper than allowed."""
        parent = self._parent(people, scores, rng)
        crossed = rng.random() < 0.6
        other = self._parent(people, scores, rng) if crossed else self._random(k, rng)
        child = _replaced(parent, int(rng.integers(nodes(parent))), _part(other, rng))
        return child if depth(child) <= self.deepest else parent

    def _parent(self, people: Sequence[Tree], scores: FloatArray, rng: np.random.Generator) -> Tree:
        drawn = rng.integers(0, len(people), size=self.tournament)
        winner: Tree = people[int(drawn[np.argmax(scores[drawn])])]
        return winner

    def _random(self, k: int, rng: np.random.Generator, deep: int = 3) -> Tree:
        if deep == 1 or rng.random() < 0.3:
            return int(rng.integers(k))
        operation = list(OPERATIONS)[int(rng.integers(len(OPERATIONS)))]
        return operation, self._random(k, rng, deep - 1), self._random(k, rng, deep - 1)


def _part(tree: Tree, rng: np.random.Generator) -> Tree:
    """Return a part of a formula, each node alike likely."""
    return _at(tree, int(rng.integers(nodes(tree))))


def _at(tree: Tree, number: int) -> Tree:
    if number == 0 or isinstance(tree, int):
        return tree
    left = nodes(tree[1])
    return _at(tree[1], number - 1) if number <= left else _at(tree[2], number - 1 - left)


def _replaced(tree: Tree, number: int, by: Tree) -> Tree:
    """Return a formula with its node of that number, counted from the root, replaced."""
    if number == 0 or isinstance(tree, int):
        return by
    operation, left, right = tree
    size = nodes(left)
    if number <= size:
        return operation, _replaced(left, number - 1, by), right
    return operation, left, _replaced(right, number - 1 - size, by)


def agreement(tree: Tree, inputs: FloatArray, accuracy: FloatArray) -> float:
    """Return the rank correlation of a formula with the accuracy; 0 for one without differences."""
    found = value(tree, inputs)
    return spearman(found, accuracy) if np.ptp(found) > 0 else 0.0


def best_single(inputs: FloatArray, accuracy: FloatArray) -> Tree:
    """Return the input that ranks best by itself."""
    return max(range(inputs.shape[1]), key=lambda j: agreement(j, inputs, accuracy))


def best_pair(inputs: FloatArray, accuracy: FloatArray) -> Tree:
    """Return the sum of two inputs that ranks best."""
    k = inputs.shape[1]
    pairs: list[Tree] = [("+", i, j) for i in range(k) for j in range(i)]
    return max(pairs, key=lambda tree: agreement(tree, inputs, accuracy))
