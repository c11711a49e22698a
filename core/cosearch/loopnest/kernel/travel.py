"""How far the words of a tensor travel through the network below a level, mapping by mapping."""

from __future__ import annotations

import numpy as np

from cosearch.compiling.arithmetic import larger, smaller, whole
from cosearch.compiling.functions import allocating, compiled
from cosearch.loopnest.kernel.opcodes import Travel
from cosearch.typing import FloatArray, IntArray


@allocating
def travel(
    spec: IntArray, real: FloatArray, r: int, mode: int, hop_pj: float, router_pj: float, m: int
) -> None:
    """Follow the words of one tensor from a level to its children.

    By mode: add the energy of the network (ENERGY), or return the words as Timeloop scales them
    (SCALED), or the number of groups of children that share a tile (GROUPS). The list: dims, axes,
    fanout in X and Y, most children, whether words go both ways; registers of what is added to,
    instances, words delivered, scaled words of the inner level (-1: none), the instance's share;
    per dimension X factor, Y factor, extent of the child; per axis its coefficient of each
    dimension.
    """
    dims, axes, fanout_x, fanout_y, most, both = (
        spec[0],
        spec[1],
        spec[2],
        spec[3],
        spec[4],
        spec[5],
    )
    place = np.zeros(most, dtype=np.int64)
    group = np.zeros(most, dtype=np.int64)
    seen = np.zeros(most, dtype=np.int64)
    size = np.zeros(most, dtype=np.int64)
    hops = np.zeros(most, dtype=np.int64)
    of_size = np.zeros(most + 1, dtype=np.int64)
    hops_of_size = np.zeros(most + 1, dtype=np.int64)
    table = _place_table(most)
    for j in range(m):
        x = y = 1
        for d in range(dims):
            x *= whole(real[spec[11 + 3 * d], j])
            y *= whole(real[spec[12 + 3 * d], j])
        children = x * y
        width, height = larger(fanout_x, x), larger(fanout_y, y)
        _set_places(spec, real, dims, axes, j, place)
        groups = _number_groups(place, children, table, group, size)
        if mode == Travel.GROUPS:
            real[r, j] = groups
            continue
        _count_hops(children, width, height, groups, group, seen, hops)
        of_size[: children + 1] = 0
        hops_of_size[: children + 1] = 0
        for k in range(groups):
            of_size[size[k]] += 1
            hops_of_size[size[k]] += hops[k]
        words = real[spec[8], j]
        ratio = real[spec[9], j] / words if spec[9] >= 0 else 1.0
        double_hops = routed = scaled_words = 0.0
        for n in range(1, children + 1):
            if of_size[n] == 0:
                continue
            travelled = words * hops_of_size[n]
            scaled = words * of_size[n] * ratio
            scaled_words += scaled
            double_hops += travelled
            if both:
                scaled = 2.0 * scaled - real[spec[10], j]
            if scaled > 0.0:
                mean = travelled / 2.0 / scaled if children > 1 else 0.0
                routed = np.floor(routed + (1.0 + np.floor(mean)) * scaled)
        if mode == Travel.SCALED:
            real[r, j] = scaled_words
        else:
            total = double_hops / 2.0 if children > 1 else 0.0
            energy = total * hop_pj + routed * router_pj
            real[r, j] = real[spec[6], j] + real[spec[7], j] * energy


@allocating
def _place_table(most: int) -> IntArray:
    """Return an empty hash table for twice as many places: numbers of groups, then places."""
    slots = 1
    while slots < 2 * most:
        slots *= 2
    return np.full((2, slots), -1, dtype=np.int64)


@compiled
def _set_places(
    spec: IntArray, real: FloatArray, dims: int, axes: int, j: int, place: IntArray
) -> None:
    """Number the place of each child's tile: equal numbers, equal places.

    Places along one axis are multiples of a weight that no sum along the axes before reaches.
    """
    place[0] = 0
    done = 1
    for side in range(2):
        for d in range(dims):
            bound = whole(real[spec[11 + 3 * d + side], j])
            if bound == 1:
                continue
            extent = whole(real[spec[13 + 3 * d], j])
            if side == 1:
                extent *= whole(real[spec[11 + 3 * d], j])
            weight, move = 1, 0
            for axis in range(axes):
                reach = 1
                for e in range(dims):
                    coefficient = spec[11 + 3 * dims + axis * dims + e]
                    spread = whole(real[spec[11 + 3 * e], j]) * whole(real[spec[12 + 3 * e], j])
                    reach += coefficient * (spread - 1) * whole(real[spec[13 + 3 * e], j])
                move += weight * spec[11 + 3 * dims + axis * dims + d] * extent
                weight *= reach
            for k in range(1, bound):
                for i in range(done):
                    place[k * done + i] = place[i] + k * move
            done *= bound


@compiled
def _number_groups(
    place: IntArray, children: int, table: IntArray, group: IntArray, size: IntArray
) -> int:
    """Number the groups of children at one place, in order of appearance; return how many."""
    slots = table.shape[1]
    table[0, :] = -1
    groups = 0
    for i in range(children):
        at = ((place[i] * 0x9E3779B1) >> 7) & (slots - 1)
        while table[0, at] >= 0 and table[1, at] != place[i]:
            at = (at + 1) & (slots - 1)
        if table[0, at] < 0:
            table[0, at], table[1, at] = groups, place[i]
            size[groups] = 0
            groups += 1
        group[i] = table[0, at]
        size[group[i]] += 1
    return groups


@compiled
def _count_hops(
    children: int,
    width: int,
    height: int,
    groups: int,
    group: IntArray,
    seen: IntArray,
    hops: IntArray,
) -> None:
    """Count twice the hops to each group, as `network.Grid.double_hops`.

    Column by column: the first child of a group that is met going down pays the way up to it, the
    first that is met going up pays the way down; the farthest column is met last.
    """
    middle = height - 1
    columns = smaller(width, children)
    for k in range(groups):
        hops[k] = 0
        seen[k] = 0
    for column in range(columns):
        last = column + (children - 1 - column) // width * width
        for i in range(column, children, width):
            k = group[i]
            if seen[k] != 2 * column + 1:
                hops[k] += larger(0, middle - 2 * (i // width))
                seen[k] = 2 * column + 1
        for i in range(last, -1, -width):
            k = group[i]
            if seen[k] != 2 * column + 2:
                hops[k] += larger(0, 2 * (i // width) - middle)
                seen[k] = 2 * column + 2
    for k in range(groups):
        hops[k] += 2 * ((seen[k] - 1) // 2)
