"""The networks between levels: who shares a word and how far it travels."""

from __future__ import annotations

import numpy as np

from cosearch.compiling.arithmetic import larger, smaller, whole
from cosearch.compiling.functions import compiled
from cosearch.typing import IntArray
from cosearch_plugins.mappers.exact.arrays import LOOKED, Kept, Net, State
from cosearch_plugins.mappers.exact.parts import NETWORKS
from cosearch_plugins.mappers.exact.problem import Problem
from cosearch_plugins.mappers.exact.words import carry


@compiled
def scatter(problem: Problem, t: int, level: int, entry_: int, x: int, net: Net) -> int:  # noqa: C901 - one walk, calls are dear here
    """Count the groups of children that share a word, and twice the hops to each, by group size.

    Children are numbered through the loops of X, then of Y, and stand packed row by row; see
    `cosearch.loopnest.model.grid`.

    Args:
        problem: the problem.
        t: a tensor.
        level: the parents'.
        entry_: spatial factors and their split.
        x: the children's tile.
        net: its number and hops are filled, by size.

    Returns:
        the number of groups.
    """
    dims = problem.axis.shape[1]
    children = problem.spread_used[entry_, 0] * problem.spread_used[entry_, 1]
    width = larger(problem.fan[level, 0], problem.spread_used[entry_, 0])
    middle = larger(problem.fan[level, 1], problem.spread_used[entry_, 1]) - 1
    found = 0
    for i in range(children):
        place = np.int64(0)
        for d in range(dims):
            net.offset[d] = 0
        rest = i
        for split in range(2):
            for d in range(dims):
                bound = problem.extent[
                    problem.spread_x[entry_] if split == 0 else problem.spread_y[entry_], d
                ]
                inside = problem.extent[problem.spread_x[entry_], d] if split == 1 else 1
                net.offset[d] += (rest % bound) * inside
                rest //= bound
        for a in range(problem.project.shape[1]):
            along = np.int64(0)
            for d in range(dims):
                along += net.offset[d] * whole(problem.project[t, a, d]) * problem.extent[x, d]
            place = place * 1_000_003 + along
        group = 0
        while group < found and net.place[group] != place:
            group += 1
        if group == found:
            net.place[group] = place
            net.size[group] = net.far[group] = 0
            found += 1
            for column in range(width):
                net.rows[group, column, 0] = children
                net.rows[group, column, 1] = -1
        row, column = i // width, i % width
        net.size[group] += 1
        net.far[group] = larger(net.far[group], column)
        net.rows[group, column, 0] = smaller(net.rows[group, column, 0], row)
        net.rows[group, column, 1] = larger(net.rows[group, column, 1], row)
    for size in range(children + 1):
        net.number[size] = net.hops[size] = 0
    for group in range(found):
        hops = 2 * net.far[group]
        for column in range(width):
            if net.rows[group, column, 1] >= 0:
                hops += larger(0, middle - 2 * net.rows[group, column, 0])
                hops += larger(0, 2 * net.rows[group, column, 1] - middle)
        net.number[net.size[group]] += 1
        net.hops[net.size[group]] += hops
    return found


@compiled
def slides_apart(problem: Problem, t: int, s: int) -> bool:
    """Return whether two dimensions of one axis are spread, so that tiles may coincide."""
    for d in range(problem.axis.shape[1]):
        for e in range(d):
            together = problem.axis[t, d] >= 0 and problem.axis[t, d] == problem.axis[t, e]
            if together and problem.extent[s, d] > 1 and problem.extent[s, e] > 1:
                return True
    return False


@NETWORKS.entry()
def fill_travel(problem: Problem, net: Net, level: int, first: int, end: int) -> None:
    """Fill z.travel, float64[m, T]: the network's least energy for a word to every child.

    Args:
        problem: the problem.
        net: the network.
        level: the parents'.
        first: the first of its spatial factors to be filled.
        end: the one after the last.
    """
    for i in range(first, end):
        for t in range(problem.axis.shape[0]):
            if slides_apart(problem, t, problem.spread_id[i]):
                continue
            scatter(problem, t, level, i, np.int64(0), net)  # type: ignore[arg-type]  # no literal
            for size in range(1, whole(problem.volume[problem.spread_id[i]]) + 1):
                if net.number[size] > 0:
                    far = net.hops[size] if problem.volume[problem.spread_id[i]] > 1 else 0
                    net.travel[i, t] += far / 2 * problem.hop[level] * problem.width[level, t]


@compiled
def network(
    problem: Problem, kept: Kept, state: State, at: IntArray, steps: float, net: Net
) -> float:
    """Return the energy of all networks of a complete mapping, exactly.

    Outward, a child that lets a tensor pass asks for what its own children want: the words it
    would receive if it kept the tensor are scaled up, in double precision as Timeloop does.
    """
    top = len(problem.leak) - 1
    total = 0.0
    for t in range(problem.axis.shape[0]):
        instances = problem.volume[len(problem.volume) - 1] / steps
        asked = 0.0
        for level in range(top + 1):
            fanout = problem.volume[problem.spread_id[state.spread[level]]]
            instances /= fanout
            words = steps if level == 0 else words_to(problem, state, at, t, level, net)
            ratio = 1.0
            if level > 0 and not kept.keep[level - 1, t]:
                ratio = asked / words
            asked = words * state.scratch[0, level, t] * ratio
            if problem.hop[level] == 0 and problem.router[level] == 0:
                continue
            inside = state.tile[level - 1] if level > 0 else 0
            found = scatter(problem, t, level, state.spread[level], inside, net)
            state.register[LOOKED] += whole(fanout) * (8 + found // 16)
            home = -1.0
            if t == problem.axis.shape[0] - 1 and problem.dram[level]:
                home = state.scratch[3, level, 0]
            total += (
                instances
                * problem.width[level, t]
                * travelled(problem, level, whole(fanout), words, ratio, home, net)
            )
    return total


@compiled
def words_to(problem: Problem, state: State, at: IntArray, t: int, level: int, net: Net) -> float:
    """Return the words that one child of a level receives if it keeps tensor t."""
    x = state.tile[level - 1]
    net.state[0] = problem.words[t, x]
    for i in range(1, len(net.state)):
        net.state[i] = 0.0
    for j in range(level, len(problem.leak)):
        carry(problem, t, x, state.union[j], state.tile[j] - state.union[j], at[j], net.state)
    return net.state[0]


@compiled
def travelled(
    problem: Problem, level: int, fanout: int, words: float, ratio: float, home: float, net: Net
) -> float:
    """Return the network energy below one instance of a level for the groups counted in z.

    Args:
        problem: the problem.
        level: the parents'.
        fanout: children in use.
        words: to each group.
        ratio: that they are scaled up by, hops left out.
        home: elements the instance is home to where results travel both ways, else -1.
        net: the groups.
    """
    hops = routed = 0.0
    for size in range(1, fanout + 1):
        if net.number[size] == 0:
            continue
        sent = words * net.number[size] * ratio
        if home >= 0:
            sent = 2.0 * sent - home
        far = words * net.hops[size] / 2 if fanout > 1 else 0.0
        hops += far
        if sent > 0:
            routed = np.floor(routed + (1.0 + np.floor(far / sent)) * sent)
    return hops * problem.hop[level] + routed * problem.router[level]
