"""A bound for every union of tiles at the pivot: what the search is ordered by."""

from __future__ import annotations

import numpy as np

from cosearch.loopnest.exact.arrays import Aim, Bounds, Kept, Runs
from cosearch.loopnest.exact.compiling import allocating, inlined
from cosearch.loopnest.exact.problem import Problem
from cosearch.loopnest.exact.tiles import least_inside, most_shared, value_of
from cosearch.loopnest.exact.windows import deep_words, union_words
from cosearch.loopnest.exact.words import own_cost, pair_cost, reach_above, reach_between
from cosearch.typing import FloatArray, IntArray


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
def multiplier_cost(p: Problem, k: Kept, b: Bounds, t: int, shared: float) -> float:
    """Return the least energy of feeding the multipliers; shared is what the pivot shares."""
    macs = p.volume[len(p.volume) - 1]
    first = k.outer[multiplier_pair(k, t)]
    served = macs
    for j in range(first + 1):
        served /= shared if j == p.pivot else b.reach[t, j]
    above = 1.0
    for j in range(first + 1, len(p.block)):
        above *= shared if j == p.pivot else b.reach[t, j]
    return pair_cost(p, t, np.int64(-1), first, 0.0, served, 1.0, above)


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


@allocating
def bound_unions(  # noqa: C901 - one walk, calls are dear here
    p: Problem,
    k: Kept,
    b: Bounds,
    runs: Runs,
    aim: Aim,
    strides: IntArray,
    lengths: IntArray,
    bound: FloatArray,
) -> None:
    """Fill bound, float64[n], with the least value of any mapping whose union is each tile."""
    top = len(p.block) - 1
    last = len(p.volume) - 1
    n = last + 1
    pivot = p.pivot
    tensors = p.axis.shape[0]
    most = np.zeros(n)
    share = np.zeros((tensors, n))
    for i in range(p.spread_start[pivot], p.spread_start[pivot + 1]):
        s = p.spread_id[i]
        most[s] = min(most[s], -p.volume[s])
        for t in range(tensors):
            share[t, s] = min(share[t, s], -most_shared(p, t, s))
    least_inside(most, strides, lengths)
    for t in range(tensors):
        least_inside(share[t], strides, lengths)
    others = 1.0
    for j in range(top + 1):
        if j != pivot:
            others *= b.spread[j]
    inside = np.zeros((len(p.saved), n))
    for c in range(len(p.saved)):
        if pivot > 0:
            for x in range(n):
                inside[c, x] = np.inf
                if k.fit[pivot - 1, x]:
                    inside[c, x] = b.head[pivot - 1, x] + own_cost(
                        p, k, b, runs, pivot - 1, x, p.saved[c], pivot - 1
                    )
            least_inside(inside[c], strides, lengths)
    for u in range(n):
        bound[u] = np.inf
        if b.out[pivot, u] == np.inf or most[u] == 0.0:
            continue
        steps = p.volume[last] / (-most[u] * others)
        for c in range(len(p.saved)):
            energy = p.compute * p.volume[last] + b.out[pivot, u] + inside[c, u]
            energy += leakage(p, b, steps, -most[u])
            cycles = max(steps, b.out_cycles[pivot, u])
            for t in range(tensors):
                shared = -share[t, u]
                energy += multiplier_cost(p, k, b, t, shared)
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
                words /= reach_between(b, t, pivot, outer)
                energy += pair_cost(
                    p, t, np.int64(-1), outer, 0.0, words, 1.0, reach_above(p, b, t, outer)
                )
            bound[u] = min(bound[u], value_of(aim, energy, cycles))
