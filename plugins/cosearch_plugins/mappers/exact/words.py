"""Words between two levels, counted exactly or from below, and what they cost."""

from __future__ import annotations

from typing import cast

import numpy as np

from cosearch.compiling.arithmetic import larger, smaller
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
    problem: Problem, t: int, x: int, u: int, times: int, order: int, state: FloatArray
) -> None:
    """Do what `fold` does for any axes and rules, as `cosearch.loopnest.model.delivery` counts.

    Args:
        problem: the problem.
        t: a tensor.
        x: the tile.
        u: the union inside the level.
        times: the level's temporal factors.
        order: of its loops, an entry of p.orders.
        state: words, whether a shift is credited; from 6 on, by axis: the sum of moves, the
            credited shift, the shift at hand.
    """
    axes, dims = problem.project.shape[1], problem.project.shape[2]
    words = problem.words[t, x]
    gone, credited, at_hand = 6, 6 + axes, 6 + 2 * axes
    for i in range(problem.orders.shape[1]):
        d = problem.orders[order, i]
        if d < 0:
            break
        bound = problem.extent[times, d]
        if bound == 1:
            continue
        still, again, overlap = True, state[1] > 0, 1.0
        for a in range(axes):
            move = problem.project[t, a, d] * problem.extent[u, d]
            shift = move - state[gone + a]
            state[gone + a] += move * (bound - 1) if problem.halo else move
            state[at_hand + a] = shift
            still = still and shift == 0
            again = again and shift == state[credited + a]
            size = 1.0
            for e in range(dims):
                size += problem.project[t, a, e] * (problem.extent[x, e] - 1)
            overlap *= larger(0.0, size - abs(shift))
        if state[1] == 0 and (problem.first_only or not still):
            state[1] = 1.0
            again = True
            for a in range(axes):
                state[credited + a] = state[at_hand + a]
        stays = problem.halo or again or (still and not problem.first_only)
        new = words - overlap if stays else words
        state[0] = bound * state[0] - (bound - 1) * (words - new)


@inlined
def fold(
    problem: Problem, t: int, x: int, u: int, times: int, order: int, state: FloatArray
) -> None:
    """Carry the words delivered to tiles x of tensor t through the loops of one level.

    Args:
        problem: the problem.
        t: a tensor.
        x: the tile.
        u: the union inside the level.
        times: the level's temporal factors.
        order: of its loops, an entry of p.orders.
        state: words, moved, axis and amount of the first move, sum of moves, still on one axis.
    """
    words = problem.words[t, x]
    for i in range(problem.orders.shape[1]):
        d = problem.orders[order, i]
        if d < 0:
            break
        bound = problem.extent[times, d]
        if bound == 1:
            continue
        along = problem.axis[t, d]
        if along < 0:
            if state[1] > 0:
                state[0] *= bound
            continue
        move = problem.step[t, d] * problem.extent[u, d]
        if state[1] == 0:
            state[1], state[2], state[3], state[4] = 1.0, along, move, move
            state[5] = 1.0 if problem.slides[t, d] else 0.0
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
        elif shift == state[3] and problem.slides[t, d]:
            size = 1.0
            for e in range(problem.axis.shape[1]):
                if problem.axis[t, e] == along:
                    size += problem.step[t, e] * (problem.extent[x, e] - 1)
            new = words - words / size * larger(0.0, size - shift)
        state[0] = bound * state[0] - (bound - 1) * (words - new)


@compiled
def carry(
    problem: Problem, t: int, x: int, u: int, times: int, order: int, state: FloatArray
) -> None:
    """Do what `fold` does, for any tensor."""
    if problem.general[t]:
        general_fold(problem, t, x, u, times, order, state)
    else:
        fold(problem, t, x, u, times, order, state)


@inlined
def serve_cost(problem: Problem, t: int, outer: int, served: float, shared: float) -> float:
    """Return the least energy at the outer of two levels.

    Args:
        problem: the problem.
        t: a tensor.
        outer: the level.
        served: words over all instances that leave it for the inner level, or arrive from there.
        shared: most spatial reduction above it (results only).
    """
    if t < problem.axis.shape[0] - 1:
        return problem.word_read[outer, t] * served
    cost = problem.word_update[outer, t] * served
    if problem.plain_output:
        again = served - problem.words[t, len(problem.volume) - 1] * shared
        cost += problem.word_read[outer, t] * larger(0.0, again)
    return cost


@inlined
def fill_cost(problem: Problem, t: int, inner: int, filled: float, shared: float) -> float:
    """Return the least energy at the inner of two levels.

    Args:
        problem: the problem.
        t: a tensor.
        inner: the level.
        filled: words over all instances that arrive from the outer level.
        shared: most spatial reduction above it (results only).
    """
    if t == problem.axis.shape[0] - 1 and not problem.first_fill:
        if not problem.plain_output:
            return 0.0
        filled = larger(0.0, filled - problem.words[t, len(problem.volume) - 1] * shared)
    return problem.word_fill[inner, t] * filled


@inlined
def port_cycles(problem: Problem, level: int, reads: float, writes: float) -> float:
    """Return the cycles that words of one instance need."""
    alone = larger(reads * problem.pace[level, 0], writes * problem.pace[level, 1])
    return larger(alone, (reads + writes) * problem.pace[level, 2])


@inlined
def reach_above(problem: Problem, bounds: Bounds, t: int, level: int) -> float:
    """Return the most spatial sharing of tensor t above a level."""
    most = 1.0
    for j in range(level + 1, len(problem.leak)):
        most *= bounds.reach[t, j]
    return most


@inlined
def reach_between(bounds: Bounds, t: int, inner: int, outer: int) -> float:
    """Return the most spatial sharing of tensor t at levels inner + 1 to outer."""
    most = 1.0
    for j in range(inner + 1, outer + 1):
        most *= bounds.reach[t, j]
    return most


