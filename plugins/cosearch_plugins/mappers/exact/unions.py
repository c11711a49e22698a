"""A bound for every union of tiles at the pivot: what the search is ordered by."""

from __future__ import annotations

import numpy as np

from cosearch.compiling.arithmetic import larger, smaller
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
def leakage(problem: Problem, bounds: Bounds, steps: float, spread: float) -> float:
    """Return the least leakage when the pivot uses at most so many children."""
    total = 0.0
    least = problem.volume[len(problem.volume) - 1]
    for j in range(len(problem.leak)):
        least /= spread if j == problem.pivot else bounds.spread[j]
        total += problem.leak[j] * larger(least, steps)
    return total


@inlined
def multiplier_cost(
    problem: Problem, kept: Kept, bounds: Bounds, t: int, shared: float, room: float
) -> float:
    """Return the least energy of feeding the multipliers.

    Args:
        problem: the problem.
        kept: what is kept.
        bounds: the tables.
        t: a tensor.
        shared: what the pivot shares of it.
        room: the most that all other levels can spread over.
    """
    first = kept.outer[multiplier_pair(kept, t)]
    inside = above = 1.0
    for j in range(len(problem.leak)):
        if j != problem.pivot and j <= first:
            inside *= bounds.reach[t, j]
        elif j != problem.pivot:
            above *= bounds.reach[t, j]
    inside, above = smaller(inside, room), smaller(above, room)
    if problem.pivot <= first:
        inside *= shared
    else:
        above *= shared
    served = larger(problem.volume[len(problem.volume) - 1] / inside, problem.least[t])
    return serve_cost(problem, t, first, served, above)


@inlined
def multiplier_pair(kept: Kept, t: int) -> int:
    """Return the pair between the multipliers and the innermost level that keeps tensor t."""
    for pair in range(len(kept.tensor)):
        if kept.tensor[pair] == t and kept.inner[pair] < 0:
            return pair
    return -1


@inlined
def crossing_pair(problem: Problem, kept: Kept, t: int) -> int:
    """Return the pair of kept levels that tensor t crosses the pivot between, or -1."""
    for pair in range(len(kept.tensor)):
        if kept.tensor[pair] == t and 0 <= kept.inner[pair] < problem.pivot <= kept.outer[pair]:
            return pair
    return -1


@TABLES.entry()
def fill_shares(problem: Problem, share: Floats) -> None:
    """Fill share, float64[n]: most children in each union, negative, for a running minimum."""
    for x in range(len(problem.volume)):
        share[x] = 0.0
    for i in range(problem.spread_start[problem.pivot], problem.spread_start[problem.pivot + 1]):
        s = problem.spread_id[i]
        share[s] = smaller(share[s], -problem.volume[s])
    least_inside(share, problem.strides, problem.lengths)


