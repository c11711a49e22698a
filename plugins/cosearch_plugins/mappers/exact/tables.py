"""What happens inside and outside each tile, bounded for all tiles at once."""

from __future__ import annotations

import numpy as np

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
    p: Problem,
    k: Kept,
    runs: Runs,
    x: int,
    price_: FloatArray,
    z: FloatArray,
    ways: FloatArray,
    cost: FloatArray,
) -> None:
    """Find the least energy and cycles between the outermost level and tiles x of the next.

    Args:
        p: the problem.
        k: what is kept.
        runs: its sliding windows.
        x: a tile, alone below the outermost level.
        price_: float64[T + 1, 3], see `outermost_prices`.
        z: float64[T, 2], scratch: words that tiles x receive in full, and when all is free.
        ways: float64[sliders * 4], scratch.
        cost: float64[3], filled with energy, energy with that of tensors that go past the next
            level, and cycles, each by its best order.
    """
    top = len(p.block) - 1
    last = len(p.volume) - 1
    times = last - x
    mask = turning(p, times)
    for t in range(p.axis.shape[0]):
        z[t, 0] = p.words[t, x] * p.volume[times] * p.left[t, x]
        if k.through[t]:
            z[t, 0] = deep_words(p, t, x)
        z[t, 1] = z[t, 0] / p.free[t, times]
        if k.through[t] and p.words[t, x] > k.room[t]:
            z[t, 1] = z[t, 0]
    for s in range(len(runs.tensor)):
        here = runs.any_start[s] + runs.divisor[x, runs.first[s]] * runs.divisors[runs.second[s]]
        for way in range(4):
            ways[4 * s + way] = runs.lone[way, here + runs.divisor[x, runs.second[s]]]
    cost[0] = cost[1] = cost[2] = np.inf
    tensors = p.axis.shape[0]
    for order in range(p.order_start[top, mask], p.order_start[top, mask + 1]):
        energy, reads, writes = price_[tensors, 0], price_[tensors, 1], price_[tensors, 2]
        past = 0.0
        for t in range(tensors):
            words = z[t, p.order_free[order, t]]
            if k.through[t]:
                words = max(words, p.least[t])
                past += serve_cost(p, t, top, words, 1.0)
            else:
                if p.order_way[order, t] >= 0:
                    words *= ways[p.order_way[order, t]]
                energy += price_[t, 0] * words
            reads += price_[t, 1] * words
            writes += price_[t, 2] * words
        cost[0] = min(cost[0], energy)
        cost[1] = min(cost[1], energy + past)
        cost[2] = min(cost[2], port_cycles(p, top, reads, writes))


@compiled
def outermost_prices(p: Problem, k: Kept, price_: FloatArray) -> None:
    """Fill in what a word between the two outermost levels costs.

    Args:
        p: the problem.
        k: what is kept.
        price_: float64[T + 1, 3], a row a tensor: energy, reads and writes of a word; the last
            row is what is counted off for the first visits to partial sums.
    """
    top = len(p.block) - 1
    output = p.axis.shape[0] - 1
    for t in range(output):
        if not k.keep[top, t]:
            continue
        price_[t, 0] = p.word_read[top, t] + p.word_fill[top - 1, t]
        price_[t, 1] = 1.0
    if not k.keep[top, output]:
        return
    whole = p.words[output, len(p.volume) - 1]
    price_[output, 0] = p.word_update[top, output]
    price_[output, 2] = 1.0
    if p.plain_output:
        price_[output, 1] = 1.0
        price_[output + 1, 1] = -whole
    if k.through[output]:
        return
    if p.plain_output:
        price_[output, 0] += p.word_read[top, output]
        price_[output + 1, 0] -= p.word_read[top, output] * whole
    if p.first_fill or p.plain_output:
        price_[output, 0] += p.word_fill[top - 1, output]
    if p.plain_output and not p.first_fill:
        price_[output + 1, 0] -= p.word_fill[top - 1, output] * whole


