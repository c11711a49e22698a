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

SPREAD_LOOKS = 16
"""What pricing a tile with its spatial factors counts as."""


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
    w.register[LOOKED] += b.candidate_count[level] + LOOKS


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
        value, _, _, _ = node_bound(p, k, b, runs, aim, w, z, low, p.pivot, p.pivot, u)
        w.register[NODES] += 1
        w.register[LOOKED] += LOOKS
        if value < threshold:
            w.queue_bound[count] = value
            w.queue_entry[count] = i
            count += 1
    w.register[LOOKED] += p.spread_start[p.pivot + 1] - p.spread_start[p.pivot]
    sort_queue(w, count)
    w.register[QUEUED] = count
    if count > 0 and p.pivot < len(p.block) - 1:
        gather_around(p, b, w)


@compiled
def next_candidate(
    p: Problem,
    k: Kept,
    b: Bounds,
    runs: Runs,
    aim: Aim,
    w: State,
    level: int,
    start: int,
    energy: float,
    rest: float,
    cycles: float,
    threshold: float,
) -> int:
    """Return the place of the next tile around the union that may beat the best, or -1.

    Args:
        p: the problem.
        k: what is kept.
        b: its tables.
        runs: the sliding windows.
        aim: what is minimized.
        w: holds the union, and the spatial factors of the next level.
        level: whose tile is sought.
        start: where to begin among the candidates.
        energy: of all that lies inside the tile.
        rest: likewise, without what `tail_all` has.
        cycles: likewise.
        threshold: what a value has to stay below.
    """
    gathered = level == p.pivot
    last = len(p.volume) - 1
    s = p.spread_id[w.spread[level + 1]]
    spreads = p.spread_start[level + 2] > p.spread_start[level + 1] + 1
    i = start
    for i in range(start, w.register[AROUND] if gathered else b.candidate_count[level]):
        tail_all = w.around_tail[i] if gathered else b.candidate_tail[level, i]
        if least_value(aim, rest + tail_all, cycles) >= threshold:
            break
        x = w.around[i] if gathered else b.candidates[level, i]
        if not gathered:
            u = w.union[level]
            if not divides(p, u, x) or not p.temporal_ok[level, x - u]:
                continue
        if not divides(p, s, last - x) or b.out[level + 1, x + s] == np.inf:
            continue
        least = max(energy + b.tail[level, x], rest + tail_all)
        slowest = max(cycles, b.tail_cycles[level, x], b.out_cycles[level + 1, x + s])
        if least_value(aim, least, slowest) >= threshold:
            continue
        if spreads:
            w.register[LOOKED] += SPREAD_LOOKS
            tail, tail_all, tail_cycles = spread_tail(p, k, b, runs, level, x, s)
            least, slowest = max(energy + tail, rest + tail_all), max(slowest, tail_cycles)
            if least_value(aim, least, slowest) >= threshold:
                continue
        w.register[LOOKED] += i - start
        return i
    w.register[LOOKED] += i - start
    return -1


@inlined
def descend(w: State, depth: int) -> int:
    """Begin with the first choice of the next step, and return its depth."""
    w.cursor[depth + 1, 0] = w.cursor[depth + 1, 1] = 0
    return depth + 1


@SEARCH.entry()
def search(  # noqa: C901 - one walk, calls are dear here
    p: Problem,
    k: Kept,
    b: Bounds,
    runs: Runs,
    aim: Aim,
    w: State,
    z: Net,
    unions: Ints,
    bound: Floats,
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
    """
    top = len(p.block) - 1
    last = len(p.volume) - 1
    pivot = p.pivot
    plan_steps = top - pivot  # steps 1 .. plan_steps choose the spatial factors outside
    inner_steps = plan_steps + pivot  # the next ones what lies inside, the last of them S_0
    depth = w.register[DEPTH]
    spent = 0
    while True:
        spent += 1
        if spent + w.register[LOOKED] // LOOKS > quota:
            w.register[LOOKED] = 0
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
            low, high, planned = pivot - 1, pivot, pivot
        elif depth <= plan_steps:
            # choose S_l outside the pivot
            level = pivot + depth
            first, end = p.spread_start[level], p.spread_start[level + 1]
            j = w.cursor[depth, 1]
            if first + j >= end:
                depth -= 1
                continue
            w.cursor[depth, 1] = j + 1
            room = last - w.union[pivot]
            for i in range(pivot + 1, level):
                room -= p.spread_id[w.spread[i]]
            if not divides(p, p.spread_id[first + j], room):
                continue
            w.spread[level] = first + j
            if not mesh_allows(p, w, pivot, level):
                continue
            low, high, planned = pivot - 1, pivot, level
            if end == first + 1:
                for i in range(3):
                    w.base[depth, i] = w.base[depth - 1, i]
                depth = descend(w, depth)
                continue
        elif depth <= inner_steps:
            # choose X_(l-1) and S_l inside X_l
            level = inner_steps - depth
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
            if not mesh_allows(p, w, level, top):
                continue
            low, high, planned = inside, pivot, top
        else:
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
            i = next_candidate(
                p,
                k,
                b,
                runs,
                aim,
                w,
                level,
                w.cursor[depth, 0],
                w.base[depth - 1, 0],
                w.base[depth - 1, 1],
                w.base[depth - 1, 2],
                threshold,
            )
            if i < 0:
                depth -= 1
                continue
            w.cursor[depth, 0] = i + 1
            x = w.around[i] if level == pivot else b.candidates[level, i]
            w.tile[level] = x
            w.union[level + 1] = x + p.spread_id[w.spread[level + 1]]
            low, high, planned = -1, level + 1, top
        w.register[NODES] += 1
        value, energy, rest, cycles = node_bound(
            p, k, b, runs, aim, w, z, low, high, planned, w.union[high]
        )
        if value >= threshold:
            continue
        w.base[depth, 0], w.base[depth, 1], w.base[depth, 2] = energy, rest, cycles
        depth = descend(w, depth)
