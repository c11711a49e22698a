"""The networks between levels: who shares a word and how far it travels."""

from __future__ import annotations

import numpy as np

from cosearch.compiling.functions import compiled
from cosearch.typing import IntArray
from cosearch_plugins.mappers.exact.arrays import LOOKED, Kept, Net, State
from cosearch_plugins.mappers.exact.parts import NETWORKS
from cosearch_plugins.mappers.exact.problem import Problem
from cosearch_plugins.mappers.exact.words import carry


@compiled
def scatter(p: Problem, t: int, level: int, entry_: int, x: int, z: Net) -> int:  # noqa: C901 - one walk, calls are dear here
    """Count the groups of children that share a word, and twice the hops to each, by group size.

    Children are numbered through the loops of X, then of Y, and stand packed row by row; see
    `cosearch.loopnest.model.grid`.

    Args:
        p: the problem.
        t: a tensor.
        level: the parents'.
        entry_: spatial factors and their split.
        x: the children's tile.
        z: its number and hops are filled, by size.

    Returns:
        the number of groups.
    """
    dims = p.axis.shape[1]
    children = p.spread_used[entry_, 0] * p.spread_used[entry_, 1]
    width = max(p.fan[level, 0], p.spread_used[entry_, 0])
    middle = max(p.fan[level, 1], p.spread_used[entry_, 1]) - 1
    found = 0
    for i in range(children):
        place = np.int64(0)
        for d in range(dims):
            z.offset[d] = 0
        rest = i
        for split in range(2):
            for d in range(dims):
                bound = p.extent[p.spread_x[entry_] if split == 0 else p.spread_y[entry_], d]
                inside = p.extent[p.spread_x[entry_], d] if split == 1 else 1
                z.offset[d] += (rest % bound) * inside
                rest //= bound
        for a in range(p.project.shape[1]):
            along = np.int64(0)
            for d in range(dims):
                along += z.offset[d] * int(p.project[t, a, d]) * p.extent[x, d]
            place = place * 1_000_003 + along
        group = 0
        while group < found and z.place[group] != place:
            group += 1
        if group == found:
            z.place[group] = place
            z.size[group] = z.far[group] = 0
            found += 1
            for column in range(width):
                z.rows[group, column, 0] = children
                z.rows[group, column, 1] = -1
        row, column = i // width, i % width
        z.size[group] += 1
        z.far[group] = max(z.far[group], column)
        z.rows[group, column, 0] = min(z.rows[group, column, 0], row)
        z.rows[group, column, 1] = max(z.rows[group, column, 1], row)
    for size in range(children + 1):
        z.number[size] = z.hops[size] = 0
    for group in range(found):
        hops = 2 * z.far[group]
        for column in range(width):
            if z.rows[group, column, 1] >= 0:
                hops += max(0, middle - 2 * z.rows[group, column, 0])
                hops += max(0, 2 * z.rows[group, column, 1] - middle)
        z.number[z.size[group]] += 1
        z.hops[z.size[group]] += hops
    return found


@compiled
def slides_apart(p: Problem, t: int, s: int) -> bool:
    """Return whether two dimensions of one axis are spread, so that tiles may coincide."""
    for d in range(p.axis.shape[1]):
        for e in range(d):
            together = p.axis[t, d] >= 0 and p.axis[t, d] == p.axis[t, e]
            if together and p.extent[s, d] > 1 and p.extent[s, e] > 1:
                return True
    return False


@NETWORKS.entry()
def fill_travel(p: Problem, z: Net, level: int, first: int, end: int) -> None:
    """Fill z.travel, float64[m, T]: the network's least energy for a word to every child.

    Args:
        p: the problem.
        z: the network.
        level: the parents'.
        first: the first of its spatial factors to be filled.
        end: the one after the last.
    """
    for i in range(first, end):
        for t in range(p.axis.shape[0]):
            if slides_apart(p, t, p.spread_id[i]):
                continue
            scatter(p, t, level, i, np.int64(0), z)  # type: ignore[arg-type]  # no literal
            for size in range(1, int(p.volume[p.spread_id[i]]) + 1):
                if z.number[size] > 0:
                    far = z.hops[size] if p.volume[p.spread_id[i]] > 1 else 0
                    z.travel[i, t] += far / 2 * p.hop[level]


@compiled
def network(p: Problem, k: Kept, w: State, at: IntArray, steps: float, z: Net) -> float:
    """Return the energy of all networks of a complete mapping, exactly.

    Outward, a child that lets a tensor pass asks for what its own children want: the words it
    would receive if it kept the tensor are scaled up, in double precision as Timeloop does.
    """
    top = len(p.block) - 1
    total = 0.0
    for t in range(p.axis.shape[0]):
        instances = p.volume[len(p.volume) - 1] / steps
        asked = 0.0
        for level in range(top + 1):
            fanout = p.volume[p.spread_id[w.spread[level]]]
            instances /= fanout
            words = steps if level == 0 else words_to(p, w, at, t, level, z)
            ratio = 1.0
            if level > 0 and not k.keep[level - 1, t]:
                ratio = asked / words
            asked = words * w.scratch[0, level, t] * ratio
            if p.hop[level] == 0 and p.router[level] == 0:
                continue
            inside = w.tile[level - 1] if level > 0 else 0
            found = scatter(p, t, level, w.spread[level], inside, z)
            w.register[LOOKED] += int(fanout) * (8 + found // 16)
            home = -1.0
            if t == p.axis.shape[0] - 1 and p.dram[level]:
                home = w.scratch[3, level, 0]
            total += instances * travelled(p, level, int(fanout), words, ratio, home, z)
    return total


@compiled
def words_to(p: Problem, w: State, at: IntArray, t: int, level: int, z: Net) -> float:
    """Return the words that one child of a level receives if it keeps tensor t."""
    x = w.tile[level - 1]
    z.state[0] = p.words[t, x]
    for i in range(1, len(z.state)):
        z.state[i] = 0.0
    for j in range(level, len(p.block)):
        carry(p, t, x, w.union[j], w.tile[j] - w.union[j], at[j], z.state)
    return z.state[0]


@compiled
def travelled(
    p: Problem, level: int, fanout: int, words: float, ratio: float, home: float, z: Net
) -> float:
    """Return the network energy below one instance of a level for the groups counted in z.

    Args:
        p: the problem.
        level: the parents'.
        fanout: children in use.
        words: to each group.
        ratio: that they are scaled up by, hops left out.
        home: elements the instance is home to where results travel both ways, else -1.
        z: the groups.
    """
    hops = routed = 0.0
    for size in range(1, fanout + 1):
        if z.number[size] == 0:
            continue
        sent = words * z.number[size] * ratio
        if home >= 0:
            sent = 2.0 * sent - home
        far = words * z.hops[size] / 2 if fanout > 1 else 0.0
        hops += far
        if sent > 0:
            routed = np.floor(routed + (1.0 + np.floor(far / sent)) * sent)
    return hops * p.hop[level] + routed * p.router[level]
