"""The tree of tile chains.

A mapping is a chain of tiles, each dividing the next: inside level l stand the tile X_l that one
instance holds and the union U_l = X_(l-1) * S_l of its children's tiles, X_l = U_l * T_l. The
search picks U at the pivot, where the array is, then the tiles inside it and those outside.
"""

from __future__ import annotations

import numpy as np

from cosearch.loopnest.exact.arrays import (
    AROUND,
    DEPTH,
    DONE,
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
from cosearch.loopnest.exact.compiling import compiled, inlined
from cosearch.loopnest.exact.leaves import settle
from cosearch.loopnest.exact.nodes import node_bound
from cosearch.loopnest.exact.problem import Problem
from cosearch.loopnest.exact.tiles import divides, next_inside, value_of
from cosearch.typing import FloatArray, IntArray

LOOKS = 64
"""Tiles or spatial factors looked at in the time that one node takes."""


@inlined
def mesh_allows(p: Problem, w: State, low: int, high: int) -> bool:
    """Return whether the spatial factors chosen at levels low to high fit the meshes below."""
    x = y = 1
    for j in range(high, low - 1, -1):
        x *= p.spread_used[w.spread[j], 0]
        y *= p.spread_used[w.spread[j], 1]
        if x > p.mesh[j, 0] or y > p.mesh[j, 1]:
            return False
    for j in range(low - 1, -1, -1):  # noqa: SIM110 - compiled
        if x > p.mesh[j, 0] or y > p.mesh[j, 1]:
            return False
    return True


@compiled
def sort_queue(w: State, count: int) -> None:
    """Sort the queue by bound: an insertion sort, for it is short."""
    for i in range(1, count):
        bound, entry_ = w.queue_bound[i], w.queue_entry[i]
        j = i - 1
        while j >= 0 and w.queue_bound[j] > bound:
            w.queue_bound[j + 1], w.queue_entry[j + 1] = w.queue_bound[j], w.queue_entry[j]
            j -= 1
        w.queue_bound[j + 1], w.queue_entry[j + 1] = bound, entry_


@compiled
def gather_around(p: Problem, b: Bounds, w: State) -> None:
    """List the candidates that contain the union at hand, best tail first."""
    level = p.pivot
    u = w.union[level]
    inside, guard = p.packed[u], p.guard
    count = 0
    for i in range(b.candidate_count[level]):
        x = b.candidates[level, i]
        if ((p.packed[x] | guard) - inside) & guard == guard and p.temporal_ok[level, x - u]:
            w.around[count] = x
            w.around_tail[count] = b.candidate_tail[level, i]
            count += 1
    w.register[AROUND] = count


@compiled
def open_union(
    p: Problem, k: Kept, b: Bounds, runs: Runs, aim: Aim, w: State, z: Net, u: int
) -> None:
    """Queue the spatial factors of a union at the pivot, best bound first."""
    w.union[p.pivot] = u
    count = 0
    threshold = w.best[0] * (1.0 - MARGIN)
    for i in range(p.spread_start[p.pivot], p.spread_start[p.pivot + 1]):
        s = p.spread_id[i]
        if p.pivot == 0:
            if s != u:
                continue
        elif not divides(p, s, u) or not k.fit[p.pivot - 1, u - s]:
            continue
        w.spread[p.pivot] = i
        if p.pivot > 0:
            w.tile[p.pivot - 1] = u - s
        low = p.pivot - 1
        value, _, _ = node_bound(p, k, b, runs, aim, w, z, low, p.pivot, u)
        w.register[NODES] += 1
        if value < threshold:
            w.queue_bound[count] = value
            w.queue_entry[count] = i
            count += 1
    sort_queue(w, count)
    w.register[QUEUED] = count
    if count > 0 and p.pivot < len(p.block) - 1:
        gather_around(p, b, w)


@compiled
def next_candidate(
    p: Problem,
    b: Bounds,
    aim: Aim,
    w: State,
    level: int,
    start: int,
    energy: float,
    cycles: float,
    threshold: float,
) -> int:
    """Return the place of the next tile around the union that may beat the best, or -1.

    Args:
        p: the problem.
        b: its tables.
        aim: what is minimized.
        w: holds the union.
        level: whose tile is sought.
        start: where to begin among the candidates.
        energy: of all that lies inside the tile.
        cycles: likewise.
        threshold: what a value has to stay below.
    """  # fmt: skip
    if level == p.pivot:
        for i in range(start, w.register[AROUND]):
            least = energy + w.around_tail[i]
            if value_of(aim, least, cycles) >= threshold:
                return -1
            if value_of(aim, least, max(cycles, b.tail_cycles[level, w.around[i]])) < threshold:
                return i
        return -1
    for i in range(start, b.candidate_count[level]):
        least = energy + b.candidate_tail[level, i]
        if value_of(aim, least, cycles) >= threshold:
            return -1
        x = b.candidates[level, i]
        if not divides(p, w.union[level], x) or not p.temporal_ok[level, x - w.union[level]]:
            continue
        if value_of(aim, least, max(cycles, b.tail_cycles[level, x])) < threshold:
            return i
    return -1


@compiled
def search(  # noqa: C901 - one walk, calls are dear here
    p: Problem,
    k: Kept,
    b: Bounds,
    runs: Runs,
    aim: Aim,
    w: State,
    z: Net,
    unions: IntArray,
    bound: FloatArray,
    quota: int,
) -> int:
    """Search until the best is proven or a quota of steps is spent.

    Args:
        p: the problem.
        k: what is kept.
        b: the tables.
        runs: the sliding windows.
        aim: what is minimized.
        w: the search.
        z: the network.
        unions: int64[m], ids of the pivot's unions, best bound first.
        bound: float64[n].
        quota: nodes and leaves to visit before pausing.

    Returns:
        DONE or PAUSED; call again to go on.
    """  # fmt: skip
    top = len(p.block) - 1
    last = len(p.volume) - 1
    pivot = p.pivot
    inner_steps = pivot  # steps 1 .. pivot choose what lies inside, the last one S_0
    depth = w.register[DEPTH]
    spent = 0
    while True:
        spent += 1
        if spent > quota:
            w.register[DEPTH] = depth
            return PAUSED
        threshold = w.best[0] * (1.0 - MARGIN)
        if depth < 0:
            i = w.register[UNION]
            if i >= len(unions) or bound[unions[i]] >= threshold:
                w.best[3] = np.inf
                w.register[DEPTH] = depth
                return DONE
            w.best[3] = bound[unions[i]]
            w.register[UNION] = i + 1
            open_union(p, k, b, runs, aim, w, z, unions[i])
            spent += w.register[QUEUED] + (len(w.queue_bound) + len(w.around)) // LOOKS
            depth = 0
            w.cursor[0, 0] = 0
            continue
        if depth == 0:
            i = w.cursor[0, 0]
            if i >= w.register[QUEUED] or w.queue_bound[i] >= threshold:
                depth = -1
                continue
            w.cursor[0, 0] = i + 1
            w.spread[pivot] = w.queue_entry[i]
            if pivot > 0:
                w.tile[pivot - 1] = w.union[pivot] - p.spread_id[w.queue_entry[i]]
            if not mesh_allows(p, w, pivot, pivot):
                continue
            value, energy, cycles = node_bound(
                p, k, b, runs, aim, w, z, pivot - 1, pivot, w.union[pivot]
            )
            w.base[0, 0], w.base[0, 1] = energy, cycles
            depth = 1
            w.cursor[1, 0] = 0
            w.cursor[1, 1] = 0
            continue
        if depth <= inner_steps:
            # choose X_(l-1) and S_l inside X_l, l = pivot - depth
            level = pivot - depth
            inside = level - 1
            x, j = w.cursor[depth, 0], w.cursor[depth, 1]
            if x < 0:
                depth -= 1
                continue
            first, end = p.spread_start[level], p.spread_start[level + 1]
            if first + j >= end or (level > 0 and not k.fit[inside, x]):
                w.cursor[depth, 0] = next_inside(p, x, w.tile[level]) if level > 0 else -1
                w.cursor[depth, 1] = 0
                continue
            w.cursor[depth, 1] = j + 1
            s = p.spread_id[first + j]
            room = w.tile[level] - x
            if not divides(p, s, room) or not p.temporal_ok[level, room - s]:
                continue
            w.spread[level] = first + j
            w.union[level] = x + s
            if level > 0:
                w.tile[inside] = x
            if not mesh_allows(p, w, level, pivot):
                continue
            w.register[NODES] += 1
            value, energy, cycles = node_bound(
                p, k, b, runs, aim, w, z, inside, pivot, w.union[pivot]
            )
            if value >= threshold:
                continue
            w.base[depth, 0], w.base[depth, 1] = energy, cycles
            depth += 1
            w.cursor[depth, 0] = 0
            w.cursor[depth, 1] = 0
            continue
        # choose X_l outside U_l and S_(l+1), l = pivot + depth - inner_steps - 1
        level = pivot + depth - inner_steps - 1
        if level == top:
            w.tile[top] = last
            if p.temporal_ok[top, last - w.union[top]]:
                spent -= w.register[PRICED]
                settle(p, k, aim, w, z)
                spent += w.register[PRICED]
            depth -= 1
            continue
        i, j = w.cursor[depth, 0], w.cursor[depth, 1]
        energy, cycles = w.base[depth - 1, 0], w.base[depth - 1, 1]
        first, end = p.spread_start[level + 1], p.spread_start[level + 2]
        if first + j >= end:
            i, j = i + 1, 0
        if j == 0:
            i = next_candidate(p, b, aim, w, level, i, energy, cycles, threshold)
        if i < 0:
            depth -= 1
            continue
        x = w.around[i] if level == pivot else b.candidates[level, i]
        w.cursor[depth, 0] = i
        w.cursor[depth, 1] = j + 1
        s = p.spread_id[first + j]
        if not divides(p, s, last - x):
            continue
        w.tile[level] = x
        w.spread[level + 1] = first + j
        w.union[level + 1] = x + s
        if not mesh_allows(p, w, np.int64(0), level + 1):
            continue
        w.register[NODES] += 1
        value, energy, cycles = node_bound(
            p, k, b, runs, aim, w, z, np.int64(-1), level + 1, w.union[level + 1]
        )
        if value >= threshold:
            continue
        w.base[depth, 0], w.base[depth, 1] = energy, cycles
        depth += 1
        w.cursor[depth, 0] = 0
        w.cursor[depth, 1] = 0
