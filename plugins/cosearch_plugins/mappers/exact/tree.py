"""The tree of tile chains.

A mapping is a chain of tiles, each dividing the next: inside level l stand the tile X_l that one
instance holds and the union U_l = X_(l-1) * S_l of its children's tiles, X_l = U_l * T_l. The
search picks U at the pivot, where the array is, then the tiles inside it and those outside.
"""

from __future__ import annotations

import numpy as np

from cosearch.compiling.arithmetic import larger
from cosearch.compiling.bundle import Floats, Ints
from cosearch.compiling.functions import compiled, inlined
from cosearch_plugins.mappers.exact.arrays import (
    AROUND,
    DEPTH,
    DONE,
    LISTED,
    LOOKED,
    MARGIN,
    NODES,
    PAUSED,
    PRICED,
    QUEUED,
    SCANNED,
    UNION,
    Aim,
    Bounds,
    Kept,
    Memo,
    Net,
    Runs,
    State,
)
from cosearch_plugins.mappers.exact.leaves import settle
from cosearch_plugins.mappers.exact.nodes import bound_classes, least_of_classes
from cosearch_plugins.mappers.exact.parts import SEARCH
from cosearch_plugins.mappers.exact.problem import Problem
from cosearch_plugins.mappers.exact.tiles import (
    divides,
    least_value,
    next_inside,
    next_outside,
    tiles_outside,
)
from cosearch_plugins.mappers.exact.words import spread_tail

LOOKS = 64
"""Tiles or spatial factors looked at in the time that one node takes."""

UP, AGAIN, BOUND, DOWN = 0, 1, 2, 3
"""What follows a step: back to the one before, its next choice, a bound, or the next step."""

FEW = 32
"""So many times fewer candidates around a union than there are in all are listed by themselves."""

TAILS = 64
"""Candidates looked at before their tails are asked again whether any is good enough."""

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


@inlined
def enqueue(state: State, count: int, bound: float, row: int) -> None:
    """Put spatial factors into the queue behind those of the same bound: it is short."""
    j = count - 1
    while j >= 0 and state.queue_bound[j] > bound:
        state.queue_bound[j + 1] = state.queue_bound[j]
        state.queue_row[j + 1] = state.queue_row[j]
        j -= 1
    state.queue_bound[j + 1] = bound
    state.queue_row[j + 1] = row


@inlined
def is_around(problem: Problem, x: int, u: int) -> bool:
    """Return whether a tile at the pivot may contain the union at hand."""
    return divides(problem, u, x) and problem.temporal_ok[problem.pivot, x - u]


@compiled
def list_around(problem: Problem, bounds: Bounds, state: State) -> None:
    """List the candidates that contain the union at hand where there are few."""
    u = state.union[problem.pivot]
    state.register[LISTED] = -1
    if tiles_outside(problem, u) * FEW > bounds.candidate_count[problem.pivot]:
        return
    x, count = u, 0
    while x >= 0:
        if bounds.rank[x] >= 0 and problem.temporal_ok[problem.pivot, x - u]:
            state.rank[count] = bounds.rank[x]
            count += 1
        x = next_outside(problem, x, u)
    state.register[LISTED] = count
    state.register[LOOKED] += FEW * (count + 1)


@inlined
def best_listed(state: State) -> int:
    """Return the next of the listed candidates by its place among them, or -1 after the last."""
    first, count = state.register[AROUND], state.register[LISTED]
    if first >= count:
        return -1
    best = first
    for i in range(first + 1, count):
        if state.rank[i] < state.rank[best]:
            best = i
    state.rank[first], state.rank[best] = state.rank[best], state.rank[first]
    state.register[LOOKED] += count - first
    return state.rank[first]


@compiled
def more_around(
    problem: Problem,
    bounds: Bounds,
    aim: Aim,
    state: State,
    rest: float,
    cycles: float,
    below: float,
) -> bool:
    """Add the next candidate that contains the union at hand; return whether there is one.

    They come best tail first, so that nothing is looked for once no tail is good enough.
    """
    level = problem.pivot
    if state.register[SCANNED] == 0:
        list_around(problem, bounds, state)
        state.register[SCANNED] = 1
    k = begin = state.register[SCANNED] - 1
    if state.register[LISTED] >= 0:
        k = best_listed(state)
        if k < 0 or least_value(aim, rest + bounds.candidate_tail[level, k], cycles) >= below:
            return False
    else:
        while k < bounds.candidate_count[level]:
            tail = bounds.candidate_tail[level, k]
            if (k - begin) % TAILS == 0 and least_value(aim, rest + tail, cycles) >= below:
                break
            if is_around(problem, bounds.candidates[level, k], state.union[level]):
                break
            k += 1
        state.register[LOOKED] += k - begin + 1
        state.register[SCANNED] = k + 1
        if k == bounds.candidate_count[level] or not is_around(
            problem, bounds.candidates[level, k], state.union[level]
        ):
            return False
        state.register[SCANNED] = k + 2
    state.around[state.register[AROUND]] = bounds.candidates[level, k]
    state.around_tail[state.register[AROUND]] = bounds.candidate_tail[level, k]
    state.register[AROUND] += 1
    return True


