"""Choices along a chain whose neighbours must agree: the shortest path, and a learner beside it.

Layer i has `costs[i][a]` for each of its choices; between choice a of layer i and choice b of the
next lies `moves[i][a, b]`. The least sum is a shortest path through the layers, exact in the number
of layers times the square of the choices.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from cosearch.typing import FloatArray


def shortest(
    costs: Sequence[FloatArray], moves: Sequence[FloatArray]
) -> tuple[tuple[int, ...], float]:
    """Return the choices with the least sum, the first of equals, and the sum.

    Args:
        costs: float64[n_i] of each layer.
        moves: float64[n_i, n_i+1] between each layer and the next.
    """
    reached, came = costs[0], []
    for move, cost in zip(moves, costs[1:], strict=True):
        through = reached[:, None] + move
        came.append(np.argmin(through, axis=0))
        reached = through.min(axis=0) + cost
    choice = [int(np.argmin(reached))]
    for before in reversed(came):
        choice.append(int(before[choice[-1]]))
    return tuple(reversed(choice)), float(reached.min())


def length(
    costs: Sequence[FloatArray], moves: Sequence[FloatArray], choice: Sequence[int]
) -> float:
    """Return the sum of a choice for every layer."""
    total = float(costs[0][choice[0]])
    for i, move in enumerate(moves):
        total += float(move[choice[i], choice[i + 1]]) + float(costs[i + 1][choice[i + 1]])
    return total


def greedy(costs: Sequence[FloatArray]) -> tuple[int, ...]:
    """Return each layer's cheapest choice, moves forgotten."""
    return tuple(int(np.argmin(cost)) for cost in costs)


def q_learning(
    costs: Sequence[FloatArray],
    moves: Sequence[FloatArray],
    episodes: int,
    rng: np.random.Generator,
    *,
    rate: float = 0.05,
    discount: float = 0.9,
    replay: int = 128,
) -> tuple[tuple[int, ...], float]:
    """Return the best choice that a tabular learner met, and its sum.

    An episode walks the layers; a state is the choice just made, an action the next one, its reward
    the negative cost of both move and layer. The first half of the episodes explores, then
    exploration falls in ten steps to none; each episode is learned with up to `replay` earlier
    steps. The settings are recalled of QS-DNN (arXiv 1811.07315), not read in it.

    Args:
        costs: float64[n_i] of each layer.
        moves: float64[n_i, n_i+1] between each layer and the next.
        episodes: to walk.
        rng: of the exploration.
        rate: of learning.
        discount: of later rewards.
        replay: earlier steps learned again with each episode.
    """
    scale = max(float(np.max(cost)) for cost in costs) or 1.0
    first = np.zeros(len(costs[0]))
    tables = [np.zeros((len(a), len(b))) for a, b in pairwise(costs)]
    memory: list[tuple[int, int, int]] = []
    best: tuple[int, ...] = ()
    least = np.inf
    for episode in range(episodes):
        explore = _exploration(episode, episodes)
        choice = _walk(first, tables, explore, rng)
        total = length(costs, moves, choice)
        if total < least:
            best, least = choice, total
        steps = [(-1, 0, choice[0])]
        steps += [(i, choice[i], choice[i + 1]) for i in range(len(tables))]
        memory += steps
        drawn = rng.integers(0, len(memory), size=min(replay, len(memory)))
        for i, a, b in [*reversed(steps), *(memory[j] for j in drawn)]:
            ahead = float(tables[i + 1][b].max()) if i + 1 < len(tables) else 0.0
            spent = costs[i + 1][b] + (moves[i][a, b] if i >= 0 else 0.0)
            table, at = (first, b) if i < 0 else (tables[i], (a, b))
            table[at] += rate * (-float(spent) / scale + discount * ahead - table[at])
    return best, least


def _exploration(episode: int, episodes: int) -> float:
    """Return the share of random actions: all in the first half, then in ten steps to none."""
    half = episodes // 2
    if episode < half:
        return 1.0
    return 0.9 - 0.1 * min(10 * (episode - half) // max(episodes - half, 1), 9)


def _walk(
    first: FloatArray, tables: Sequence[FloatArray], explore: float, rng: np.random.Generator
) -> tuple[int, ...]:
    choice: list[int] = []
    for values in [first, *tables]:
        row = values[choice[-1]] if choice else values
        random = rng.random() < explore
        choice.append(int(rng.integers(len(row))) if random else int(np.argmax(row)))
    return tuple(choice)
