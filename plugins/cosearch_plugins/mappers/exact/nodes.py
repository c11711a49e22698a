"""The bound of a node: a chain of tiles that is chosen in part."""

from __future__ import annotations

from typing import cast

import numpy as np

from cosearch.compiling.arithmetic import larger, smaller
from cosearch.compiling.functions import compiled, inlined
from cosearch.typing import FloatArray
from cosearch_plugins.mappers.exact.arrays import Aim, Bounds, Kept, Net, Runs, State
from cosearch_plugins.mappers.exact.problem import Problem
from cosearch_plugins.mappers.exact.tiles import least_value, shared_by
from cosearch_plugins.mappers.exact.words import fill_cost, pending_words, port_cycles, serve_cost

SHARED, READ, WRITTEN = 0, 1, 2
"""Rows of the scratch: children that share a word, by level and tensor; words by level."""

SERVE, FILL, OUT, AGAIN, IN = 0, 1, 2, 3, 4
"""Of a move: energy at the outer level and at the inner one; words that leave the outer level, are
read there again, and arrive at the inner one."""

WHOLE = cast("bool", np.bool_(False))
"""Words arrive in the tiles themselves; typed so that numba takes it for no literal, for which it
would compile the callee once more."""


@inlined
def least_network(
    problem: Problem, runs: Runs, state: State, net: Net, low: int, high: int, end: int, saved: int
) -> float:
    """Return the least energy of the networks below levels whose spatial factors are chosen."""
    total = 0.0
    for j in range(low + 1, high + 1):
        if problem.hop[j] == 0:
            continue
        fanout = problem.volume[problem.spread_id[state.spread[j]]]
        for t in range(problem.axis.shape[0]):
            words = problem.volume[len(problem.volume) - 1]
            if j > 0:
                words, still = pending_words(problem, runs, state, t, j - 1, WHOLE, high, end)
                if still and saved >> t & 1:
                    words /= problem.free[t, len(problem.volume) - 1 - end]
            total += words / fanout * net.travel[state.spread[j], t]
    return total