@compiled
def bound_union(
    problem: Problem,
    kept: Kept,
    bounds: Bounds,
    runs: Runs,
    state: State,
    net: Net,
    memo: Memo,
    u: int,
) -> None:
    """Fill the rows of a union: its spatial factors at the pivot, and what they cost at least."""
    pivot, guard, around = problem.pivot, problem.guard, problem.packed[u] | problem.guard
    first, end = problem.spread_start[pivot], problem.spread_start[pivot + 1]
    if memo.used[0] + end - first > len(memo.entry):
        memo.used[0] = 0
        for x in range(len(memo.begin)):
            memo.begin[x] = -1
    row = memo.begin[u] = memo.used[0]
    for i in range(first, end):
        memo.entry[row] = i
        row += (around - problem.spread_packed[i]) & guard == guard
    divide = row
    row = memo.begin[u]
    for k in range(row, divide):
        i = memo.entry[k]
        s = problem.spread_id[i]
        if (s != u) if pivot == 0 else not kept.fit[pivot - 1, u - s]:
            continue
        state.spread[pivot] = i
        if pivot > 0:
            state.tile[pivot - 1] = u - s
        memo.entry[row] = i
        memo.base[row, 0], memo.base[row, 1], memo.base[row, 2] = bound_classes(
            problem, kept, bounds, runs, state, net, pivot - 1, pivot, pivot, u, memo.bound[row]
        )
        row += 1
    memo.end[u] = memo.used[0] = row
    state.register[LOOKED] += end - first + LOOKS * (row - memo.begin[u])


@compiled
def open_union(
    problem: Problem,
    kept: Kept,
    bounds: Bounds,
    runs: Runs,
    aim: Aim,
    state: State,
    net: Net,
    memo: Memo,
    u: int,
) -> None:
    """Queue the spatial factors of a union at the pivot, best bound first."""
    state.union[problem.pivot] = u
    if memo.begin[u] < 0:
        bound_union(problem, kept, bounds, runs, state, net, memo, u)
    count = 0
    threshold = state.best[0] * (1.0 - MARGIN)
    for row in range(memo.begin[u], memo.end[u]):
        value = least_of_classes(aim, memo.bound[row])
        if value < threshold:
            enqueue(state, count, value, row)
            count += 1
    looked = memo.end[u] - memo.begin[u]
    state.register[NODES] += looked
    state.register[LOOKED] += looked
    state.register[QUEUED] = count
    state.register[AROUND] = state.register[SCANNED] = 0


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
    i = start - 1
    while True:
        i += 1
        if i >= (state.register[AROUND] if gathered else bounds.candidate_count[level]) and not (
            gathered and more_around(problem, bounds, aim, state, rest, cycles, threshold)
        ):
            break
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
        least = larger(energy + bounds.tail[level, x], rest + tail_all)
        slowest = larger(bounds.tail_cycles[level, x], bounds.out_cycles[level + 1, x + s])
        slowest = larger(cycles, slowest)
        if least_value(aim, least, slowest) >= threshold:
            continue
        if spreads:
            state.register[LOOKED] += SPREAD_LOOKS
            tail, tail_all, tail_cycles = spread_tail(problem, kept, bounds, runs, level, x, s)
            least, slowest = larger(energy + tail, rest + tail_all), larger(slowest, tail_cycles)
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
def take_queued(problem: Problem, state: State, memo: Memo, below: float) -> int:
    """Take the next spatial factors of the union at the pivot, and say what comes next."""
    pivot = problem.pivot
    i = state.cursor[0, 0]
    if i >= state.register[QUEUED] or state.queue_bound[i] >= below:
        return UP
    state.cursor[0, 0] = i + 1
    row = state.queue_row[i]
    state.spread[pivot] = memo.entry[row]
    if pivot > 0:
        state.tile[pivot - 1] = state.union[pivot] - problem.spread_id[state.spread[pivot]]
    for k in range(3):
        state.base[0, k] = memo.base[row, k]
    if not mesh_allows(problem, state, pivot, pivot):
        return AGAIN
    state.register[NODES] += 1
    return DOWN


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
    if not mesh_allows(problem, state, level, len(problem.leak) - 1):
        return AGAIN
    if level > 0 or end > first + 1:
        return BOUND
    state.register[NODES] += 1
    for i in range(3):
        state.base[depth, i] = state.base[depth - 1, i]
    return DOWN


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
    memo: Memo,
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
        memo: what other searches found of unions; added to.
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
            open_union(problem, kept, bounds, runs, aim, state, net, memo, union)
            depth = 0
            state.cursor[0, 0] = 0
            continue
        if depth == 0:
            step = take_queued(problem, state, memo, below)
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
            energy, rest, cycles = bound_classes(
                problem,
                kept,
                bounds,
                runs,
                state,
                net,
                low,
                high,
                planned,
                state.union[high],
                state.classes,
            )
            if least_of_classes(aim, state.classes) < below:
                state.base[depth, 0], state.base[depth, 1] = energy, rest
                state.base[depth, 2] = cycles
                step = DOWN
        if step == DOWN:
            depth = descend(state, depth)
        elif step == UP:
            depth -= 1