@compiled
def fill_reach(p: Problem, b: Bounds) -> None:
    """Fill in how many children each level uses at most, and how many can share a word."""
    for level in range(len(p.block)):
        b.spread[level] = 1.0
        for t in range(p.axis.shape[0]):
            b.reach[t, level] = 1.0
        for i in range(p.spread_start[level], p.spread_start[level + 1]):
            s = p.spread_id[i]
            b.spread[level] = max(b.spread[level], p.volume[s])
            for t in range(p.axis.shape[0]):
                b.reach[t, level] = max(b.reach[t, level], p.shared[t, s])


@TABLES.entry()
def open_bounds(p: Problem, b: Bounds) -> None:
    """Begin the tables: nothing lies outside the whole layer."""
    top = len(p.block) - 1
    last = len(p.volume) - 1
    fill_reach(p, b)
    for level in range(p.pivot, top + 1):
        for x in range(last + 1):
            b.tail[level, x] = b.tail_all[level, x] = np.inf
            b.tail_spread[level, x] = 1.0
    b.tail[top, last] = b.tail_all[top, last] = 0.0


@TABLES.entry(allocates=True)
def fill_tails(
    p: Problem, k: Kept, b: Bounds, runs: Runs, level: int, first: int, end: int, flat_top: bool
) -> None:
    """Fill the tails of tiles first to end - 1 at a level, those of the level above being closed.

    Args:
        p: the problem.
        k: what is kept.
        b: the tables.
        runs: the sliding windows.
        level: below the outermost.
        first: a tile.
        end: a tile.
        flat_top: whether the outermost level spreads nothing over space.
    """
    top = len(p.block) - 1
    last = len(p.volume) - 1
    cost = np.zeros(3)
    scratch = np.zeros((p.axis.shape[0], 2))
    ways = np.zeros(4 * len(runs.tensor) + 1)
    price_ = np.zeros((p.axis.shape[0] + 1, 3))
    alone = level == top - 1 and flat_top
    if alone:
        outermost_prices(p, k, price_)
    for x in range(first, end):
        if not k.fit[level, x] or b.out[level + 1, x] == np.inf:
            continue
        if alone:
            if p.temporal_ok[top, last - x]:
                outermost_cost(p, k, runs, x, price_, scratch, ways, cost)
                b.tail[level, x], b.tail_all[level, x] = cost[0], cost[1]
                b.tail_cycles[level, x] = cost[2]
            continue
        tail = tail_all = cycles = np.inf
        spread = 1.0
        for i in range(p.spread_start[level + 1], p.spread_start[level + 2]):
            s = p.spread_id[i]
            if divides(p, s, last - x) and b.out[level + 1, x + s] < np.inf:
                energy, energy_all, least = spread_tail(p, k, b, runs, level, x, s)
                tail, tail_all = min(tail, energy), min(tail_all, energy_all)
                cycles = min(cycles, least)
                spread = max(spread, p.volume[s] * b.out_spread[level + 1, x + s])
        b.tail[level, x], b.tail_all[level, x] = tail, tail_all
        b.tail_cycles[level, x] = cycles
        b.tail_spread[level, x] = spread


@TABLES.entry()
def close_level(p: Problem, b: Bounds, level: int, open_axis: Bools) -> None:
    """Fill what is outside unions at a level from its tails; open_axis: bool[axes], see branch."""
    for x in range(len(p.volume)):
        here = b.tail[level, x] < np.inf
        b.out[level, x], b.out_all[level, x] = b.tail[level, x], b.tail_all[level, x]
        b.out_cycles[level, x] = b.tail_cycles[level, x] if here else np.inf
        b.out_spread[level, x] = -b.tail_spread[level, x] if here else 0.0
    for table in (b.out, b.out_all, b.out_cycles, b.out_spread):
        least_outside(table[level], p.strides, p.lengths, open_axis)
    for x in range(len(p.volume)):
        b.out_spread[level, x] *= -1.0


@TABLES.entry()
def fill_heads(
    p: Problem, k: Kept, b: Bounds, runs: Runs, level: int, first: int, end: int
) -> None:
    """Fill what stays inside tiles first to end - 1 below the pivot, before `least_inside`."""
    for x in range(first, end):
        least = np.inf
        if k.fit[level - 1, x]:
            for c in range(len(p.saved)):
                own, _ = own_cost(p, k, b, runs, level - 1, x, OPEN, p.saved[c], p.pivot - 1)
                least = min(least, own)
        b.head[level, x] = least + b.head[level - 1, x]
