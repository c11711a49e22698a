"""The tree of tile chains.

A mapping is a chain of tiles, each dividing the next: inside level l stand the tile X_l that one
instance holds and the union U_l = X_(l-1) * S_l of its children's tiles, X_l = U_l * T_l. The
search picks U at the pivot, where the array is, then the tiles inside it and those outside.
"""

from __future__ import annotations

import numpy as np

from cosearch.compiling.bundle import Floats, Ints
from cosearch.compiling.functions import compiled, inlined
from cosearch_plugins.mappers.exact.arrays import (
    AROUND,
    DEPTH,
    DONE,
    LOOKED,
    MARGIN,
    NODES,
    PAUSED,
    PRICED,
    QUEUED,
    UNION,
    Aim,
    Bounds,
    Kept,
    Net,
    Runs,
    State,
)
from cosearch_plugins.mappers.exact.leaves import settle
from cosearch_plugins.mappers.exact.nodes import node_bound
from cosearch_plugins.mappers.exact.parts import SEARCH
from cosearch_plugins.mappers.exact.problem import Problem
from cosearch_plugins.mappers.exact.tiles import divides, least_value, next_inside
from cosearch_plugins.mappers.exact.words import spread_tail

LOOKS = 64
"""Tiles or spatial factors looked at in the time that one node takes."""

UP, AGAIN, BOUND, DOWN = 0, 1, 2, 3
"""What follows a step: back to the one before, its next choice, a bound, or the next step."""

SPREAD_LOOKS = 16
"""What pricing a tile with its spatial factors counts as."""


@inlined
def mesh_allows(problem: Problem, state: State, low: int, high: int) -> bool:
    """Return whether the spatial factors chosen at levels low to high fit the meshes below."""
    x = y = 1
    for j in range(high, low - 1, -1):
        x *= problem.spread_used[state.spread[j], 0]
        y *= problem.spread_used[state.spread[j], 1]
        if x > problem.mesh[j, 0] or y > problem.mesh[j, 1]:
            return False
    for j in range(low - 1, -1, -1):
        if x > problem.mesh[j, 0] or y > problem.mesh[j, 1]:
            return False
    return True


@compiled
def sort_queue(state: State, count: int) -> None:
    """Sort the queue by bound: an insertion sort, for it is short."""
    for i in range(1, count):
        bound, entry_ = state.queue_bound[i], state.queue_entry[i]
        j = i - 1
        while j >= 0 and state.queue_bound[j] > bound:
            state.queue_bound[j + 1], state.queue_entry[j + 1] = (
                state.queue_bound[j],
                state.queue_entry[j],
            )
            j -= 1
        state.queue_bound[j + 1], state.queue_entry[j + 1] = bound, entry_


@compiled
def gather_around(problem: Problem, bounds: Bounds, state: State) -> None:
    """List the candidates that contain the union at hand, best tail first."""
    level = problem.pivot
    u = state.union[level]
    inside, guard = problem.packed[u], problem.guard
    count = 0
    for i in range(bounds.candidate_count[level]):
        x = bounds.candidates[level, i]
        if ((problem.packed[x] | guard) - inside) & guard == guard and problem.temporal_ok[
            level, x - u
        ]:
            state.around[count] = x
            state.around_tail[count] = bounds.candidate_tail[level, i]
            count += 1
    state.register[AROUND] = count
    state.register[LOOKED] += bounds.candidate_count[level] + LOOKS


@compiled
def open_union(
    problem: Problem,
    kept: Kept,
    bounds: Bounds,
    runs: Runs,
    aim: Aim,
    state: State,
    net: Net,
    u: int,
) -> None:
    """Queue the spatial factors of a union at the pivot, best bound first."""
    state.union[problem.pivot] = u
    count = 0
    threshold = state.best[0] * (1.0 - MARGIN)
    for i in range(problem.spread_start[problem.pivot], problem.spread_start[problem.pivot + 1]):
        s = problem.spread_id[i]
        if problem.pivot == 0:
            if s != u:
                continue
        elif not divides(problem, s, u) or not kept.fit[problem.pivot - 1, u - s]:
            continue
        state.spread[problem.pivot] = i
        if problem.pivot > 0:
            state.tile[problem.pivot - 1] = u - s
        low = problem.pivot - 1
        value, _, _, _ = node_bound(
            problem, kept, bounds, runs, aim, state, net, low, problem.pivot, problem.pivot, u
        )
        state.register[NODES] += 1
        state.register[LOOKED] += LOOKS
        if value < threshold:
            state.queue_bound[count] = value
            state.queue_entry[count] = i
            count += 1
    state.register[LOOKED] += (
        problem.spread_start[problem.pivot + 1] - problem.spread_start[problem.pivot]
    )
    sort_queue(state, count)
    state.register[QUEUED] = count
    if count > 0 and problem.pivot < len(problem.leak) - 1:
        gather_around(problem, bounds, state)


