"""What happens inside and outside each tile, bounded for all tiles at once."""

from __future__ import annotations

import numpy as np

from cosearch.compiling.arithmetic import larger, smaller
from cosearch.compiling.bundle import Bools
from cosearch.compiling.functions import compiled
from cosearch.typing import FloatArray
from cosearch_plugins.mappers.exact.arrays import Bounds, Kept, Runs
from cosearch_plugins.mappers.exact.parts import TABLES
from cosearch_plugins.mappers.exact.problem import Problem
from cosearch_plugins.mappers.exact.tiles import (
    divides,
    least_outside,
    turning,
)
from cosearch_plugins.mappers.exact.windows import deep_words
from cosearch_plugins.mappers.exact.words import (
    OPEN,
    own_cost,
    port_cycles,
    serve_cost,
    spread_tail,
)


@compiled
def outermost_cost(
    problem: Problem,
    kept: Kept,
    runs: Runs,
    x: int,
    price_: FloatArray,
    z: FloatArray,
    ways: FloatArray,
    cost: FloatArray,
) -> None:
    """Find the least energy and cycles between the outermost level and tiles x of the next.

    Args:
        problem: the problem.
        kept: what is kept.
        runs: its sliding windows.
        x: a tile, alone below the outermost level.
        price_: float64[T + 1, 3], see `outermost_prices`.
        z: float64[T, 2], scratch: words that tiles x receive in full, and when all is free.
        ways: float64[sliders * 4], scratch.
        cost: float64[3], filled with energy, energy with that of tensors that go past the next
            level, and cycles, each by its best order.
    """
    top = len(problem.leak) - 1
    last = len(problem.volume) - 1
    times = last - x
    mask = turning(problem, times)
    for t in range(problem.axis.shape[0]):
        z[t, 0] = problem.words[t, x] * problem.volume[times] * problem.left[t, x]
        if kept.through[t]:
            z[t, 0] = deep_words(problem, t, x)
        z[t, 1] = z[t, 0] / problem.free[t, times]
        if kept.through[t] and problem.words[t, x] > kept.room[t]:
            z[t, 1] = z[t, 0]
    for s in range(len(runs.tensor)):
        here = runs.any_start[s] + runs.divisor[x, runs.first[s]] * runs.divisors[runs.second[s]]
        for way in range(4):
            ways[4 * s + way] = runs.lone[way, here + runs.divisor[x, runs.second[s]]]
    cost[0] = cost[1] = cost[2] = np.inf
    tensors = problem.axis.shape[0]
    for order in range(problem.order_start[top, mask], problem.order_start[top, mask + 1]):
        energy, reads, writes = price_[tensors, 0], price_[tensors, 1], price_[tensors, 2]
        past = 0.0
        for t in range(tensors):
            words = z[t, problem.order_free[order, t]]
            if kept.through[t]:
                words = larger(words, problem.least[t])
                past += serve_cost(problem, t, top, words, 1.0)
            else:
                if problem.order_way[order, t] >= 0:
                    words *= ways[problem.order_way[order, t]]
                energy += price_[t, 0] * words
            reads += price_[t, 1] * words
            writes += price_[t, 2] * words
        cost[0] = smaller(cost[0], energy)
        cost[1] = smaller(cost[1], energy + past)
        cost[2] = smaller(cost[2], port_cycles(problem, top, reads, writes))


@compiled
def outermost_prices(problem: Problem, kept: Kept, price_: FloatArray) -> None:
    """Fill in what a word between the two outermost levels costs.

    Args:
        problem: the problem.
        kept: what is kept.
        price_: float64[T + 1, 3], a row a tensor: energy, reads and writes of a word; the last
            row is what is counted off for the first visits to partial sums.
    """
    top = len(problem.leak) - 1
    output = problem.axis.shape[0] - 1
    for t in range(output):
        if not kept.keep[top, t]:
            continue
        price_[t, 0] = problem.word_read[top, t] + problem.word_fill[top - 1, t]
        price_[t, 1] = problem.width[top, t]
    if not kept.keep[top, output]:
        return
    whole = problem.words[output, len(problem.volume) - 1]
    price_[output, 0] = problem.word_update[top, output]
    price_[output, 2] = problem.width[top, output]
    if problem.plain_output:
        price_[output, 1] = problem.width[top, output]
        price_[output + 1, 1] = -whole * problem.width[top, output]
    if kept.through[output]:
        return
    if problem.plain_output:
        price_[output, 0] += problem.word_read[top, output]
        price_[output + 1, 0] -= problem.word_read[top, output] * whole
    if problem.first_fill or problem.plain_output:
        price_[output, 0] += problem.word_fill[top - 1, output]
    if problem.plain_output and not problem.first_fill:
        price_[output + 1, 0] -= problem.word_fill[top - 1, output] * whole