@TABLES.entry()
def fill_feeds(problem: Problem, kept: Kept, bounds: Bounds, feed: Floats2) -> None:
    """Fill feed, float64[2, n]: the least energy of feeding the multipliers inside each union.

    The tensors share one spread, and what one of them gains by it the others lose: the least is
    of their sum. The second row leaves out what comes from the outermost level past the next.
    """
    top = len(problem.leak) - 1
    for x in range(len(problem.volume)):
        feed[0, x] = feed[1, x] = np.inf
    for i in range(problem.spread_start[problem.pivot], problem.spread_start[problem.pivot + 1]):
        s = problem.spread_id[i]
        energy = past = 0.0
        room = float(
            (problem.mesh[0, 0] // problem.spread_used[i, 0])
            * (problem.mesh[0, 1] // problem.spread_used[i, 1])
        )
        for t in range(problem.axis.shape[0]):
            cost = multiplier_cost(problem, kept, bounds, t, problem.shared[t, s], room)
            energy += cost
            if kept.through[t] and kept.outer[multiplier_pair(kept, t)] == top:
                past += cost
        feed[0, s] = smaller(feed[0, s], energy)
        feed[1, s] = smaller(feed[1, s], energy - past)
    for row in range(2):
        least_inside(feed[row], problem.strides, problem.lengths)


@TABLES.entry()
def fill_insides(
    problem: Problem, kept: Kept, bounds: Bounds, runs: Runs, inside: Floats2, first: int, end: int
) -> None:
    """Fill inside, float64[classes, n]: least energy inside tiles first to end - 1, by class."""
    for c in range(len(problem.saved)):
        for x in range(first, end):
            inside[c, x] = 0.0
            if problem.pivot > 0:
                inside[c, x] = np.inf
                if kept.fit[problem.pivot - 1, x]:
                    own, _ = own_cost(
                        problem,
                        kept,
                        bounds,
                        runs,
                        problem.pivot - 1,
                        x,
                        OPEN,
                        problem.saved[c],
                        problem.pivot - 1,
                    )
                    inside[c, x] = bounds.head[problem.pivot - 1, x] + own


@TABLES.entry()
def value_unions(aim: Aim, energy: Floats2, cycles: Floats, bound: Floats) -> None:
    """Fill bound, float64[n], with the least value of any mapping whose union is each tile."""
    for u in range(len(bound)):
        bound[u] = np.inf
        for c in range(energy.shape[0]):
            bound[u] = smaller(bound[u], least_value(aim, energy[c, u], cycles[u]))


@TABLES.entry()
def bound_unions(
    problem: Problem,
    kept: Kept,
    bounds: Bounds,
    runs: Runs,
    share: Floats,
    feed: Floats2,
    inside: Floats2,
    least: Floats2,
    fastest: Floats,
    first: int,
    end: int,
) -> None:
    """Fill in the least energy, by class, and cycles of any mapping whose union is each tile.

    Args:
        problem: the problem.
        kept: what is kept.
        bounds: the tables.
        runs: the sliding windows.
        share: float64[n], most children of each union, negative; see `fill_shares`.
        feed: see `fill_feeds`.
        inside: float64[classes, n], least energy inside each union.
        least: float64[classes, n], to be filled: energy.
        fastest: float64[n], likewise: cycles.
        first: a tile.
        end: the tile after the last to be bounded.
    """
    top = len(problem.leak) - 1
    last = len(problem.volume) - 1
    pivot = problem.pivot
    tensors = problem.axis.shape[0]
    multipliers = float(problem.mesh[0, 0] * problem.mesh[0, 1])
    others = 1.0
    for j in range(pivot):
        others *= bounds.spread[j]
    for u in range(first, end):
        fastest[u] = np.inf
        for c in range(len(problem.saved)):
            least[c, u] = np.inf
        most = -share[u]
        if bounds.out[pivot, u] == np.inf or most == 0.0:
            continue
        steps = problem.volume[last] / smaller(
            most * others * bounds.out_spread[pivot, u], multipliers
        )
        steps *= problem.busy
        fastest[u] = larger(steps, bounds.out_cycles[pivot, u])
        for c in range(len(problem.saved)):
            energy = (
                problem.compute * problem.volume[last]
                + inside[c, u]
                + leakage(problem, bounds, steps, most)
            )
            past = 0.0
            for t in range(tensors):
                crossing = crossing_pair(problem, kept, t)
                if crossing < 0:
                    continue
                outer = kept.outer[crossing]
                inner = kept.inner[crossing]
                if inner < pivot - 1 and problem.sliding[t]:
                    words = deep_words(problem, t, u)
                else:
                    words = union_words(problem, runs, t, u) * (
                        problem.volume[last] / problem.volume[u]
                    )
                if problem.saved[c] >> t & 1:
                    words /= problem.free[t, last - u]
                words = larger(words / reach_between(bounds, t, pivot, outer), problem.least[t])
                cost = serve_cost(problem, t, outer, words, reach_above(problem, bounds, t, outer))
                energy += cost
                if kept.through[t] and outer == top:
                    past += cost
            least[c, u] = energy + larger(
                feed[0, u] + bounds.out[pivot, u], feed[1, u] + bounds.out_all[pivot, u] - past
            )
