"""Leaves of the search: a finished chain of tiles, priced exactly in every class of orders.

Orders are chosen from the inside out. What a chain costs at least in the orders chosen so far, each
tensor by itself at its best outside, is priced as the cost model prices words; as it rounds every
sum and product alike, no bound is above the price of a mapping, not even in the last digit.
"""

from __future__ import annotations

import numpy as np

from cosearch.compiling.arithmetic import larger, smaller
from cosearch.compiling.functions import compiled, inlined
from cosearch_plugins.mappers.exact.arrays import LOOKED, PRICED, Aim, Kept, Net, State
from cosearch_plugins.mappers.exact.problem import Problem
from cosearch_plugins.mappers.exact.tiles import blocks, groups, places_apart, turning, value_of
from cosearch_plugins.mappers.exact.travel import network
from cosearch_plugins.mappers.exact.words import carry

GROUPS, ACCESS, HOME, STEADY, FREE, SERVED, USED = 0, 1, 3, 4, 5, 6, 7
"""Rows of the scratch, by level and tensor: children that share nothing; energy of a level; words
that one instance is home to; turns of loops that move a tile for good, and of those that never do;
instances of the level above the innermost that keeps the tensor; instances of a level."""

PRICE_LOOKS = 16
"""What a bound or a price at a leaf counts as, beside `tree.LOOKS` of a node."""


@compiled
def settle(problem: Problem, kept: Kept, aim: Aim, state: State, net: Net) -> None:
    """Price the order classes of a finished chain that may beat the best; keep the best."""
    top = len(problem.leak) - 1
    describe(problem, kept, state)
    steps = problem.volume[len(problem.volume) - 1] / state.scratch[USED, 0, 1]
    for pair in range(len(kept.tensor)):
        state.words[pair] = least_arriving(problem, kept, state, pair, 0)
    if cost_of(problem, kept, aim, state, steps)[0] >= state.best[0]:
        return
    at = state.at
    level = 1
    while level >= 1:
        if at[level] == problem.order_start[level, state.turns[level] + 1]:
            at[level] = problem.order_start[level, state.turns[level]]
            level -= 1
            if level >= 1:
                at[level] += 1
            continue
        carry_level(problem, kept, state, level)
        value, energy, cycles = cost_of(problem, kept, aim, state, steps)
        state.register[LOOKED] += PRICE_LOOKS
        if level < top and value < state.best[0]:
            level += 1
            continue
        if level == top:
            state.register[PRICED] += 1
            keep_better(problem, kept, aim, state, net, value, energy, cycles, steps)
        at[level] += 1


@inlined
def describe(problem: Problem, kept: Kept, state: State) -> None:
    """Note what all orders of a chain have in common, and begin with the first of each level."""
    top, last = len(problem.leak) - 1, len(problem.volume) - 1
    output = problem.axis.shape[0] - 1
    used = 1.0
    for j in range(top, -1, -1):
        x = state.tile[j - 1] if j > 0 else 0
        s, times = problem.spread_id[state.spread[j]], state.tile[j] - state.union[j]
        state.scratch[USED, j, 0] = used
        used *= problem.volume[s]
        state.scratch[USED, j, 1] = used
        for t in range(output + 1):
            state.scratch[GROUPS, j, t] = (
                places_apart(problem, t, x, s) if problem.odd[t] else groups(problem, t, x, s)
            )
            state.scratch[STEADY, j, t] = steady_turns(problem, t, times)
            state.scratch[FREE, j, t] = problem.free[t, times]
        state.turns[j] = turning(problem, times)
        state.at[j] = problem.order_start[j, state.turns[j]]
    state.scratch[HOME, top, 0] = problem.words[output, last]
    for j in range(top - 1, -1, -1):
        tile = problem.words[output, state.tile[j]]
        spread = problem.words[output, state.union[j + 1]]
        if problem.volume[problem.spread_id[state.spread[j + 1]]] == 1:
            spread = tile
        state.scratch[HOME, j, 0] = np.floor(state.scratch[HOME, j + 1, 0] * tile / spread)
    for pair in range(len(kept.tensor)):
        t, inner = kept.tensor[pair], kept.inner[pair]
        served = 1.0
        for j in range(larger(inner, -1) + 1, kept.outer[pair] + 1):
            served *= state.scratch[GROUPS, j, t]
        state.scratch[SERVED, kept.outer[pair], t] = served
        if inner >= 0:
            for i in range(1, state.folds.shape[2]):
                state.folds[inner, pair, i] = 0.0
            state.folds[inner, pair, 0] = problem.words[t, state.tile[inner]]


@inlined
def steady_turns(problem: Problem, t: int, times: int) -> float:
    """Return the turns of loops that move tensor t along an axis of their own."""
    if problem.general[t]:
        return 1.0
    if not problem.sliding[t]:
        return problem.volume[times] / problem.free[t, times]
    turns = 1.0
    for d in range(problem.axis.shape[1]):
        if problem.axis[t, d] >= 0 and not problem.slides[t, d]:
            turns *= problem.extent[times, d]
    return turns


