"""A small vector machine: it runs the instructions of cost programs on registers of lanes.

Cost programs (see `program`) are lists of instructions over registers; a register holds one number
of each of up to `LANES` mappings. One compiled machine runs the program of every layer on every
architecture, so nothing is ever compiled twice, and each instruction is one short loop over lanes
that the compiler turns into SIMD. Whole numbers are kept in float64: below 2**53 they are exact.
"""

from __future__ import annotations

import numpy as np

from cosearch.compiling.arithmetic import larger, smaller
from cosearch.compiling.functions import allocating, inlined
from cosearch.loopnest.kernel.opcodes import Op
from cosearch.loopnest.kernel.travel import travel
from cosearch.loopnest.kernel.walk import walk
from cosearch.typing import FloatArray, IntArray


@allocating
def execute(
    code: IntArray, numbers: FloatArray, lists: IntArray, real: FloatArray, bits: IntArray, m: int
) -> None:
    """Run a program on the first m lanes."""
    for i in range(len(code)):
        op = code[i, 0]
        if op <= Op.SELECT:
            _calculate(op, code[i], numbers[i], real, m)
        elif op <= Op.CREDIT:
            _slide(op, code[i], numbers[i], real, bits, m)
        elif op <= Op.FIRST:
            _go_along(op, code[i], numbers[i], real, bits, m)
        else:
            _price(op, code[i], numbers[i], real, bits, m, lists)


@inlined
def _calculate(  # noqa: C901 - one branch an instruction
    op: int, line: IntArray, numbers: FloatArray, real: FloatArray, m: int
) -> None:
    """Do an instruction of plain arithmetic."""
    r = line[1]
    a = line[2]
    b = line[3]
    c = line[4]
    d = line[5]
    p = numbers[0]
    q = numbers[1]
    v = numbers[2]
    if op == Op.MUL2:
        for j in range(m):
            real[r, j] = real[a, j] * real[b, j]
    elif op == Op.MUL3:
        for j in range(m):
            real[r, j] = real[a, j] * real[b, j] * real[c, j]
    elif op == Op.MUL4:
        for j in range(m):
            real[r, j] = (real[a, j] * real[b, j]) * (real[c, j] * real[d, j])
    elif op == Op.ADD:
        for j in range(m):
            real[r, j] = real[a, j] + real[b, j]
    elif op == Op.LINEAR:
        for j in range(m):
            real[r, j] = p + q * real[a, j]
    elif op == Op.LINEAR2:
        for j in range(m):
            real[r, j] = p + q * real[a, j] + v * real[b, j]
    elif op == Op.GATE:
        for j in range(m):
            part, bound = real[a, j], real[b, j]
            real[r, j] = part * (bound if part > 1.0 else 1.0)
    elif op == Op.PICK:
        for j in range(m):
            part, outside, beyond = real[a, j], real[b, j], real[c, j]
            real[r, j] = part * outside if part > 1.0 else beyond
    elif op == Op.SELECT:
        for j in range(m):
            kept, passed = real[a, j], real[c, j]
            real[r, j] = kept if real[b, j] != 0.0 else passed


@inlined
def _slide(  # noqa: C901 - one branch an instruction
    op: int, line: IntArray, numbers: FloatArray, real: FloatArray, bits: IntArray, m: int
) -> None:
    """Do an instruction about sliding windows."""
    r = line[1]
    a = line[2]
    b = line[3]
    c = line[4]
    d = line[5]
    e = line[6]
    s = line[9]
    t = line[10]
    u = line[11]
    p = numbers[0]
    q = numbers[1]
    if op == Op.GATE_INSIDE:
        for j in range(m):
            inside, bound = (bits[c, j] >> s) & bits[d, j], real[b, j]
            real[r, j] = real[a, j] * (bound if inside != 0 else 1.0)
    elif op == Op.TICK_OUTSIDE:
        for j in range(m):
            word = bits[c, j]
            one, two, three = real[b, j], real[d, j], real[e, j]
            one = 1.0 if ((word >> s) & 1) != 0 else one
            two = 1.0 if ((word >> t) & 1) != 0 else two
            three = 1.0 if ((word >> u) & 1) != 0 else three
            real[r, j] = (real[a, j] * one) * (two * three)
    elif op == Op.TURNS:
        for j in range(m):
            one = s if real[b, j] > 1.0 else 0
            two = t if real[c, j] > 1.0 else 0
            bits[r, j] = bits[a, j] | one | two
    elif op == Op.INSIDE:
        for j in range(m):
            bits[r, j] = (bits[a, j] >> s) & bits[b, j]
    elif op == Op.SHIFT:
        for j in range(m):
            partner = q * real[d, j]
            other = partner if (bits[c, j] & s) != 0 else 0.0
            real[r, j] = p * real[a, j] - (real[b, j] + other)
    elif op == Op.LEAD:
        for j in range(m):
            own, partner, earlier = p * real[a, j], q * real[d, j], real[b, j]
            fresh = partner if (bits[c, j] & s) != 0 else own
            real[r, j] = earlier if bits[e, j] != 0 else fresh
    elif op == Op.STAY:
        for j in range(m):
            shift, lead, tile = real[a, j], real[b, j], real[c, j]
            left = real[e, j] - lead
            slides = real[d, j] * larger(0.0, left)
            moved = slides if shift == lead else 0.0
            real[r, j] = tile if shift == 0.0 else moved
    elif op == Op.CREDIT:
        for j in range(m):
            state = bits[c, j]
            open_ = ((bits[b, j] & s) == 0) & ((state == 0) | (state == t))
            credit = real[d, j] * real[e, j]
            real[r, j] = real[a, j] - (credit if open_ else 0.0)


