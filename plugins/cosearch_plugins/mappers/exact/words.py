"""Words between two levels, counted exactly or from below, and what they cost."""

from __future__ import annotations

from typing import cast

import numpy as np

from cosearch.compiling.functions import compiled, inlined
from cosearch.typing import FloatArray
from cosearch_plugins.mappers.exact.arrays import Bounds, Kept, Runs, State
from cosearch_plugins.mappers.exact.problem import Problem
from cosearch_plugins.mappers.exact.tiles import full_words, shared_by
from cosearch_plugins.mappers.exact.windows import (
    deep_words,
    share_anyhow,
    share_left,
    share_outermost,
)

OPEN = cast("int", np.int64(-1))
"""Instead of spatial factors that are not chosen yet; typed so that numba takes it for no literal,
for which it would compile the callee once more."""


@compiled
def general_fold(
    p: Problem, t: int, x: int, u: int, times: int, order: int, state: FloatArray
) -> None:
    """Do what `fold` does for any axes and rules, as `cosearch.loopnest.model.delivery` counts.

    Args:
        p: the problem.
        t: a tensor.
        x: the tile.
        u: the union inside the level.
        times: the level's temporal factors.
        order: of its loops, an entry of p.orders.
        state: words, whether a shift is credited; from 6 on, by axis: the sum of moves, the
            credited shift, the shift at hand.
    """
    axes, dims = p.project.shape[1], p.project.shape[2]
    words = p.words[t, x]
    gone, credited, at_hand = 6, 6 + axes, 6 + 2 * axes
    for i in range(p.orders.shape[1]):
        d = p.orders[order, i]
        if d < 0:
            break
        bound = p.extent[times, d]
        if bound == 1:
            continue
        still, again, overlap = True, state[1] > 0, 1.0
        for a in range(axes):
            move = p.project[t, a, d] * p.extent[u, d]
            shift = move - state[gone + a]
            state[gone + a] += move * (bound - 1) if p.halo else move
            state[at_hand + a] = shift
            still = still and shift == 0
            again = again and shift == state[credited + a]
            size = 1.0
            for e in range(dims):
                size += p.project[t, a, e] * (p.extent[x, e] - 1)
            overlap *= max(0.0, size - abs(shift))
        if state[1] == 0 and (p.first_only or not still):
            state[1] = 1.0
            again = True
            for a in range(axes):
                state[credited + a] = state[at_hand + a]
        stays = p.halo or again or (still and not p.first_only)
        new = words - overlap if stays else words
        state[0] = bound * state[0] - (bound - 1) * (words - new)


@inlined
def fold(p: Problem, t: int, x: int, u: int, times: int, order: int, state: FloatArray) -> None:
    """Carry the words delivered to tiles x of tensor t through the loops of one level.

    Args:
        p: the problem.
        t: a tensor.
        x: the tile. u: the union inside the level. times: the level's temporal factors.
        u: a union.
        times: the level's temporal factors.
        order: of its loops, an entry of p.orders.
        state: words, moved, axis and amount of the first move, sum of moves, still on one axis.
    """
    words = p.words[t, x]
    for i in range(p.orders.shape[1]):
        d = p.orders[order, i]
        if d < 0:
            break
        bound = p.extent[times, d]
        if bound == 1:
            continue
        along = p.axis[t, d]
        if along < 0:
            if state[1] > 0:
                state[0] *= bound
            continue
        move = p.step[t, d] * p.extent[u, d]
        if state[1] == 0:
            state[1], state[2], state[3], state[4] = 1.0, along, move, move
            state[5] = 1.0 if p.slides[t, d] else 0.0
            shift = move
        elif state[5] == 0 or state[2] != along:
            state[5] = 0.0
            state[0] *= bound
            continue
        else:
            shift = move - state[4]
            state[4] += move
        new = words
        if shift == 0.0:
            new = 0.0
        elif shift == state[3] and p.slides[t, d]:
            size = 1.0
            for e in range(p.axis.shape[1]):
                if p.axis[t, e] == along:
                    size += p.step[t, e] * (p.extent[x, e] - 1)
            new = words - words / size * max(0.0, size - shift)
        state[0] = bound * state[0] - (bound - 1) * (words - new)


