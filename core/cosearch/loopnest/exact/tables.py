"""What happens inside and outside each tile, bounded for all tiles at once."""

from __future__ import annotations

import numpy as np

from cosearch.loopnest.exact.arrays import Bounds, Kept, Runs
from cosearch.loopnest.exact.compiling import allocating, compiled
from cosearch.loopnest.exact.problem import Problem
from cosearch.loopnest.exact.tiles import least_inside, least_outside, most_shared, turning
from cosearch.loopnest.exact.words import own_cost, port_cycles
from cosearch.typing import BoolArray, FloatArray, IntArray


@compiled
def outermost_cost(
    p: Problem,
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
        runs: its sliding windows.
        x: a tile, alone below the outermost level.
        price_: float64[T + 1, 3], see `outermost_prices`.
        z: float64[T, 2], scratch: words that tiles x receive in full, and when all is free.
        ways: float64[sliders * 4], scratch.
        cost: float64[2], filled with energy and cycles, each by its best order.
    """
    top = len(p.block) - 1
    last = len(p.volume) - 1
    times = last - x
    mask = turning(p, times)
    for t in range(p.axis.shape[0]):
        z[t, 0] = p.words[t, x] * p.volume[times]
        z[t, 1] = z[t, 0] / p.free[t, times]
    for s in range(len(runs.tensor)):
        here = runs.any_start[s] + runs.divisor[x, runs.first[s]] * runs.divisors[runs.second[s]]
        for way in range(4):
            ways[4 * s + way] = runs.lone[way, here + runs.divisor[x, runs.second[s]]]
    cost[0] = cost[1] = np.inf
    tensors = p.axis.shape[0]
    for order in range(p.order_start[top, mask], p.order_start[top, mask + 1]):
        energy, reads, writes = price_[tensors, 0], price_[tensors, 1], 0.0
        for t in range(tensors):
            words = z[t, p.order_free[order, t]]
            if p.order_way[order, t] >= 0:
                words *= ways[p.order_way[order, t]]
            energy += price_[t, 0] * words
            reads += price_[t, 1] * words
            writes += price_[t, 2] * words
        cost[0] = min(cost[0], energy)
        cost[1] = min(cost[1], port_cycles(p, top, reads, writes))


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
    for t in range(output + 1):
        if k.above[t, top - 1] < 0:
            continue
        if t < output:
            price_[t, 0] = p.word_read[top, t] + p.word_fill[top - 1, t]
            price_[t, 1] = 1.0
            continue
        price_[t, 0] = p.word_update[top, t]
        price_[t, 2] = 1.0
        whole = p.words[t, len(p.volume) - 1]
        if p.plain_output:
            price_[t, 0] += p.word_read[top, t]
            price_[output + 1, 0] -= p.word_read[top, t] * whole
            price_[t, 1] = 1.0
            price_[output + 1, 1] = -whole
        if p.first_fill or p.plain_output:
            price_[t, 0] += p.word_fill[top - 1, t]
        if p.plain_output and not p.first_fill:
            price_[output + 1, 0] -= p.word_fill[top - 1, t] * whole


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
                b.reach[t, level] = max(b.reach[t, level], most_shared(p, t, s))


@allocating
def fill_bounds(  # noqa: C901 - one walk, calls are dear here
    p: Problem,
    k: Kept,
    b: Bounds,
    runs: Runs,
    strides: IntArray,
    lengths: IntArray,
    open_axis: BoolArray,
    flat_top: bool,
) -> None:
    """Fill the tables of what happens inside and outside each tile.

    Args:
        p: the problem.
        k: what is kept.
        b: the tables.
        runs: the sliding windows.
        strides: of the lattice.
        lengths: of the lattice.
        open_axis: bool[L, axes]: whether a level may take more of a prime.
        flat_top: whether the outermost level spreads nothing over space.
    """  # fmt: skip
    top = len(p.block) - 1
    last = len(p.volume) - 1
    n = last + 1
    cost = np.zeros(2)
    scratch = np.zeros((p.axis.shape[0], 2))
    ways = np.zeros(4 * len(runs.tensor) + 1)
    price_ = np.zeros((p.axis.shape[0] + 1, 3))
    outermost_prices(p, k, price_)
    fill_reach(p, b)
    for level in range(top + 1):
        for x in range(n):
            b.tail[level, x] = np.inf
            b.tail_cycles[level, x] = b.head[level, x] = 0.0
    b.tail[top, last] = 0.0
    for level in range(top, p.pivot - 1, -1):
        if level < top:
            for x in range(n):
                if not k.fit[level, x] or b.out[level + 1, x] == np.inf:
                    b.tail[level, x] = np.inf
                    continue
                if level == top - 1 and flat_top:
                    if not p.temporal_ok[top, last - x]:
                        b.tail[level, x] = np.inf
                        continue
                    outermost_cost(p, runs, x, price_, scratch, ways, cost)
                    b.tail[level, x] = cost[0]
                    b.tail_cycles[level, x] = cost[1]
                    continue
                least = np.inf
                for c in range(len(p.saved)):
                    least = min(least, own_cost(p, k, b, runs, level, x, p.saved[c], top))
                b.tail[level, x] = least + b.out[level + 1, x]
                b.tail_cycles[level, x] = b.out_cycles[level + 1, x]
        for x in range(n):
            b.out[level, x] = b.tail[level, x]
            b.out_cycles[level, x] = (
                b.tail_cycles[level, x] if b.tail[level, x] < np.inf else np.inf
            )
        least_outside(b.out[level], strides, lengths, open_axis[level])
        least_outside(b.out_cycles[level], strides, lengths, open_axis[level])
    for level in range(1, p.pivot):
        for x in range(n):
            if not k.fit[level - 1, x]:
                b.head[level, x] = np.inf
                continue
            least = np.inf
            for c in range(len(p.saved)):
                least = min(least, own_cost(p, k, b, runs, level - 1, x, p.saved[c], p.pivot - 1))
            b.head[level, x] = least + b.head[level - 1, x]
        least_inside(b.head[level], strides, lengths)