@compiled
def fill_reach(problem: Problem, bounds: Bounds) -> None:
    """Fill in how many children each level uses at most, and how many can share a word."""
    for level in range(len(problem.leak)):
        bounds.spread[level] = 1.0
        for t in range(problem.axis.shape[0]):
            bounds.reach[t, level] = 1.0
        for i in range(problem.spread_start[level], problem.spread_start[level + 1]):
            s = problem.spread_id[i]
            bounds.spread[level] = larger(bounds.spread[level], problem.volume[s])
            for t in range(problem.axis.shape[0]):
                bounds.reach[t, level] = larger(bounds.reach[t, level], problem.shared[t, s])


@TABLES.entry()
def open_bounds(problem: Problem, bounds: Bounds) -> None:
    """Begin the tables: nothing lies outside the whole layer."""
    top = len(problem.leak) - 1
    last = len(problem.volume) - 1
    fill_reach(problem, bounds)
    for level in range(problem.pivot, top + 1):
        for x in range(last + 1):
            bounds.tail[level, x] = bounds.tail_all[level, x] = np.inf
            bounds.tail_spread[level, x] = 1.0
    bounds.tail[top, last] = bounds.tail_all[top, last] = 0.0


@TABLES.entry(allocates=True)
def fill_tails(
    problem: Problem,
    kept: Kept,
    bounds: Bounds,
    runs: Runs,
    level: int,
    first: int,
    end: int,
    flat_top: bool,
) -> None:
    """Fill the tails of tiles first to end - 1 at a level, those of the level above being closed.

    Args:
        problem: the problem.
        kept: what is kept.
        bounds: the tables.
        runs: the sliding windows.
        level: below the outermost.
        first: a tile.
        end: a tile.
        flat_top: whether the outermost level spreads nothing over space.
    """
    top = len(problem.leak) - 1
    last = len(problem.volume) - 1
    cost = np.zeros(3)
    scratch = np.zeros((problem.axis.shape[0], 2))
    ways = np.zeros(4 * len(runs.tensor) + 1)
    price_ = np.zeros((problem.axis.shape[0] + 1, 3))
    alone = level == top - 1 and flat_top
    if alone:
        outermost_prices(problem, kept, price_)
    for x in range(first, end):
        if not kept.fit[level, x] or bounds.out[level + 1, x] == np.inf:
            continue
        if alone:
            if problem.temporal_ok[top, last - x]:
                outermost_cost(problem, kept, runs, x, price_, scratch, ways, cost)
                bounds.tail[level, x], bounds.tail_all[level, x] = cost[0], cost[1]
                bounds.tail_cycles[level, x] = cost[2]
            continue
        tail = tail_all = cycles = np.inf
        spread = 1.0
        for i in range(problem.spread_start[level + 1], problem.spread_start[level + 2]):
            s = problem.spread_id[i]
            if divides(problem, s, last - x) and bounds.out[level + 1, x + s] < np.inf:
                energy, energy_all, least = spread_tail(problem, kept, bounds, runs, level, x, s)
                tail, tail_all = smaller(tail, energy), smaller(tail_all, energy_all)
                cycles = smaller(cycles, least)
                spread = larger(spread, problem.volume[s] * bounds.out_spread[level + 1, x + s])
        bounds.tail[level, x], bounds.tail_all[level, x] = tail, tail_all
        bounds.tail_cycles[level, x] = cycles
        bounds.tail_spread[level, x] = spread


@TABLES.entry()
def close_level(problem: Problem, bounds: Bounds, level: int, open_axis: Bools) -> None:
    """Fill what is outside unions at a level from its tails; open_axis: bool[axes], see branch."""
    for x in range(len(problem.volume)):
        here = bounds.tail[level, x] < np.inf
        bounds.out[level, x], bounds.out_all[level, x] = (
            bounds.tail[level, x],
            bounds.tail_all[level, x],
        )
        bounds.out_cycles[level, x] = bounds.tail_cycles[level, x] if here else np.inf
        bounds.out_spread[level, x] = -bounds.tail_spread[level, x] if here else 0.0
    for table in (bounds.out, bounds.out_all, bounds.out_cycles, bounds.out_spread):
        least_outside(table[level], problem.strides, problem.lengths, open_axis)
    for x in range(len(problem.volume)):
        bounds.out_spread[level, x] *= -1.0


@TABLES.entry()
def fill_heads(
    problem: Problem, kept: Kept, bounds: Bounds, runs: Runs, level: int, first: int, end: int
) -> None:
    """Fill what stays inside tiles first to end - 1 below the pivot, before `least_inside`."""
    for x in range(first, end):
        least = np.inf
        if kept.fit[level - 1, x]:
            for c in range(len(problem.saved)):
                own, _ = own_cost(
                    problem,
                    kept,
                    bounds,
                    runs,
                    level - 1,
                    x,
                    OPEN,
                    problem.saved[c],
                    problem.pivot - 1,
                )
                least = smaller(least, own)
        bounds.head[level, x] = least + bounds.head[level - 1, x]
