"""A bound for every union of tiles at the pivot: what the search is ordered by."""

from __future__ import annotations

import numpy as np

from cosearch.compiling.bundle import Floats, Floats2
from cosearch.compiling.functions import inlined
from cosearch_plugins.mappers.exact.arrays import Aim, Bounds, Kept, Runs
from cosearch_plugins.mappers.exact.parts import TABLES
from cosearch_plugins.mappers.exact.problem import Problem
from cosearch_plugins.mappers.exact.tiles import least_inside, least_value
from cosearch_plugins.mappers.exact.windows import deep_words, union_words
from cosearch_plugins.mappers.exact.words import (
    OPEN,
    own_cost,
    reach_above,
    reach_between,
    serve_cost,
)


@inlined
def leakage(p: Problem, b: Bounds, steps: float, spread: float) -> float:
    """Return the least leakage when the pivot uses at most so many children."""
    total = 0.0
    least = p.volume[len(p.volume) - 1]
    for j in range(len(p.block)):
        least /= spread if j == p.pivot else b.spread[j]
        total += p.leak[j] * max(least, steps)
    return total


@inlined
def multiplier_cost(p: Problem, k: Kept, b: Bounds, t: int, shared: float, room: float) -> float:
    """Return the least energy of feeding the multipliers.

    Args:
        p: the problem.
        k: what is kept.
        b: the tables.
        t: a tensor.
        shared: what the pivot shares of it.
        room: the most that all other levels can spread over.
    """
    first = k.outer[multiplier_pair(k, t)]
    inside = above = 1.0
    for j in range(len(p.block)):
        if j != p.pivot and j <= first:
            inside *= b.reach[t, j]
        elif j != p.pivot:
            above *= b.reach[t, j]
    inside, above = min(inside, room), min(above, room)
    if p.pivot <= first:
        inside *= shared
    else:
        above *= shared
    served = max(p.volume[len(p.volume) - 1] / inside, p.least[t])
    return serve_cost(p, t, first, served, above)


@inlined
def multiplier_pair(k: Kept, t: int) -> int:
    """Return the pair between the multipliers and the innermost level that keeps tensor t."""
    for pair in range(len(k.tensor)):
        if k.tensor[pair] == t and k.inner[pair] < 0:
            return pair
    return -1


@inlined
def crossing_pair(p: Problem, k: Kept, t: int) -> int:
    """Return the pair of kept levels that tensor t crosses the pivot between, or -1."""
    for pair in range(len(k.tensor)):
        if k.tensor[pair] == t and 0 <= k.inner[pair] < p.pivot <= k.outer[pair]:
            return pair
    return -1


@TABLES.entry()
def fill_shares(p: Problem, share: Floats) -> None:
    """Fill share, float64[n]: most children in each union, negative, for a running minimum."""
    for x in range(len(p.volume)):
        share[x] = 0.0
    for i in range(p.spread_start[p.pivot], p.spread_start[p.pivot + 1]):
        s = p.spread_id[i]
        share[s] = min(share[s], -p.volume[s])
    least_inside(share, p.strides, p.lengths)


@TABLES.entry()
def fill_feeds(p: Problem, k: Kept, b: Bounds, feed: Floats2) -> None:
    """Fill feed, float64[2, n]: the least energy of feeding the multipliers inside each union.

    The tensors share one spread, and what one of them gains by it the others lose: the least is
    of their sum. The second row leaves out what comes from the outermost level past the next.
    """
    top = len(p.block) - 1
    for x in range(len(p.volume)):
        feed[0, x] = feed[1, x] = np.inf
    for i in range(p.spread_start[p.pivot], p.spread_start[p.pivot + 1]):
        s = p.spread_id[i]
        energy = past = 0.0
        room = float((p.mesh[0, 0] // p.spread_used[i, 0]) * (p.mesh[0, 1] // p.spread_used[i, 1]))
        for t in range(p.axis.shape[0]):
            cost = multiplier_cost(p, k, b, t, p.shared[t, s], room)
            energy += cost
            if k.through[t] and k.outer[multiplier_pair(k, t)] == top:
                past += cost
        feed[0, s] = min(feed[0, s], energy)
        feed[1, s] = min(feed[1, s], energy - past)
    for row in range(2):
        least_inside(feed[row], p.strides, p.lengths)


@TABLES.entry()
def fill_insides(
    p: Problem, k: Kept, b: Bounds, runs: Runs, inside: Floats2, first: int, end: int
) -> None:
    """Fill inside, float64[classes, n]: least energy inside tiles first to end - 1, by class."""
    for c in range(len(p.saved)):
        for x in range(first, end):
            inside[c, x] = 0.0
            if p.pivot > 0:
                inside[c, x] = np.inf
                if k.fit[p.pivot - 1, x]:
                    own, _ = own_cost(p, k, b, runs, p.pivot - 1, x, OPEN, p.saved[c], p.pivot - 1)
                    inside[c, x] = b.head[p.pivot - 1, x] + own


@TABLES.entry()
def bound_unions(
    p: Problem,
    k: Kept,
    b: Bounds,
    runs: Runs,
    aim: Aim,
    share: Floats,
    feed: Floats2,
    inside: Floats2,
    bound: Floats,
    first: int,
    end: int,
) -> None:
    """Fill bound, float64[n], with the least value of any mapping whose union is each tile.

    Args:
        p: the problem.
        k: what is kept.
        b: the tables.
        runs: the sliding windows.
        aim: what is minimized.
        share: float64[n], most children of each union, negative; see `fill_shares`.
        feed: see `fill_feeds`.
        inside: float64[classes, n], least energy inside each union.
        bound: to be filled.
        first: a tile.
        end: the tile after the last to be bounded.
    """
    top = len(p.block) - 1
    last = len(p.volume) - 1
    pivot = p.pivot
    tensors = p.axis.shape[0]
    multipliers = float(p.mesh[0, 0] * p.mesh[0, 1])
    others = 1.0
    for j in range(pivot):
        others *= b.spread[j]
    for u in range(first, end):
        bound[u] = np.inf
        most = -share[u]
        if b.out[pivot, u] == np.inf or most == 0.0:
            continue
        steps = p.volume[last] / min(most * others * b.out_spread[pivot, u], multipliers)
        for c in range(len(p.saved)):
            energy = p.compute * p.volume[last] + inside[c, u] + leakage(p, b, steps, most)
            past = 0.0
            cycles = max(steps, b.out_cycles[pivot, u])
            for t in range(tensors):
                crossing = crossing_pair(p, k, t)
                if crossing < 0:
                    continue
                outer = k.outer[crossing]
                inner = k.inner[crossing]
                if inner < pivot - 1 and p.sliding[t]:
                    words = deep_words(p, t, u)
                else:
                    words = union_words(p, runs, t, u) * (p.volume[last] / p.volume[u])
                if p.saved[c] >> t & 1:
                    words /= p.free[t, last - u]
                words = max(words / reach_between(b, t, pivot, outer), p.least[t])
                cost = serve_cost(p, t, outer, words, reach_above(p, b, t, outer))
                energy += cost
                if k.through[t] and outer == top:
                    past += cost
            energy += max(feed[0, u] + b.out[pivot, u], feed[1, u] + b.out_all[pivot, u] - past)
            bound[u] = min(bound[u], least_value(aim, energy, cycles))