@inlined
def carry(p: Problem, t: int, x: int, u: int, times: int, order: int, state: FloatArray) -> None:
    """Do what `fold` does, for any tensor."""
    if p.general[t]:
        general_fold(p, t, x, u, times, order, state)
    else:
        fold(p, t, x, u, times, order, state)


@inlined
def serve_cost(p: Problem, t: int, outer: int, served: float, shared: float) -> float:
    """Return the least energy at the outer of two levels.

    Args:
        p: the problem.
        t: a tensor.
        outer: the level.
        served: words over all instances that leave it for the inner level, or arrive from there.
        shared: most spatial reduction above it (results only).
    """
    if t < p.axis.shape[0] - 1:
        return p.word_read[outer, t] * served
    cost = p.word_update[outer, t] * served
    if p.plain_output:
        again = served - p.words[t, len(p.volume) - 1] * shared
        cost += p.word_read[outer, t] * max(0.0, again)
    return cost


@inlined
def fill_cost(p: Problem, t: int, inner: int, filled: float, shared: float) -> float:
    """Return the least energy at the inner of two levels.

    Args:
        p: the problem.
        t: a tensor.
        inner: the level.
        filled: words over all instances that arrive from the outer level.
        shared: most spatial reduction above it (results only).
    """
    if t == p.axis.shape[0] - 1 and not p.first_fill:
        if not p.plain_output:
            return 0.0
        filled = max(0.0, filled - p.words[t, len(p.volume) - 1] * shared)
    return p.word_fill[inner, t] * filled


@inlined
def port_cycles(p: Problem, level: int, reads: float, writes: float) -> float:
    """Return the cycles that words of one instance need."""
    return max(
        reads * p.pace[level, 0],
        writes * p.pace[level, 1],
        (reads + writes) * p.pace[level, 2],
    )


@inlined
def reach_above(p: Problem, b: Bounds, t: int, level: int) -> float:
    """Return the most spatial sharing of tensor t above a level."""
    most = 1.0
    for j in range(level + 1, len(p.block)):
        most *= b.reach[t, j]
    return most


@inlined
def reach_between(b: Bounds, t: int, inner: int, outer: int) -> float:
    """Return the most spatial sharing of tensor t at levels inner + 1 to outer."""
    most = 1.0
    for j in range(inner + 1, outer + 1):
        most *= b.reach[t, j]
    return most


@inlined
def filled_words(p: Problem, runs: Runs, t: int, level: int, x: int, u: int, saved: int) -> float:
    """Return the least words of tensor t that arrive in tiles x when their next union is u."""
    words = full_words(p, t, x) * p.left[t, x]
    if level < p.pivot:
        words *= share_anyhow(runs, t, x)
    elif level == len(p.block) - 2:
        words *= share_outermost(runs, t, x, u)
    else:
        words *= share_left(runs, t, x, u)
    if saved >> t & 1:
        words /= p.free[t, len(p.volume) - 1 - u]
    return words


@inlined
def own_cost(
    p: Problem,
    k: Kept,
    b: Bounds,
    runs: Runs,
    level: int,
    x: int,
    s: int,
    saved: int,
    upto: int,
) -> tuple[float, float]:
    """Return the least energy of filling tiles x at a level from outside.

    Args:
        p: the problem.
        k: what is kept.
        b: the tables.
        runs: the sliding windows.
        level: a level.
        x: a tile.
        s: the spatial factors of the next level, or -1 where they are open.
        saved: tensors, as bits, that the innermost loop outside may leave in place.
        upto: levels up to which serving the words is counted too.

    Returns:
        the energy, and without what the outermost level serves past the one below it.
    """
    u = x + s if s >= 0 else x
    total = total_all = 0.0
    for t in range(p.axis.shape[0]):
        pair = k.above[t, level]
        if pair < 0:
            continue
        outer = k.outer[pair]
        filled = filled_words(p, runs, t, level, x, u, saved)
        here = shared_by(p, t, x, s) if s >= 0 else b.reach[t, level + 1]
        cost = fill_cost(p, t, level, filled, here * reach_above(p, b, t, level + 1))
        total += cost
        total_all += cost
        if outer <= upto:
            served = filled / (here * reach_between(b, t, level + 1, outer))
            served = max(served, p.least[t])
            cost = serve_cost(p, t, outer, served, reach_above(p, b, t, outer))
            total += cost
            if not (k.through[t] and outer == len(p.block) - 1):
                total_all += cost
    return total, total_all