@compiled
def next_candidate(
    problem: Problem,
    kept: Kept,
    bounds: Bounds,
    runs: Runs,
    aim: Aim,
    state: State,
    level: int,
    start: int,
    energy: float,
    rest: float,
    cycles: float,
    threshold: float,
) -> int:
    """Return the place of the next tile around the union that may beat the best, or -1.

    Args:
        problem: the problem.
        kept: what is kept.
        bounds: its tables.
        runs: the sliding windows.
        aim: what is minimized.
        state: holds the union, and the spatial factors of the next level.
        level: whose tile is sought.
        start: where to begin among the candidates.
        energy: of all that lies inside the tile.
        rest: likewise, without what `tail_all` has.
        cycles: likewise.
        threshold: what a value has to stay below.
    """
    gathered = level == problem.pivot
    last = len(problem.volume) - 1
    s = problem.spread_id[state.spread[level + 1]]
    spreads = problem.spread_start[level + 2] > problem.spread_start[level + 1] + 1
    i = start
    for i in range(start, state.register[AROUND] if gathered else bounds.candidate_count[level]):
        tail_all = state.around_tail[i] if gathered else bounds.candidate_tail[level, i]
        if least_value(aim, rest + tail_all, cycles) >= threshold:
            break
        x = state.around[i] if gathered else bounds.candidates[level, i]
        if not gathered:
            u = state.union[level]
            if not divides(problem, u, x) or not problem.temporal_ok[level, x - u]:
                continue
        if not divides(problem, s, last - x) or bounds.out[level + 1, x + s] == np.inf:
            continue
        least = max(energy + bounds.tail[level, x], rest + tail_all)
        slowest = max(cycles, bounds.tail_cycles[level, x], bounds.out_cycles[level + 1, x + s])
        if least_value(aim, least, slowest) >= threshold:
            continue
        if spreads:
            state.register[LOOKED] += SPREAD_LOOKS
            tail, tail_all, tail_cycles = spread_tail(problem, kept, bounds, runs, level, x, s)
            least, slowest = max(energy + tail, rest + tail_all), max(slowest, tail_cycles)
            if least_value(aim, least, slowest) >= threshold:
                continue
        state.register[LOOKED] += i - start
        return i
    state.register[LOOKED] += i - start
    return -1


@inlined
def descend(state: State, depth: int) -> int:
    """Begin with the first choice of the next step, and return its depth."""
    state.cursor[depth + 1, 0] = state.cursor[depth + 1, 1] = 0
    return depth + 1


@inlined
def next_union(state: State, unions: Ints, bound: Floats, below: float) -> int:
    """Return the next union at the pivot that may beat the best, or -1 after the last."""
    i = state.register[UNION]
    if i >= len(unions) or bound[unions[i]] >= below:
        state.best[3] = np.inf
        return -1
    state.best[3] = bound[unions[i]]
    state.register[UNION] = i + 1
    return unions[i]


@inlined
def take_queued(problem: Problem, state: State, below: float) -> int:
    """Take the next spatial factors of the union at the pivot, and say what comes next."""
    pivot = problem.pivot
    i = state.cursor[0, 0]
    if i >= state.register[QUEUED] or state.queue_bound[i] >= below:
        return UP
    state.cursor[0, 0] = i + 1
    state.spread[pivot] = state.queue_entry[i]
    if pivot > 0:
        state.tile[pivot - 1] = state.union[pivot] - problem.spread_id[state.queue_entry[i]]
    return BOUND if mesh_allows(problem, state, pivot, pivot) else AGAIN


@inlined
def take_spread(problem: Problem, state: State, depth: int) -> int:
    """Take the next spatial factors S_l outside the pivot, l = pivot + depth."""
    level = problem.pivot + depth
    first, end = problem.spread_start[level], problem.spread_start[level + 1]
    j = state.cursor[depth, 1]
    if first + j >= end:
        return UP
    state.cursor[depth, 1] = j + 1
    room = len(problem.volume) - 1 - state.union[problem.pivot]
    for i in range(problem.pivot + 1, level):
        room -= problem.spread_id[state.spread[i]]
    if not divides(problem, problem.spread_id[first + j], room):
        return AGAIN
    state.spread[level] = first + j
    if not mesh_allows(problem, state, problem.pivot, level):
        return AGAIN
    if end > first + 1:
        return BOUND
    for i in range(3):
        state.base[depth, i] = state.base[depth - 1, i]
    return DOWN


