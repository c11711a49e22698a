"""Words between two levels, counted exactly or from below, and what they cost."""

from __future__ import annotations

from cosearch.loopnest.exact.arrays import Bounds, Kept, Runs, State
from cosearch.loopnest.exact.compiling import inlined
from cosearch.loopnest.exact.problem import Problem
from cosearch.loopnest.exact.tiles import full_words
from cosearch.loopnest.exact.windows import deep_words, share_anyhow, share_left
from cosearch.typing import FloatArray


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
def pair_cost(
    p: Problem,
    t: int,
    inner: int,
    outer: int,
    filled: float,
    served: float,
    shared_inner: float,
    shared_outer: float,
) -> float:
    """Return the least energy of words between two levels.

    Args:
        p: the problem.
        t: a tensor.
        inner: a level, or -1 for the multipliers.
        outer: the level that serves it.
        filled: words over all instances, arriving at the inner level.
        served: words over all instances, leaving the outer level.
        shared_inner: most spatial reduction above the inner level (results only).
        shared_outer: likewise above the outer.
    """  # fmt: skip
    output = t == p.axis.shape[0] - 1
    if not output:
        cost = p.word_read[outer, t] * served
        if inner >= 0:
            cost += p.word_fill[inner, t] * filled
        return cost
    whole = p.words[t, len(p.volume) - 1]
    cost = p.word_update[outer, t] * served
    if p.plain_output:
        cost += p.word_read[outer, t] * max(0.0, served - whole * shared_outer)
    if inner >= 0:
        if p.first_fill:
            cost += p.word_fill[inner, t] * filled
        elif p.plain_output:
            cost += p.word_fill[inner, t] * max(0.0, filled - whole * shared_inner)
    return cost


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
def own_cost(
    p: Problem, k: Kept, b: Bounds, runs: Runs, level: int, x: int, saved: int, upto: int
) -> float:
    """Return the least energy of filling tiles x at a level from outside.

    Args:
        p: the problem.
        k: what is kept.
        b: the tables.
        runs: the sliding windows.
        level: a level.
        x: a tile.
        saved: tensors, as bits, that the innermost loop outside may leave in place.
        upto: levels up to which serving the words is counted too.
    """
    last = len(p.volume) - 1
    total = 0.0
    for t in range(p.axis.shape[0]):
        pair = k.above[t, level]
        if pair < 0:
            continue
        outer = k.outer[pair]
        filled = full_words(p, t, x)
        if level < p.pivot:
            filled *= share_anyhow(runs, t, x)
        else:
            filled *= share_left(runs, t, x, x)
        if saved >> t & 1:
            filled /= p.free[t, last - x]
        shared = reach_above(p, b, t, level)
        served = 0.0
        if outer <= upto:
            served = filled / reach_between(b, t, level, outer)
        total += pair_cost(p, t, level, outer, filled, served, shared, reach_above(p, b, t, outer))
    return total


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
    """  # fmt: skip
    last = len(p.volume) - 1
    x = w.tile[inner]
    if deep and p.sliding[t]:
        words = deep_words(p, t, x)
    else:
        words = full_words(p, t, x)
        if inner < p.pivot - 1:
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