@compiled
def filled_words(
    problem: Problem, runs: Runs, t: int, level: int, x: int, u: int, saved: int
) -> float:
    """Return the least words of tensor t that arrive in tiles x when their next union is u."""
    words = full_words(problem, t, x) * problem.left[t, x]
    if level < problem.pivot:
        words *= share_anyhow(runs, t, x)
    elif level == len(problem.leak) - 2:
        words *= share_outermost(runs, t, x, u)
    else:
        words *= share_left(runs, t, x, u)
    if saved >> t & 1:
        words /= problem.free[t, len(problem.volume) - 1 - u]
    return words


@compiled
def own_cost(
    problem: Problem,
    kept: Kept,
    bounds: Bounds,
    runs: Runs,
    level: int,
    x: int,
    s: int,
    saved: int,
    upto: int,
) -> tuple[float, float]:
    """Return the least energy of filling tiles x at a level from outside.

    Args:
        problem: the problem.
        kept: what is kept.
        bounds: the tables.
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
    for t in range(problem.axis.shape[0]):
        pair = kept.above[t, level]
        if pair < 0:
            continue
        outer = kept.outer[pair]
        filled = filled_words(problem, runs, t, level, x, u, saved)
        here = shared_by(problem, t, x, s) if s >= 0 else bounds.reach[t, level + 1]
        cost = fill_cost(
            problem, t, level, filled, here * reach_above(problem, bounds, t, level + 1)
        )
        total += cost
        total_all += cost
        if outer <= upto:
            served = filled / (here * reach_between(bounds, t, level + 1, outer))
            served = larger(served, problem.least[t])
            cost = serve_cost(problem, t, outer, served, reach_above(problem, bounds, t, outer))
            total += cost
            if not (kept.through[t] and outer == len(problem.leak) - 1):
                total_all += cost
    return total, total_all


@inlined
def outermost_tail(
    problem: Problem, kept: Kept, runs: Runs, x: int, s: int, saved: int
) -> tuple[float, float, float]:
    """Return what `spread_tail` does, for tiles x just below the outermost level and one class."""
    top = len(problem.leak) - 1
    output = problem.axis.shape[0] - 1
    u = x + s
    energy = past = reads = writes = 0.0
    for t in range(output + 1):
        if not kept.keep[top, t]:
            continue
        if kept.through[t]:
            served = deep_words(problem, t, u)
            if saved >> t & 1 and problem.words[t, x] <= kept.room[t]:
                served /= problem.free[t, len(problem.volume) - 1 - u]
            served = larger(served, problem.least[t])
            past += serve_cost(problem, t, top, served, 1.0)
        else:
            filled = filled_words(problem, runs, t, top - 1, x, u, saved)
            shared = shared_by(problem, t, x, s)
            served = larger(filled / shared, problem.least[t])
            energy += fill_cost(problem, t, top - 1, filled, shared) + serve_cost(
                problem, t, top, served, 1.0
            )
        if t < output:
            reads += served * problem.width[top, t]
        else:
            writes += served * problem.width[top, t]
            if problem.plain_output:
                again = larger(0.0, served - problem.words[t, len(problem.volume) - 1])
                reads += again * problem.width[top, t]
    return energy, energy + past, port_cycles(problem, top, reads, writes)


@inlined
def spread_tail(
    problem: Problem, kept: Kept, bounds: Bounds, runs: Runs, level: int, x: int, s: int
) -> tuple[float, float, float]:
    """Return the least tails, see `Bounds`, of tiles x that the next level spreads by factors s."""
    top = len(problem.leak) - 1
    least = least_all = fastest = np.inf
    for c in range(len(problem.saved)):
        if level == top - 1:
            own, own_all, cycles = outermost_tail(problem, kept, runs, x, s, problem.saved[c])
        else:
            own, own_all = own_cost(problem, kept, bounds, runs, level, x, s, problem.saved[c], top)
            cycles = 0.0
        least, least_all = smaller(least, own), smaller(least_all, own_all)
        fastest = smaller(fastest, cycles)
    outside = bounds.out_cycles[level + 1, x + s]
    return (
        least + bounds.out[level + 1, x + s],
        least_all + bounds.out_all[level + 1, x + s],
        larger(fastest, outside),
    )


@compiled
def pending_words(
    problem: Problem,
    runs: Runs,
    state: State,
    t: int,
    inner: int,
    deep: bool,
    high: int,
    end: int,
) -> tuple[float, bool]:
    """Return the least words of tensor t that arrive in the tiles of level `inner`.

    Args:
        problem: the problem.
        runs: the sliding windows.
        state: the search.
        t: a tensor.
        inner: a level, or -1 for the multipliers.
        deep: the words arrive in tiles still to be chosen inside those of `inner`.
        high: the level whose union is `end`; its temporal factors are open.
        end: the outermost id of the chain.

    Returns:
        the words, and whether the innermost loop outside `end` may still leave the tensor in place.
    """
    x = state.tile[inner]
    if deep and problem.sliding[t]:
        words = deep_words(problem, t, x)
    else:
        words = full_words(problem, t, x) * problem.left[t, x]
        if inner == len(problem.leak) - 2:
            words *= share_outermost(runs, t, x, end)
        elif inner < problem.pivot - 1:
            words *= share_anyhow(runs, t, x)
        else:
            words *= share_left(
                runs, t, x, x if inner >= problem.pivot else state.union[problem.pivot]
            )
    for j in range(inner + 1, high):
        times = state.tile[j] - state.union[j]
        words /= problem.free[t, times]
        if problem.volume[times] > problem.free[t, times]:
            return words, False
    return words, True
