"""Words delivered, walked loop by loop: for tensors that the short instructions cannot count."""

from __future__ import annotations

import numpy as np

from cosearch.compiling.arithmetic import larger
from cosearch.compiling.functions import allocating, compiled
from cosearch.typing import FloatArray, IntArray


@allocating
def walk(spec: IntArray, real: FloatArray, bits: IntArray, r: int, rule: int, m: int) -> None:
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
                    overlap *= larger(0.0, real[spec[side], j] - abs(shift[x]))
                if known < most and not _is_among(shift, credited, known):
                    for x in range(axes):
                        credited[known, x] = shift[x]
                    known += 1
                slides = rule == 2 or _is_among(shift, credited, known)
                new = real[tile, j] - (overlap if slides else 0.0)
                total = total * bound + (bound - 1.0) * new
        real[r, j] = real[tile, j] + total


@compiled
def _is_among(shift: FloatArray, credited: FloatArray, known: int) -> bool:
    for y in range(known):
        same = True
        for x in range(len(shift)):
            same = same and credited[y, x] == shift[x]
        if same:
            return True
    return False


@compiled
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