@compiled
def least_arriving(problem: Problem, kept: Kept, state: State, pair: int, level: int) -> float:
    """Return the least words that arrive inside when the orders up to a level are chosen.

    Loops that slide bring something or nothing; all others multiply what came, but for those
    that do not move the tile and stand inside all that do.
    """
    t, inner = kept.tensor[pair], kept.inner[pair]
    if inner < 0:
        return 0.0
    begun = larger(level, inner)
    words = state.folds[begun, pair, 0]
    if problem.general[t]:
        return words
    moved = state.folds[begun, pair, 1] > 0.0
    closed = moved and state.folds[begun, pair, 5] == 0.0
    for j in range(begun + 1, len(problem.leak)):
        times = state.tile[j] - state.union[j]
        if closed:
            words *= problem.volume[times]
            continue
        words *= state.scratch[STEADY, j, t]
        if moved:
            words *= state.scratch[FREE, j, t]
        moved = moved or problem.volume[times] > state.scratch[FREE, j, t]
    return words


@inlined
def carry_level(problem: Problem, kept: Kept, state: State, level: int) -> None:
    """Carry all words through the loops of a level in the order at hand, and bound what follows."""
    times = state.tile[level] - state.union[level]
    for pair in range(len(kept.tensor)):
        if 0 <= kept.inner[pair] < level:
            for i in range(state.folds.shape[2]):
                state.folds[level, pair, i] = state.folds[level - 1, pair, i]
            carry(
                problem,
                kept.tensor[pair],
                state.tile[kept.inner[pair]],
                state.union[level],
                times,
                state.at[level],
                state.folds[level, pair],
            )
        state.words[pair] = least_arriving(problem, kept, state, pair, level)


@compiled
def cost_of(
    problem: Problem, kept: Kept, aim: Aim, state: State, steps: float
) -> tuple[float, float, float]:
    """Return value, energy and cycles, networks left out, where so many words arrive by pair."""
    top, last, output = len(problem.leak) - 1, len(problem.volume) - 1, problem.axis.shape[0] - 1
    busy = steps * problem.busy
    cycles = busy
    whole = problem.bodies == 1.0 and problem.visits == 1.0
    for j in range(top, -1, -1):
        reading, writing, energy = problem.demand[j, 0] / busy, problem.demand[j, 1] / busy, 0.0
        for t in range(output + 1):
            if not kept.keep[j, t]:
                continue
            pair, above = kept.below[t, j], kept.above[t, j]
            served = steps if kept.inner[pair] < 0 else state.words[pair]
            served *= state.scratch[SERVED, j, t]
            filled = state.words[above] if above >= 0 else 0.0
            reads, updates = served, 0.0
            if t == output:
                updates = served
                reads = served - state.scratch[HOME, j, 0] / problem.visits
                if above >= 0 and not problem.first_fill:
                    filled -= state.scratch[HOME, j, 0] / problem.visits
            if problem.limited[j]:
                reading += reads * problem.width[j, t] / busy
                writing += (filled + updates) * problem.width[j, t] / busy
            if not (whole and problem.many[j, t] == problem.few[j, t] == 1.0):
                reads = blocks(problem, j, t, reads)
                filled = blocks(problem, j, t, filled)
                updates = blocks(problem, j, t, updates)
            energy += state.scratch[USED, j, 0] * (
                reads * problem.read[j, t]
                + filled * problem.fill[j, t]
                + updates * problem.update[j, t]
            )
        state.scratch[ACCESS, j, 0] = energy
        if problem.limited[j]:
            cycles = larger(cycles, throttled(problem, j, busy, reading, writing))
    total = problem.volume[last] * problem.compute
    for j in range(top + 1):
        leaked = problem.leak[j] * cycles * state.scratch[USED, j, 0]
        total += state.scratch[ACCESS, j, 0] + leaked
    return value_of(aim, total, cycles), total, cycles


@inlined
def throttled(problem: Problem, j: int, busy: float, reading: float, writing: float) -> float:
    """Return the cycles where each busy one reads and writes so many words at a level's ports."""
    speed = 1.0
    if problem.bandwidth[j, 0] < reading:
        speed = smaller(speed, problem.bandwidth[j, 0] / reading)
    if problem.bandwidth[j, 1] < writing:
        speed = smaller(speed, problem.bandwidth[j, 1] / writing)
    if problem.bandwidth[j, 2] < reading + writing:
        speed = smaller(speed, problem.bandwidth[j, 2] / (reading + writing))
    return np.ceil(busy / speed)


@inlined
def keep_better(
    problem: Problem,
    kept: Kept,
    aim: Aim,
    state: State,
    net: Net,
    value: float,
    energy: float,
    cycles: float,
    steps: float,
) -> None:
    """Keep the mapping at hand when it is the best, its networks added."""
    if net.any and value < state.best[0]:
        energy += network(problem, kept, state, state.at, steps, net)
        value = value_of(aim, energy, cycles)
    if value < state.best[0]:
        state.best[0], state.best[1], state.best[2] = value, energy, cycles
        for j in range(len(problem.leak)):
            state.best_tile[j] = state.tile[j]
            state.best_union[j] = state.union[j]
            state.best_spread[j] = state.spread[j]
            state.best_order[j] = state.at[j]
