"""The compiled kernel: a small vector machine, and the loops that feed it with mappings.

Cost programs (see `program`) are lists of instructions over registers; a register holds one number
of each of up to `LANES` mappings. One compiled machine runs the program of every layer on every
architecture, so nothing is ever compiled twice, and each instruction is one short loop over lanes
that the compiler turns into SIMD. Whole numbers are kept in float64: below 2**53 they are exact.

All compiled code lives in this module, because a cached caller does not notice that a callee in
another module has changed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from cosearch.loopnest.kernel.pack import Nests
from cosearch.typing import FloatArray, IntArray, Rows

LANES = 256
"""Mappings that an instruction works on: long enough to hide its overhead, few enough for the
registers of a program to stay in the second-level cache."""

MUL2, MUL3, MUL4, ADD, LINEAR, LINEAR2 = 1, 2, 3, 4, 5, 6
GATE, PICK, SELECT, GATE_INSIDE, TICK_OUTSIDE, TURNS = 7, 8, 9, 10, 11, 12
INSIDE, SHIFT, LEAD, STAY, CREDIT, ALONG, GONE, FIRST = 13, 14, 15, 16, 17, 18, 19, 20
PLACES, SHARE, BLOCKS, ACCESS, ACCESS_KEPT, DEMAND = 21, 22, 23, 24, 25, 26
WAIT, LEAK, BROKEN, TRAVEL, WALK, MOST = 27, 28, 29, 30, 31, 32

ENERGY, SCALED, GROUPS = 0, 1, 2
"""What TRAVEL is asked for."""

OPERANDS = 7
IMMEDIATES = 3
WIDTH = 2 + OPERANDS + IMMEDIATES

_compiled = njit(error_model="numpy", nogil=True, cache=True)


class Program(NamedTuple):
    """Instructions and what they start from.

    Attributes:
        code: int64[n, 12]: what to do, where the result goes, up to 7 operands, 3 immediates.
        numbers: float64[n, 4], further immediates.
        lists: int64[k], operands of instructions that take many.
        constant_register, constant: int64[c], float64[c].
        first, second: registers of the results: energy and cycles, or in a program of checks the
            number of the first broken one (and nothing).
        used: int64[checks + 1], by number of a check the register of what it compared.
        limits: float64[checks + 1], by number of a check what is allowed.
    """

    code: IntArray
    numbers: FloatArray
    lists: IntArray
    constant_register: IntArray
    constant: FloatArray
    first: int
    second: int
    used: IntArray
    limits: FloatArray


class Registers(NamedTuple):
    """The state of the machine for up to `LANES` mappings.

    Attributes:
        real: float64[registers, lanes].
        bits: int64[registers, lanes].
        choice: int64[columns, lanes], rows column by column.
        row: int64[lanes], where the results go.
        valid: int64[lanes], the lanes that passed the checks.
    """

    real: FloatArray
    bits: IntArray
    choice: IntArray
    row: IntArray
    valid: IntArray


class Prices(NamedTuple):
    """Results, one per mapping; see `cosearch.machine.hardware.CostBatch`."""

    energy_pj: FloatArray
    cycles: FloatArray
    reason: IntArray
    excess: FloatArray


class Picks(NamedTuple):
    """Which parts of a struct of arrays are the inputs of a program, in register order.

    Attributes:
        slot, dim: int64[k], of the bounds.
        order_level: int64[o].
        keep_level, keep_tensor: int64[j].
    """

    slot: IntArray
    dim: IntArray
    order_level: IntArray
    keep_level: IntArray
    keep_tensor: IntArray


class Decoder(NamedTuple):
    """How a row of a mapspace becomes the inputs of a program.

    Attributes:
        choices: uint64[columns], how many each column has.
        column: int64[e], per loop bound to decode, the column it comes from.
        target: int64[e], the register it goes to.
        start: int64[e], where its table starts.
        scale: float64[e], multiplied by; 0 where the bound is multiplied onto what is there.
        table: float64[...], factors by choice.
        order_column, order_target, order_start: int64[o], the same for orders.
        order_words: int64[...].
        keep_column, keep_target: int64[k], the same for keeping or bypassing.
    """

    choices: np.ndarray
    column: IntArray
    target: IntArray
    start: IntArray
    scale: FloatArray
    table: FloatArray
    order_column: IntArray
    order_target: IntArray
    order_start: IntArray
    order_words: IntArray
    keep_column: IntArray
    keep_target: IntArray


# -- the machine


@_compiled
def execute(  # noqa: C901 - one branch an instruction
    code: IntArray, numbers: FloatArray, lists: IntArray, real: FloatArray, bits: IntArray, m: int
) -> None:
    """Run a program on the first m lanes."""
    for i in range(len(code)):
        op, r = code[i, 0], code[i, 1]
        a, b, c, d, e, f, g = (
            code[i, 2],
            code[i, 3],
            code[i, 4],
            code[i, 5],
            code[i, 6],
            code[i, 7],
            code[i, 8],
        )
        s, t, u = code[i, 9], code[i, 10], code[i, 11]
        p, q, v = numbers[i, 0], numbers[i, 1], numbers[i, 2]
        if op == MUL2:
            for j in range(m):
                real[r, j] = real[a, j] * real[b, j]
        elif op == MUL3:
            for j in range(m):
                real[r, j] = real[a, j] * real[b, j] * real[c, j]
        elif op == MUL4:
            for j in range(m):
                real[r, j] = (real[a, j] * real[b, j]) * (real[c, j] * real[d, j])
        elif op == ADD:
            for j in range(m):
                real[r, j] = real[a, j] + real[b, j]
        elif op == LINEAR:
            for j in range(m):
                real[r, j] = p + q * real[a, j]
        elif op == LINEAR2:
            for j in range(m):
                real[r, j] = p + q * real[a, j] + v * real[b, j]
        elif op == GATE:
            for j in range(m):
                part, bound = real[a, j], real[b, j]
                real[r, j] = part * (bound if part > 1.0 else 1.0)
        elif op == PICK:
            for j in range(m):
                part, outside, beyond = real[a, j], real[b, j], real[c, j]
                real[r, j] = part * outside if part > 1.0 else beyond
        elif op == SELECT:
            for j in range(m):
                kept, passed = real[a, j], real[c, j]
                real[r, j] = kept if real[b, j] != 0.0 else passed
        elif op == GATE_INSIDE:
            for j in range(m):
                inside, bound = (bits[c, j] >> s) & bits[d, j], real[b, j]
                real[r, j] = real[a, j] * (bound if inside != 0 else 1.0)
        elif op == TICK_OUTSIDE:
            for j in range(m):
                word = bits[c, j]
                one, two, three = real[b, j], real[d, j], real[e, j]
                one = 1.0 if ((word >> s) & 1) != 0 else one
                two = 1.0 if ((word >> t) & 1) != 0 else two
                three = 1.0 if ((word >> u) & 1) != 0 else three
                real[r, j] = (real[a, j] * one) * (two * three)
        elif op == TURNS:
            for j in range(m):
                one = s if real[b, j] > 1.0 else 0
                two = t if real[c, j] > 1.0 else 0
                bits[r, j] = bits[a, j] | one | two
        elif op == INSIDE:
            for j in range(m):
                bits[r, j] = (bits[a, j] >> s) & bits[b, j]
        elif op == SHIFT:
            for j in range(m):
                partner = q * real[d, j]
                other = partner if (bits[c, j] & s) != 0 else 0.0
                real[r, j] = p * real[a, j] - (real[b, j] + other)
        elif op == LEAD:
            for j in range(m):
                own, partner, earlier = p * real[a, j], q * real[d, j], real[b, j]
                fresh = partner if (bits[c, j] & s) != 0 else own
                real[r, j] = earlier if bits[e, j] != 0 else fresh
        elif op == STAY:
            for j in range(m):
                shift, lead, tile = real[a, j], real[b, j], real[c, j]
                left = real[e, j] - lead
                slides = real[d, j] * max(0.0, left)
                moved = slides if shift == lead else 0.0
                real[r, j] = tile if shift == 0.0 else moved
        elif op == CREDIT:
            for j in range(m):
                state = bits[c, j]
                open_ = ((bits[b, j] & s) == 0) & ((state == 0) | (state == t))
                credit = real[d, j] * real[e, j]
                real[r, j] = real[a, j] - (credit if open_ else 0.0)
        elif op == ALONG:
            for j in range(m):
                turning, state = bits[b, j], bits[a, j]
                along = ((turning & s) == 0) & ((state == 0) | (state == t))
                moved = t if along else bits[c, j]
                bits[r, j] = state if turning == 0 else moved
        elif op == GONE:
            for j in range(m):
                turning, state = bits[b, j], bits[a, j]
                along = ((turning & u) == 0) & ((state == 0) | (state == (u >> 32)))
                first, second, other = p * real[e, j], q * real[f, j], real[d, j]
                first = first if (turning & s) != 0 else 0.0
                second = second if (turning & t) != 0 else 0.0
                moved = real[c, j] + first + second
                real[r, j] = moved if along else other
        elif op == FIRST:
            for j in range(m):
                turning = bits[b, j]
                after = ((bits[g, j] >> (u & 255)) & t) != 0
                second = ((turning & t) != 0) & (after | ((turning & s) == 0))
                one, two, earlier = p * real[e, j], q * real[f, j], real[c, j]
                lead = two if second else one
                fresh = (bits[a, j] == 0) & ((turning & (u >> 8)) == 0) & (turning != 0)
                real[r, j] = lead if fresh else earlier
        elif op == PLACES:
            _count_places(real, r, a, b, c, d, p, q, m)
        elif op == SHARE:
            for j in range(m):
                real[r, j] = np.floor(real[a, j] * real[b, j] / real[c, j])
        elif op == BLOCKS:
            for j in range(m):
                real[r, j] = np.ceil(real[a, j] / p)
        elif op == ACCESS:
            for j in range(m):
                words = real[c, j] * p + real[d, j] * q + real[e, j] * v
                real[r, j] = real[a, j] + real[b, j] * words
        elif op == ACCESS_KEPT:
            for j in range(m):
                words = real[c, j] * p + real[d, j] * q + real[e, j] * v
                here = real[b, j] * words
                real[r, j] = real[a, j] + (here if real[f, j] != 0.0 else 0.0)
        elif op == DEMAND:
            for j in range(m):
                real[r, j] = real[a, j] + real[b, j] / real[c, j]
        elif op == WAIT:
            for j in range(m):
                read, write = real[c, j], real[d, j]
                speed = 1.0
                slow = p / read
                speed = slow if (p < read) & (slow < speed) else speed
                slow = q / write
                speed = slow if (q < write) & (slow < speed) else speed
                slow = v / (read + write)
                speed = slow if (v < read + write) & (slow < speed) else speed
                wait, cycles = np.ceil(real[b, j] / speed), real[a, j]
                real[r, j] = max(cycles, wait)
        elif op == LEAK:
            for j in range(m):
                real[r, j] = real[a, j] + (real[b, j] + p * real[c, j] * real[d, j])
        elif op == BROKEN:
            for j in range(m):
                broken = (real[a, j] > p) & (real[b, j] == 0.0)
                verdict = real[b, j]
                real[r, j] = q if broken else verdict
        elif op == MOST:
            for j in range(m):
                real[r, j] = min(real[a, j], p)
        elif op == TRAVEL:
            _travel(lists[a:], real, r, s, p, q, m)
        elif op == WALK:
            _walk(lists[a:], real, bits, r, s, m)


@_compiled
def _count_places(
    real: FloatArray, r: int, a: int, b: int, c: int, d: int, p: float, q: float, m: int
) -> None:
    """Count the different sums i*u + j*v of two dimensions of one axis spread over children.

    Of the a * b sums, those with a predecessor (i - v/g, j + u/g) are met twice, g = gcd(u, v).
    There is none unless v/g < a and u/g < b, where g is min(u, v) at most.
    """
    for j in range(m):
        first, second = real[a, j], real[b, j]
        u, v = p * real[c, j], q * real[d, j]
        most = min(u, v)
        twice = 0.0
        if first * most > v and second * most > u:
            g, h = max(u, v), most
            while h != 0.0:
                g, h = h, g % h
            twice = max(0.0, first - v / g) * max(0.0, second - u / g)
        real[r, j] = first * second - twice


@_compiled
def _walk(spec: IntArray, real: FloatArray, bits: IntArray, r: int, rule: int, m: int) -> None:
    """Words delivered, walking every loop outside the child: any axes, any rule of counting.

    The same steps as `delivery.ticks`. The list: levels, dims, axes, whether order words hold
    positions, the child's tile; per axis its side, then a coefficient per dimension; per level the
    bits register of its order, then (bound, step) of each dimension.
    """
    levels, dims, axes, wide, tile = spec[0], spec[1], spec[2], spec[3], spec[4]
    gone = np.zeros(axes)
    credited = np.zeros((2, axes))
    shift = np.zeros(axes)
    order = np.zeros(dims, dtype=np.int64)
    for j in range(m):
        gone[:] = 0.0
        credited[:] = 0.0
        most = 1 if rule == 1 else 2
        known = most - 1
        total = 0.0
        for level in range(levels):
            at = 5 + axes * (1 + dims) + level * (1 + 2 * dims)
            _unpack_order(bits[spec[at], j], dims, wide, order)
            for position in range(dims):
                dim = order[position]
                bound = real[spec[at + 1 + 2 * dim], j]
                step = real[spec[at + 2 + 2 * dim], j]
                if bound == 1.0:
                    continue
                overlap = 1.0
                for x in range(axes):
                    side = 5 + x * (1 + dims)
                    move = spec[side + 1 + dim] * step
                    shift[x] = move - gone[x]
                    gone[x] += move * (bound - 1.0 if rule == 2 else 1.0)
                    overlap *= max(0.0, real[spec[side], j] - abs(shift[x]))
                if known < most and not _is_among(shift, credited, known):
                    for x in range(axes):
                        credited[known, x] = shift[x]
                    known += 1
                slides = rule == 2 or _is_among(shift, credited, known)
                new = real[tile, j] - (overlap if slides else 0.0)
                total = total * bound + (bound - 1.0) * new
        real[r, j] = real[tile, j] + total


@_compiled
def _is_among(shift: FloatArray, credited: FloatArray, known: int) -> bool:
    for y in range(known):
        same = True
        for x in range(len(shift)):
            same = same and credited[y, x] == shift[x]
        if same:
            return True
    return False


@_compiled
def _unpack_order(word: int, dims: int, wide: int, order: IntArray) -> None:
    for d in range(dims):
        if wide:
            order[d] = (word >> (4 * d)) & 15
        else:
            inside = (word >> (8 * d)) & 255
            position = 0
            while inside != 0:
                position += inside & 1
                inside >>= 1
            order[position] = d


@_compiled
def _travel(
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
            x *= int(real[spec[11 + 3 * d], j])
            y *= int(real[spec[12 + 3 * d], j])
        children = x * y
        width, height = max(fanout_x, x), max(fanout_y, y)
        _set_places(spec, real, dims, axes, j, place)
        groups = _number_groups(place, children, table, group, size)
        if mode == GROUPS:
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
        if mode == SCALED:
            real[r, j] = scaled_words
        else:
            total = double_hops / 2.0 if children > 1 else 0.0
            energy = total * hop_pj + routed * router_pj
            real[r, j] = real[spec[6], j] + real[spec[7], j] * energy


@_compiled
def _place_table(most: int) -> IntArray:
    """Return an empty hash table for twice as many places: numbers of groups, then places."""
    slots = 1
    while slots < 2 * most:
        slots *= 2
    return np.full((2, slots), -1, dtype=np.int64)


@_compiled
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
            bound = int(real[spec[11 + 3 * d + side], j])
            if bound == 1:
                continue
            extent = int(real[spec[13 + 3 * d], j])
            if side == 1:
                extent *= int(real[spec[11 + 3 * d], j])
            weight, move = 1, 0
            for axis in range(axes):
                reach = 1
                for e in range(dims):
                    coefficient = spec[11 + 3 * dims + axis * dims + e]
                    spread = int(real[spec[11 + 3 * e], j]) * int(real[spec[12 + 3 * e], j])
                    reach += coefficient * (spread - 1) * int(real[spec[13 + 3 * e], j])
                move += weight * spec[11 + 3 * dims + axis * dims + d] * extent
                weight *= reach
            for k in range(1, bound):
                for i in range(done):
                    place[k * done + i] = place[i] + k * move
            done *= bound


@_compiled
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


@_compiled
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
    columns = min(width, children)
    for k in range(groups):
        hops[k] = 0
        seen[k] = 0
    for column in range(columns):
        last = column + (children - 1 - column) // width * width
        for i in range(column, children, width):
            k = group[i]
            if seen[k] != 2 * column + 1:
                hops[k] += max(0, middle - 2 * (i // width))
                seen[k] = 2 * column + 1
        for i in range(last, -1, -width):
            k = group[i]
            if seen[k] != 2 * column + 2:
                hops[k] += max(0, 2 * (i // width) - middle)
                seen[k] = 2 * column + 2
    for k in range(groups):
        hops[k] += 2 * ((seen[k] - 1) // 2)


# -- feeding the machine


@_compiled
def _start(program: Program, registers: Registers) -> None:
    for k in range(len(program.constant)):
        registers.real[program.constant_register[k], :] = program.constant[k]


@_compiled
def _decode(decoder: Decoder, rows: Rows, start: int, m: int, to: Registers) -> bool:
    """Turn rows into inputs; return False if one is not in the space."""
    block, choice = rows[start : start + m], to.choice
    columns = len(decoder.choices)
    inside = True
    for column in range(columns):
        most = decoder.choices[column]
        for j in range(m):
            choice[column, j] = block[j, column]
            inside &= np.uint64(block[j, column]) < most
    if not inside:
        return False
    for e in range(len(decoder.column)):
        column, r, scale = decoder.column[e], decoder.target[e], decoder.scale[e]
        table = decoder.table[decoder.start[e] :]
        if scale != 0.0:
            for j in range(m):
                to.real[r, j] = scale * table[np.uint64(choice[column, j])]
        else:
            for j in range(m):
                to.real[r, j] *= table[np.uint64(choice[column, j])]
    for e in range(len(decoder.order_column)):
        column, r = decoder.order_column[e], decoder.order_target[e]
        words = decoder.order_words[decoder.order_start[e] :]
        for j in range(m):
            to.bits[r, j] = words[np.uint64(choice[column, j])]
    for e in range(len(decoder.keep_column)):
        column, r = decoder.keep_column[e], decoder.keep_target[e]
        for j in range(m):
            to.real[r, j] = choice[column, j]
    return True


@_compiled
def _copy(picks: Picks, nests: Nests, start: int, m: int, to: Registers) -> None:
    """Take the inputs of mappings that are already apart."""
    bounds = len(picks.slot)
    for k in range(bounds):
        bound = nests.bounds[picks.slot[k], picks.dim[k], start : start + m]
        for j in range(m):
            to.real[k, j] = bound[j]
    for k in range(len(picks.keep_level)):
        keep = nests.keep[picks.keep_level[k], picks.keep_tensor[k], start : start + m]
        for j in range(m):
            to.real[bounds + k, j] = 1.0 if keep[j] else 0.0
    for k in range(len(picks.order_level)):
        words = nests.order[picks.order_level[k], start : start + m]
        for j in range(m):
            to.bits[k, j] = words[j]


@_compiled
def _judge(checks: Program, registers: Registers, start: int, m: int, out: Prices) -> int:
    """Write the verdicts; list the valid lanes and return how many they are."""
    out.energy_pj[start : start + m] = np.inf
    out.cycles[start : start + m] = np.inf
    reasons, excess = out.reason[start : start + m], out.excess[start : start + m]
    for j in range(m):
        reasons[j] = int(registers.real[checks.first, j])
    valid = 0
    for j in range(m):
        reason = reasons[j]
        excess[j] = registers.real[checks.used[reason], j] / checks.limits[reason]
        registers.valid[valid] = j
        valid += reason == 0
    return valid


@_compiled
def _gather(
    source: Registers, first: int, valid: int, reals: int, words: int, to: Registers, fill: int
) -> int:
    """Append valid lanes, from number `first` on, while there is room; return how many."""
    more: int = min(valid - first, to.row.shape[0] - fill)
    for k in range(reals):
        for i in range(more):
            to.real[k, fill + i] = source.real[k, source.valid[first + i]]
    for k in range(words):
        for i in range(more):
            to.bits[k, fill + i] = source.bits[k, source.valid[first + i]]
    for i in range(more):
        to.row[fill + i] = source.row[source.valid[first + i]]
    return more


@_compiled
def price(
    checks: Program,
    program: Program,
    decoder: Decoder,
    rows: Rows,
    picks: Picks,
    nests: Nests,
    begin: int,
    end: int,
    source: Registers,
    gathered: Registers,
    reals: int,
    words: int,
    out: Prices,
) -> bool:
    """Check and price the mappings from begin to end: rows, or nests where rows are empty.

    Checks run on every mapping; those that pass are gathered until the lanes are full, so that
    pricing works on full vectors however few pass. An empty program prices nothing.

    Returns:
        False if a row is not in its space.
    """
    lanes = source.row.shape[0]
    _start(checks, source)
    _start(program, gathered)
    fill = first = valid = m = 0
    start = begin
    while start < end or first < valid or fill > 0:
        if first < valid and fill < lanes and not (fill == 0 and first == 0 and valid == m):
            more = _gather(source, first, valid, reals, words, gathered, fill)
            first, fill = first + more, fill + more
            continue
        checking = first == valid and start < end and fill < lanes
        state = source if checking or fill == 0 else gathered
        running = checks if checking else program
        if checking:
            m = min(lanes, end - start)
            for j in range(m):
                source.row[j] = start + j
            if len(rows) == 0:
                _copy(picks, nests, start, m, source)
            elif not _decode(decoder, rows, start, m, source):
                return False
        busy = fill if fill > 0 and not checking else m
        execute(running.code, running.numbers, running.lists, state.real, state.bits, busy)
        if checking:
            valid = _judge(checks, source, start, m, out)
            start += m
            first = valid if len(program.code) == 0 else 0
            continue
        for j in range(busy):
            out.energy_pj[state.row[j]] = state.real[program.first, j]
            out.cycles[state.row[j]] = state.real[program.second, j]
        first, fill = (first, 0) if fill > 0 else (valid, 0)
    return True