@inlined
def room_for(problem: Problem, state: State, low: int, planned: int) -> float:
    """Return the most that any other level can spread over, levels low + 1 to planned chosen."""
    x = y = 1
    for j in range(low + 1, planned + 1):
        x *= problem.spread_used[state.spread[j], 0]
        y *= problem.spread_used[state.spread[j], 1]
    return float((problem.mesh[0, 0] // x) * (problem.mesh[0, 1] // y))


@inlined
def least_steps(
    problem: Problem, bounds: Bounds, state: State, low: int, high: int, planned: int, end: int
) -> float:
    """Return the least steps, and note the most children that share a word, by level and tensor."""
    inside = outside = 1.0
    room = room_for(problem, state, low, planned)
    for level in range(len(problem.leak)):
        fanout = smaller(bounds.spread[level], room)
        for t in range(problem.axis.shape[0]):
            state.scratch[SHARED, level, t] = smaller(bounds.reach[t, level], room)
        if low < level <= planned:
            spread = problem.spread_id[state.spread[level]]
            tile = state.tile[level - 1] if level > 0 else 0
            fanout = problem.volume[spread]
            for t in range(problem.axis.shape[0]):
                shared = problem.shared[t, spread]
                if level <= high:
                    shared = shared_by(problem, t, tile, spread)
                state.scratch[SHARED, level, t] = shared
        if level <= high:
            inside *= fanout
        else:
            outside *= fanout
    most = inside * smaller(outside, bounds.out_spread[high, end])
    multipliers = float(problem.mesh[0, 0] * problem.mesh[0, 1])
    return problem.volume[len(problem.volume) - 1] / smaller(most, multipliers)


@inlined
def fanout_of(problem: Problem, bounds: Bounds, state: State, level: int, chosen: bool) -> float:
    """Return how many children a level uses, where that is not chosen at most."""
    if chosen:
        return problem.volume[problem.spread_id[state.spread[level]]]
    return bounds.spread[level]


@inlined
def fixed_energy(
    problem: Problem, bounds: Bounds, state: State, low: int, planned: int, steps: float
) -> float:
    """Return the least energy of multiplying, of leakage, and of what lies inside `low`.

    `steps` are the cycles that they take.
    """
    least = problem.volume[len(problem.volume) - 1]
    energy = problem.compute * least
    if low >= 0:
        energy += bounds.head[low, state.tile[low]] if low < problem.pivot else 0.0
    for level in range(len(problem.leak)):
        least /= fanout_of(problem, bounds, state, level, low < level <= planned)
        energy += problem.leak[level] * larger(least, steps)
    return energy


@inlined
def price_pair(
    problem: Problem,
    kept: Kept,
    state: State,
    pair: int,
    saved: int,
    filled: float,
    low: int,
) -> None:
    """Note what moving a tensor between two levels costs at least, and the words at their ports.

    Args:
        problem: the problem.
        kept: what is kept.
        state: holds how many children share a word; its `moves` are filled.
        pair: of levels, inside which nothing is chosen below `low`.
        saved: 1 where the innermost loop outside leaves the tensor in place, else 0.
        filled: words that arrive in all tiles of the inner one.
        low: see `bound_classes`.
    """
    top, output = len(problem.leak) - 1, problem.axis.shape[0] - 1
    t, inner, outer = kept.tensor[pair], kept.inner[pair], kept.outer[pair]
    whole = problem.words[t, len(problem.volume) - 1]
    above = 1.0
    for level in range(outer + 1, top + 1):
        above *= state.scratch[SHARED, level, t]
    served = filled
    for level in range(inner + 1, outer + 1):
        if inner < 0 or inner >= low or level > low:
            served /= state.scratch[SHARED, level, t]
    served = larger(served, problem.least[t])
    state.moves[pair, saved, SERVE] = serve_cost(problem, t, outer, served, above)
    state.moves[pair, saved, OUT] = served * problem.width[outer, t]
    state.moves[pair, saved, AGAIN] = 0.0
    if t == output and problem.plain_output:
        again = larger(0.0, served - whole * above)
        state.moves[pair, saved, AGAIN] = again * problem.width[outer, t]
    state.moves[pair, saved, FILL] = state.moves[pair, saved, IN] = 0.0
    if inner >= larger(low, 0):
        shared = 1.0
        for level in range(inner + 1, top + 1):
            shared *= state.scratch[SHARED, level, t]
        state.moves[pair, saved, FILL] = fill_cost(problem, t, inner, filled, shared)
        if t < output or problem.first_fill:
            state.moves[pair, saved, IN] = filled * problem.width[inner, t]
        elif problem.plain_output:
            again = larger(0.0, filled - whole * shared)
            state.moves[pair, saved, IN] = again * problem.width[inner, t]


@inlined
def skipped(problem: Problem, kept: Kept, pair: int, low: int, high: int) -> bool:
    """Return whether the tables count what moves between two levels, so that a node does not."""
    inner, outer = kept.inner[pair], kept.outer[pair]
    if inner >= larger(high, 0):
        return True
    return 0 <= inner < low and (outer <= low or outer < problem.pivot)


@inlined
def price_pairs(
    problem: Problem, kept: Kept, runs: Runs, state: State, low: int, high: int, end: int
) -> None:
    """Note what moving all tensors costs at least, saved by the innermost loop outside or not."""
    last = len(problem.volume) - 1
    for pair in range(len(kept.tensor)):
        if skipped(problem, kept, pair, low, high):
            continue
        t, inner = kept.tensor[pair], kept.inner[pair]
        filled, still = problem.volume[last], False
        if inner >= 0:
            tile, deep = larger(low, inner), inner < low
            filled, still = pending_words(problem, runs, state, t, tile, deep, high, end)
        saving = still and problem.free[t, last - end] > 1.0
        for saved in range(2 if saving else 1):
            price_pair(problem, kept, state, pair, saved, filled, low)
            filled /= problem.free[t, last - end]
        if not saving:
            for i in range(state.moves.shape[2]):
                state.moves[pair, 1, i] = state.moves[pair, 0, i]


@inlined
def moved_energy(
    problem: Problem, kept: Kept, state: State, low: int, high: int, saved: int, energy: float
) -> tuple[float, float]:
    """Add what moving all tensors costs at least when one innermost loop saves some of them.

    Returns:
        the energy, and the part of it that goes from the outermost level past the next.
    """
    top, output = len(problem.leak) - 1, problem.axis.shape[0] - 1
    past = 0.0
    for level in range(top + 1):
        state.scratch[READ, level, 0] = state.scratch[WRITTEN, level, 0] = 0.0
    for pair in range(len(kept.tensor)):
        if skipped(problem, kept, pair, low, high):
            continue
        t, inner, outer = kept.tensor[pair], kept.inner[pair], kept.outer[pair]
        move = state.moves[pair, saved >> t & 1]
        energy += move[SERVE]
        if kept.through[t] and outer == top and high < top:
            past += move[SERVE]
        if t < output:
            state.scratch[READ, outer, 0] += move[OUT]
        else:
            state.scratch[WRITTEN, outer, 0] += move[OUT]
            state.scratch[READ, outer, 0] += move[AGAIN]
        if inner >= larger(low, 0):
            energy += move[FILL]
            state.scratch[WRITTEN, inner, 0] += move[IN]
    return energy, past


@inlined
def least_cycles(
    problem: Problem, bounds: Bounds, state: State, low: int, planned: int, steps: float
) -> float:
    """Return the least cycles, by the steps and by the words noted at each port."""
    cycles, instances = steps, 1.0
    for level in range(len(problem.leak) - 1, -1, -1):
        if problem.limited[level]:
            reads, writes = state.scratch[READ, level, 0], state.scratch[WRITTEN, level, 0]
            cycles = larger(cycles, port_cycles(problem, level, reads, writes) / instances)
        instances *= fanout_of(problem, bounds, state, level, low < level <= planned)
    return cycles


@compiled
def bound_classes(
    problem: Problem,
    kept: Kept,
    bounds: Bounds,
    runs: Runs,
    state: State,
    net: Net,
    low: int,
    high: int,
    planned: int,
    end: int,
    bound: FloatArray,
) -> tuple[float, float, float]:
    """Fill in the least energy and cycles of any mapping that continues a chain, by class.

    Args:
        problem: the problem.
        kept: what is kept.
        bounds: the tables.
        runs: the sliding windows.
        state: the search.
        net: the network.
        low: the innermost level whose tile is chosen; at -1 all spatial factors inside are too.
        high: the level whose union is `end`; its temporal factors are open.
        planned: the level up to which spatial factors are chosen, at least `high`.
        end: the outermost id of the chain.
        bound: float64[2 * classes], to be filled: energy and cycles of each class.

    Returns:
        energy without what lies outside `end`, also without what goes there past the level below
        the outermost; cycles inside: each the least.
    """
    steps = least_steps(problem, bounds, state, low, high, planned, end) * problem.busy
    fixed = fixed_energy(problem, bounds, state, low, planned, steps)
    best_energy = best_rest = best_cycles = np.inf
    outside, outside_all = bounds.out[high, end], bounds.out_all[high, end]
    outside_cycles = bounds.out_cycles[high, end]
    price_pairs(problem, kept, runs, state, low, high, end)
    for c in range(len(problem.saved)):
        saved = problem.saved[c]
        energy, past = moved_energy(problem, kept, state, low, high, saved, fixed)
        if net.any:
            energy += least_network(problem, runs, state, net, low, high, end, saved)
        cycles = least_cycles(problem, bounds, state, low, planned, steps)
        bound[2 * c] = energy + larger(outside, outside_all - past)
        bound[2 * c + 1] = larger(cycles, outside_cycles)
        best_energy = smaller(best_energy, energy)
        best_rest = smaller(best_rest, energy - past)
        best_cycles = smaller(best_cycles, cycles)
    return best_energy, best_rest, best_cycles


@inlined
def least_of_classes(aim: Aim, bound: FloatArray) -> float:
    """Return the least value that some class allows; see `bound_classes`."""
    value = np.inf
    for c in range(len(bound) // 2):
        value = smaller(value, least_value(aim, bound[2 * c], bound[2 * c + 1]))
    return value