@inlined
def take_inside(problem: Problem, kept: Kept, state: State, depth: int, level: int) -> int:
    """Take the next tile X_(l-1) and spatial factors S_l inside X_l."""
    inside = level - 1
    x, j = state.cursor[depth, 0], state.cursor[depth, 1]
    if x < 0:
        return UP
    first, end = problem.spread_start[level], problem.spread_start[level + 1]
    if first + j >= end or (level > 0 and not kept.fit[inside, x]):
        state.cursor[depth, 0] = next_inside(problem, x, state.tile[level]) if level > 0 else -1
        state.cursor[depth, 1] = 0
        return AGAIN
    state.cursor[depth, 1] = j + 1
    s = problem.spread_id[first + j]
    room = state.tile[level] - x
    if not divides(problem, s, room) or not problem.temporal_ok[level, room - s]:
        return AGAIN
    state.spread[level] = first + j
    state.union[level] = x + s
    if level > 0:
        state.tile[inside] = x
    return BOUND if mesh_allows(problem, state, level, len(problem.leak) - 1) else AGAIN


@inlined
def take_outside(
    problem: Problem,
    kept: Kept,
    bounds: Bounds,
    runs: Runs,
    aim: Aim,
    state: State,
    depth: int,
    level: int,
    below: float,
) -> int:
    """Take the next tile X_l outside U_l, below the outermost level."""
    energy, rest = state.base[depth - 1, 0], state.base[depth - 1, 1]
    cycles, start = state.base[depth - 1, 2], state.cursor[depth, 0]
    i = next_candidate(
        problem, kept, bounds, runs, aim, state, level, start, energy, rest, cycles, below
    )
    if i < 0:
        return UP
    state.cursor[depth, 0] = i + 1
    x = state.around[i] if level == problem.pivot else bounds.candidates[level, i]
    state.tile[level] = x
    state.union[level + 1] = x + problem.spread_id[state.spread[level + 1]]
    return BOUND


@inlined
def finish(problem: Problem, kept: Kept, aim: Aim, state: State, net: Net) -> int:
    """Price the chain at hand, whose outermost tile is the layer; return how many mappings."""
    top, last = len(problem.leak) - 1, len(problem.volume) - 1
    before = state.register[PRICED]
    state.tile[top] = last
    if problem.temporal_ok[top, last - state.union[top]]:
        settle(problem, kept, aim, state, net)
    return state.register[PRICED] - before


@SEARCH.entry()
def search(  # noqa: C901 - one walk
    problem: Problem,
    kept: Kept,
    bounds: Bounds,
    runs: Runs,
    aim: Aim,
    state: State,
    net: Net,
    unions: Ints,
    bound: Floats,
    quota: int,
) -> int:
    """Search until the best is proven or a quota of steps is spent.

    Args:
        problem: the problem.
        kept: what is kept.
        bounds: the tables.
        runs: the sliding windows.
        aim: what is minimized.
        state: the search.
        net: the network.
        unions: int64[m], ids of the pivot's unions, best bound first.
        bound: float64[n].
        quota: nodes and leaves to visit before pausing.

    Returns:
        DONE or PAUSED; call again to go on.
    """
    top, pivot = len(problem.leak) - 1, problem.pivot
    plan_steps = top - pivot  # steps 1 .. plan_steps choose the spatial factors outside
    inner_steps = top  # the next ones what lies inside, the last of them S_0
    depth = state.register[DEPTH]
    spent = 0
    while True:
        spent += 1
        if spent + state.register[LOOKED] // LOOKS > quota:
            state.register[LOOKED] = 0
            state.register[DEPTH] = depth
            return PAUSED
        below = state.best[0] * (1.0 - MARGIN)
        low, high, planned = pivot - 1, pivot, pivot
        if depth < 0:
            union = next_union(state, unions, bound, below)
            if union < 0:
                state.register[DEPTH] = depth
                return DONE
            open_union(problem, kept, bounds, runs, aim, state, net, union)
            depth = 0
            state.cursor[0, 0] = 0
            continue
        if depth == 0:
            step = take_queued(problem, state, below)
        elif depth <= plan_steps:
            step = take_spread(problem, state, depth)
            planned = pivot + depth
        elif depth <= inner_steps:
            level = inner_steps - depth
            step = take_inside(problem, kept, state, depth, level)
            low, planned = level - 1, top
        else:
            level = pivot + depth - inner_steps - 1
            if level == top:
                spent += finish(problem, kept, aim, state, net)
                step = UP
            else:
                step = take_outside(problem, kept, bounds, runs, aim, state, depth, level, below)
            low, high, planned = -1, level + 1, top
        if step == BOUND:
            state.register[NODES] += 1
            value, energy, rest, cycles = node_bound(
                problem, kept, bounds, runs, aim, state, net, low, high, planned, state.union[high]
            )
            if value < below:
                state.base[depth, 0], state.base[depth, 1] = energy, rest
                state.base[depth, 2] = cycles
                step = DOWN
        if step == DOWN:
            depth = descend(state, depth)
        elif step == UP:
            depth -= 1