@inlined
def outermost_tail(
    p: Problem, k: Kept, runs: Runs, x: int, s: int, saved: int
) -> tuple[float, float, float]:
    """Return what `spread_tail` does, for tiles x just below the outermost level and one class."""
    top = len(p.block) - 1
    output = p.axis.shape[0] - 1
    u = x + s
    energy = past = reads = writes = 0.0
    for t in range(output + 1):
        if not k.keep[top, t]:
            continue
        if k.through[t]:
            served = deep_words(p, t, u)
            if saved >> t & 1 and p.words[t, x] <= k.room[t]:
                served /= p.free[t, len(p.volume) - 1 - u]
            served = max(served, p.least[t])
            past += serve_cost(p, t, top, served, 1.0)
        else:
            filled = filled_words(p, runs, t, top - 1, x, u, saved)
            shared = shared_by(p, t, x, s)
            served = max(filled / shared, p.least[t])
            energy += fill_cost(p, t, top - 1, filled, shared) + serve_cost(p, t, top, served, 1.0)
        if t < output:
            reads += served
        else:
            writes += served
            if p.plain_output:
                reads += max(0.0, served - p.words[t, len(p.volume) - 1])
    return energy, energy + past, port_cycles(p, top, reads, writes)


@inlined
def spread_tail(
    p: Problem, k: Kept, b: Bounds, runs: Runs, level: int, x: int, s: int
) -> tuple[float, float, float]:
    """Return the least tails, see `Bounds`, of tiles x that the next level spreads by factors s."""
    top = len(p.block) - 1
    least = least_all = fastest = np.inf
    for c in range(len(p.saved)):
        if level == top - 1:
            own, own_all, cycles = outermost_tail(p, k, runs, x, s, p.saved[c])
        else:
            own, own_all = own_cost(p, k, b, runs, level, x, s, p.saved[c], top)
            cycles = 0.0
        least, least_all = min(least, own), min(least_all, own_all)
        fastest = min(fastest, cycles)
    outside = b.out_cycles[level + 1, x + s]
    return (
        least + b.out[level + 1, x + s],
        least_all + b.out_all[level + 1, x + s],
        max(fastest, outside),
    )


@inlined
def pending_words(
    p: Problem,
    runs: Runs,
    w: State,
    t: int,
    inner: int,
    deep: bool,
    high: int,
    end: int,
    saved: int,
) -> float:
    """Return the least words of tensor t that arrive in the tiles of level `inner`.

    Args:
        p: the problem.
        runs: the sliding windows.
        w: the search.
        t: a tensor.
        inner: a level, or -1 for the multipliers.
        deep: the words arrive in tiles still to be chosen inside those of `inner`.
        high: the level whose union is `end`; its temporal factors are open.
        end: the outermost id of the chain.
        saved: tensors, as bits, that the innermost loop outside may leave in place.
    """
    last = len(p.volume) - 1
    x = w.tile[inner]
    if deep and p.sliding[t]:
        words = deep_words(p, t, x)
    else:
        words = full_words(p, t, x) * p.left[t, x]
        if inner == len(p.block) - 2:
            words *= share_outermost(runs, t, x, end)
        elif inner < p.pivot - 1:
            words *= share_anyhow(runs, t, x)
        else:
            words *= share_left(runs, t, x, x if inner >= p.pivot else w.union[p.pivot])
    for j in range(inner + 1, high):
        times = w.tile[j] - w.union[j]
        words /= p.free[t, times]
        if p.volume[times] > p.free[t, times]:
            return words
    if saved >> t & 1:
        words /= p.free[t, last - end]
    return words