@inlined
def _go_along(
    op: int, line: IntArray, numbers: FloatArray, real: FloatArray, bits: IntArray, m: int
) -> None:
    """Do an instruction about runs of loops along one axis."""
    r = line[1]
    a = line[2]
    b = line[3]
    c = line[4]
    d = line[5]
    e = line[6]
    f = line[7]
    g = line[8]
    s = line[9]
    t = line[10]
    u = line[11]
    p = numbers[0]
    q = numbers[1]
    if op == Op.ALONG:
        for j in range(m):
            turning, state = bits[b, j], bits[a, j]
            along = ((turning & s) == 0) & ((state == 0) | (state == t))
            moved = t if along else bits[c, j]
            bits[r, j] = state if turning == 0 else moved
    elif op == Op.GONE:
        for j in range(m):
            turning, state = bits[b, j], bits[a, j]
            along = ((turning & u) == 0) & ((state == 0) | (state == (u >> 32)))
            first, second, other = p * real[e, j], q * real[f, j], real[d, j]
            first = first if (turning & s) != 0 else 0.0
            second = second if (turning & t) != 0 else 0.0
            moved = real[c, j] + first + second
            real[r, j] = moved if along else other
    elif op == Op.FIRST:
        for j in range(m):
            turning = bits[b, j]
            after = ((bits[g, j] >> (u & 255)) & t) != 0
            second = ((turning & t) != 0) & (after | ((turning & s) == 0))
            one, two, earlier = p * real[e, j], q * real[f, j], real[c, j]
            lead = two if second else one
            fresh = (bits[a, j] == 0) & ((turning & (u >> 8)) == 0) & (turning != 0)
            real[r, j] = lead if fresh else earlier


@allocating
def _price(  # noqa: C901 - one branch an instruction
    op: int,
    line: IntArray,
    numbers: FloatArray,
    real: FloatArray,
    bits: IntArray,
    m: int,
    lists: IntArray,
) -> None:
    """Do an instruction about costs."""
    r = line[1]
    a = line[2]
    b = line[3]
    c = line[4]
    d = line[5]
    e = line[6]
    f = line[7]
    s = line[9]
    p = numbers[0]
    q = numbers[1]
    v = numbers[2]
    if op == Op.PLACES:
        _count_places(real, r, a, b, c, d, p, q, m)
    elif op == Op.SHARE:
        for j in range(m):
            real[r, j] = np.floor(real[a, j] * real[b, j] / real[c, j])
    elif op == Op.BLOCKS:
        for j in range(m):
            real[r, j] = np.ceil(real[a, j] / p)
    elif op == Op.ACCESS:
        for j in range(m):
            words = real[c, j] * p + real[d, j] * q + real[e, j] * v
            real[r, j] = real[a, j] + real[b, j] * words
    elif op == Op.ACCESS_KEPT:
        for j in range(m):
            words = real[c, j] * p + real[d, j] * q + real[e, j] * v
            here = real[b, j] * words
            real[r, j] = real[a, j] + (here if real[f, j] != 0.0 else 0.0)
    elif op == Op.DEMAND:
        for j in range(m):
            real[r, j] = real[a, j] + real[b, j] / real[c, j]
    elif op == Op.WAIT:
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
            real[r, j] = larger(cycles, wait)
    elif op == Op.LEAK:
        for j in range(m):
            real[r, j] = real[a, j] + (real[b, j] + p * real[c, j] * real[d, j])
    elif op == Op.BROKEN:
        for j in range(m):
            broken = (real[a, j] > p) & (real[b, j] == 0.0)
            verdict = real[b, j]
            real[r, j] = q if broken else verdict
    elif op == Op.MOST:
        for j in range(m):
            real[r, j] = smaller(real[a, j], p)
    elif op == Op.TRAVEL:
        travel(lists[a:], real, r, s, p, q, m)
    elif op == Op.WALK:
        walk(lists[a:], real, bits, r, s, m)


@inlined
def _count_places(
    real: FloatArray, r: int, a: int, b: int, c: int, d: int, p: float, q: float, m: int
) -> None:
    """Count the different sums i*u + j*v of two dimensions of one axis spread over children.

    Of the a * b sums, those with a predecessor (i - v/g, j + u/g) are met twice, g = gcd(u, v).
    There is none unless v/g < a and u/g < b, where g is smaller(u, v) at most.
    """
    for j in range(m):
        first, second = real[a, j], real[b, j]
        u, v = p * real[c, j], q * real[d, j]
        most = smaller(u, v)
        twice = 0.0
        if first * most > v and second * most > u:
            g, h = larger(u, v), most
            while h != 0.0:
                g, h = h, g % h
            twice = larger(0.0, first - v / g) * larger(0.0, second - u / g)
        real[r, j] = first * second - twice
