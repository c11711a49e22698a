"""The bound of a node: a chain of tiles that is chosen in part."""

from __future__ import annotations

import numpy as np

from cosearch.compiling.functions import inlined
from cosearch_plugins.mappers.exact.arrays import Aim, Bounds, Kept, Net, Runs, State
from cosearch_plugins.mappers.exact.problem import Problem
from cosearch_plugins.mappers.exact.tiles import least_value, shared_by
from cosearch_plugins.mappers.exact.words import fill_cost, pending_words, port_cycles, serve_cost


@inlined
def least_network(
    p: Problem, runs: Runs, w: State, z: Net, low: int, high: int, end: int, saved: int
) -> float:
    """Return the least energy of the networks below levels whose spatial factors are chosen."""
    total = 0.0
    for j in range(low + 1, high + 1):
        if p.hop[j] == 0:
            continue
        fanout = p.volume[p.spread_id[w.spread[j]]]
        for t in range(p.axis.shape[0]):
            words = p.volume[len(p.volume) - 1]
            if j > 0:
                words = pending_words(p, runs, w, t, j - 1, j < 0, high, end, saved)
            total += words / fanout * z.travel[w.spread[j], t]
    return total


@inlined
def room_for(p: Problem, w: State, low: int, planned: int) -> float:
    """Return the most that any other level can spread over, levels low + 1 to planned chosen."""
    x = y = 1
    for j in range(low + 1, planned + 1):
        x *= p.spread_used[w.spread[j], 0]
        y *= p.spread_used[w.spread[j], 1]
    return float((p.mesh[0, 0] // x) * (p.mesh[0, 1] // y))


@inlined
def node_bound(  # noqa: C901 - one walk, calls are dear here
    p: Problem,
    k: Kept,
    b: Bounds,
    runs: Runs,
    aim: Aim,
    w: State,
    z: Net,
    low: int,
    high: int,
    planned: int,
    end: int,
) -> tuple[float, float, float, float]:
    """Return the least value of any mapping that continues a chain, and its energy and cycles.

    Args:
        p: the problem.
        k: what is kept.
        b: the tables.
        runs: the sliding windows.
        aim: what is minimized.
        w: the search.
        z: the network.
        low: the innermost level whose tile is chosen; at -1 all spatial factors inside are too.
        high: the level whose union is `end`; its temporal factors are open.
        planned: the level up to which spatial factors are chosen, at least `high`.
        end: the outermost id of the chain.

    Returns:
        value; energy without what lies outside `end`, also without what goes there past the
        level below the outermost; cycles inside: each the least.
    """
    top = len(p.block) - 1
    last = len(p.volume) - 1
    tensors = p.axis.shape[0]
    whole = p.volume[last]
    inside = outside_spread = 1.0
    room = room_for(p, w, low, planned)
    for j in range(top + 1):
        known = low < j <= high
        for t in range(tensors):
            w.scratch[0, j, t] = min(b.reach[t, j], room)
        if known:
            s = p.spread_id[w.spread[j]]
            x = w.tile[j - 1] if j > 0 else 0
            for t in range(tensors):
                w.scratch[0, j, t] = shared_by(p, t, x, s)
        elif low < j <= planned:
            s = p.spread_id[w.spread[j]]
            for t in range(tensors):
                w.scratch[0, j, t] = p.shared[t, s]
        fanout = min(b.spread[j], room)
        if low < j <= planned:
            fanout = p.volume[p.spread_id[w.spread[j]]]
        if j <= high:
            inside *= fanout
        else:
            outside_spread *= fanout
    most = inside * min(outside_spread, b.out_spread[high, end])
    steps = whole / min(most, float(p.mesh[0, 0] * p.mesh[0, 1]))
    fixed = p.compute * whole
    if low >= 0:
        fixed += b.head[low, w.tile[low]] if low < p.pivot else 0.0
    least = whole
    for j in range(top + 1):
        known = low < j <= planned
        least /= p.volume[p.spread_id[w.spread[j]]] if known else b.spread[j]
        fixed += p.leak[j] * max(least, steps)
    best_value = best_energy = best_rest = best_cycles = np.inf
    outside, outside_all = b.out[high, end], b.out_all[high, end]
    outside_cycles = b.out_cycles[high, end]
    for c in range(len(p.saved)):
        energy = fixed
        past = 0.0
        cycles = steps
        for j in range(top + 1):
            w.scratch[1, j, 0] = w.scratch[2, j, 0] = 0.0
        for pair in range(len(k.tensor)):
            t, inner, outer = k.tensor[pair], k.inner[pair], k.outer[pair]
            if inner >= high and inner >= 0:
                continue
            above = 1.0
            for j in range(outer + 1, top + 1):
                above *= w.scratch[0, j, t]
            if inner < 0:
                words = whole
                filled = words
            else:
                if inner < low:
                    if outer <= low or outer < p.pivot:
                        continue
                    filled = pending_words(p, runs, w, t, low, inner < low, high, end, p.saved[c])
                else:
                    filled = pending_words(p, runs, w, t, inner, inner < low, high, end, p.saved[c])
                words = filled
            served = words
            for j in range(max(inner, -1) + 1, outer + 1):
                if inner < 0 or inner >= low or j > low:
                    served /= w.scratch[0, j, t]
            served = max(served, p.least[t])
            counted = inner if inner >= low and inner >= 0 else -1
            above_inner = 1.0
            for j in range(max(inner, 0) + 1, top + 1):
                above_inner *= w.scratch[0, j, t]
            cost = serve_cost(p, t, outer, served, above)
            energy += cost
            if k.through[t] and outer == top and high < top:
                past += cost
            if counted >= 0:
                energy += fill_cost(p, t, counted, filled, above_inner)
            if t < tensors - 1:
                w.scratch[1, outer, 0] += served
            else:
                w.scratch[2, outer, 0] += served
                if p.plain_output:
                    w.scratch[1, outer, 0] += max(0.0, served - p.words[t, last] * above)
            if counted >= 0:
                if t < tensors - 1 or p.first_fill:
                    w.scratch[2, counted, 0] += filled
                elif p.plain_output:
                    w.scratch[2, counted, 0] += max(0.0, filled - p.words[t, last] * above_inner)
        if z.any:
            energy += least_network(p, runs, w, z, low, high, end, p.saved[c])
        instances = 1.0
        for j in range(top, -1, -1):
            if p.limited[j]:
                cycles = max(
                    cycles, port_cycles(p, j, w.scratch[1, j, 0], w.scratch[2, j, 0]) / instances
                )
            known = low < j <= planned
            instances *= p.volume[p.spread_id[w.spread[j]]] if known else b.spread[j]
        total = energy + max(outside, outside_all - past)
        value = least_value(aim, total, max(cycles, outside_cycles))
        best_value = min(best_value, value)
        best_energy = min(best_energy, energy)
        best_rest = min(best_rest, energy - past)
        best_cycles = min(best_cycles, cycles)
    return best_value, best_energy, best_rest, best_cycles
