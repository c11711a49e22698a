"""Leaves of the search: a finished chain of tiles, priced exactly in every class of orders."""

from __future__ import annotations

import numpy as np

from cosearch.compiling.functions import compiled
from cosearch.typing import IntArray
from cosearch_plugins.mappers.exact.arrays import PRICED, Aim, Kept, Net, State
from cosearch_plugins.mappers.exact.problem import Problem
from cosearch_plugins.mappers.exact.tiles import blocks, groups, places_apart, turning, value_of
from cosearch_plugins.mappers.exact.travel import network
from cosearch_plugins.mappers.exact.words import carry


@compiled
def settle(problem: Problem, kept: Kept, aim: Aim, state: State, net: Net) -> None:  # noqa: C901 - one walk, calls are dear here
    """Price every order class of a finished chain; keep the best."""
    top = len(problem.leak) - 1
    last = len(problem.volume) - 1
    tensors = problem.axis.shape[0]
    for j in range(top + 1):
        x = state.tile[j - 1] if j > 0 else 0
        for t in range(tensors):
            s = problem.spread_id[state.spread[j]]
            state.scratch[0, j, t] = (
                places_apart(problem, t, x, s) if problem.odd[t] else groups(problem, t, x, s)
            )
    output = tensors - 1
    state.scratch[3, top, 0] = problem.words[output, last]
    for j in range(top - 1, -1, -1):
        tile = problem.words[output, state.tile[j]]
        spread = problem.words[output, state.union[j + 1]]
        if problem.volume[problem.spread_id[state.spread[j + 1]]] == 1:
            spread = tile
        state.scratch[3, j, 0] = np.floor(state.scratch[3, j + 1, 0] * tile / spread)
    for pair in range(len(kept.tensor)):
        if kept.inner[pair] >= 0:
            level = kept.inner[pair]
            for i in range(1, state.folds.shape[2]):
                state.folds[level, pair, i] = 0.0
            state.folds[level, pair, 0] = problem.words[kept.tensor[pair], state.tile[level]]
    at, start = state.at, state.turns
    for j in range(1, top + 1):
        mask = turning(problem, state.tile[j] - state.union[j])
        at[j] = problem.order_start[j, mask]
        start[j] = mask
    level = 1
    while level >= 1:
        if at[level] == problem.order_start[level, start[level] + 1]:
            at[level] = problem.order_start[level, start[level]]
            level -= 1
            if level >= 1:
                at[level] += 1
            continue
        for pair in range(len(kept.tensor)):
            if 0 <= kept.inner[pair] < level:
                t = kept.tensor[pair]
                for i in range(state.folds.shape[2]):
                    state.folds[level, pair, i] = state.folds[level - 1, pair, i]
                carry(
                    problem,
                    t,
                    state.tile[kept.inner[pair]],
                    state.union[level],
                    state.tile[level] - state.union[level],
                    at[level],
                    state.folds[level, pair],
                )
        if level < top:
            level += 1
            continue
        price(problem, kept, aim, state, net, at)
        state.register[PRICED] += 1
        at[level] += 1


@compiled
def price(problem: Problem, kept: Kept, aim: Aim, state: State, net: Net, at: IntArray) -> None:  # noqa: C901 - one walk, calls are dear here
    """Price one complete mapping exactly and keep it when it is the best."""
    top = len(problem.leak) - 1
    last = len(problem.volume) - 1
    tensors = problem.axis.shape[0]
    used = 1.0
    for j in range(top + 1):
        used *= problem.volume[problem.spread_id[state.spread[j]]]
    steps = problem.volume[last] / used
    busy = steps * problem.busy
    cycles = busy
    instances = 1.0
    for j in range(top, -1, -1):
        reading, writing, energy = problem.demand[j, 0] / busy, problem.demand[j, 1] / busy, 0.0
        for t in range(tensors):
            if not kept.keep[j, t]:
                continue
            pair = kept.below[t, j]
            served = steps if kept.inner[pair] < 0 else state.folds[top, pair, 0]
            for i in range(max(kept.inner[pair], -1) + 1, j + 1):
                served *= state.scratch[0, i, t]
            filled = state.folds[top, kept.above[t, j], 0] if kept.above[t, j] >= 0 else 0.0
            reads, updates = served, 0.0
            if t == tensors - 1:
                updates = served
                reads = served - state.scratch[3, j, 0] / problem.visits
                if kept.above[t, j] >= 0 and not problem.first_fill:
                    filled -= state.scratch[3, j, 0] / problem.visits
            reading += reads * problem.width[j, t] / busy
            writing += (filled + updates) * problem.width[j, t] / busy
            energy += instances * (
                blocks(problem, j, t, reads) * problem.read[j, t]
                + blocks(problem, j, t, filled) * problem.fill[j, t]
                + blocks(problem, j, t, updates) * problem.update[j, t]
            )
        state.scratch[1, j, 0] = energy
        speed = 1.0
        if problem.bandwidth[j, 0] < reading:
            speed = min(speed, problem.bandwidth[j, 0] / reading)
        if problem.bandwidth[j, 1] < writing:
            speed = min(speed, problem.bandwidth[j, 1] / writing)
        if problem.bandwidth[j, 2] < reading + writing:
            speed = min(speed, problem.bandwidth[j, 2] / (reading + writing))
        cycles = max(cycles, np.ceil(busy / speed))
        instances *= problem.volume[problem.spread_id[state.spread[j]]]
    total = problem.volume[last] * problem.compute
    for j in range(top + 1):
        below = 1.0
        for i in range(j + 1, top + 1):
            below *= problem.volume[problem.spread_id[state.spread[i]]]
        total += state.scratch[1, j, 0] + problem.leak[j] * cycles * below
    value = value_of(aim, total, cycles)
    if net.any and value < state.best[0]:
        total += network(problem, kept, state, at, steps, net)
        value = value_of(aim, total, cycles)
    if value < state.best[0]:
        state.best[0], state.best[1], state.best[2] = value, total, cycles
        for j in range(top + 1):
            state.best_tile[j] = state.tile[j]
            state.best_union[j] = state.union[j]
            state.best_spread[j] = state.spread[j]
            state.best_order[j] = (
                at[j]
                if j > 0
                else problem.order_start[0, turning(problem, state.tile[0] - state.union[0])]
            )
