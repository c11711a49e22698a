"""Compiled arithmetic on tiles: divisibility, footprints, groups of children, running minima."""

from __future__ import annotations

import numpy as np

from cosearch.compiling.arithmetic import larger, smaller, whole
from cosearch.compiling.bundle import Floats, Ints
from cosearch.compiling.functions import compiled, inlined
from cosearch.typing import BoolArray, FloatArray, IntArray
from cosearch_plugins.mappers.exact.arrays import MARGIN, Aim
from cosearch_plugins.mappers.exact.parts import TABLES
from cosearch_plugins.mappers.exact.problem import Problem


@inlined
def weighted(weight: float, amount: float) -> float:
    """Return a term of a sum; what does not count may be infinite."""
    return weight * amount if weight > 0.0 else 0.0


@inlined
def value_of(aim: Aim, energy: float, cycles: float) -> float:
    """Return what is minimised; infinite outside the limits."""
    if energy > aim.most_energy or cycles > aim.most_cycles:
        return np.inf
    if aim.energy_power == 0 and aim.cycles_power == 0:
        return weighted(aim.energy_weight, energy) + weighted(aim.cycles_weight, cycles)
    value = 1.0
    for _ in range(aim.energy_power):
        value *= energy
    for _ in range(aim.cycles_power):
        value *= cycles
    return value


@compiled
def least_value(aim: Aim, energy: float, cycles: float) -> float:
    """Return what is minimised where both are bounds: cycles are whole, so they round up."""
    return value_of(aim, energy, np.ceil(cycles * (1.0 - MARGIN)))


@inlined
def divides(problem: Problem, a: int, b: int) -> bool:
    """Return whether tile a divides tile b."""
    return (
        (problem.packed[b] | problem.guard) - problem.packed[a]
    ) & problem.guard == problem.guard


@inlined
def turning(problem: Problem, times: int) -> int:
    """Return the set of dimensions that turn in a factor, as bits."""
    bits = 0
    for d in range(problem.axis.shape[1]):
        if problem.extent[times, d] > 1:
            bits |= 1 << d
    return bits


@compiled
def next_inside(problem: Problem, x: int, around: int) -> int:
    """Return the tile after x among those that divide a tile, or -1 after the last."""
    for axis in range(len(problem.strides)):
        stride, length = problem.strides[axis], problem.lengths[axis]
        digit = (x // stride) % length
        if digit < (around // stride) % length:
            return x + stride
        x -= digit * stride
    return -1


@compiled
def next_outside(problem: Problem, x: int, inside: int) -> int:
    """Return the tile after x among those that a tile divides, or -1 after the last."""
    for axis in range(len(problem.strides)):
        stride, length = problem.strides[axis], problem.lengths[axis]
        digit = (x // stride) % length
        if digit < length - 1:
            return x + stride
        x -= (digit - (inside // stride) % length) * stride
    return -1


@compiled
def tiles_outside(problem: Problem, inside: int) -> int:
    """Return how many tiles a tile divides."""
    count = 1
    for axis in range(len(problem.strides)):
        length = problem.lengths[axis]
        count *= length - (inside // problem.strides[axis]) % length
    return count


@inlined
def full_words(problem: Problem, t: int, x: int) -> float:
    """Return the words that arrive in tiles x when nothing is ever reused."""
    return problem.words[t, x] * (problem.volume[len(problem.volume) - 1] / problem.volume[x])


@inlined
def groups_along(first: int, second: int, first_move: float, second_move: float) -> float:
    """Return how many different places children take along an axis that two loops spread over."""
    a, b = whole(first_move), whole(second_move)
    while b:
        a, b = b, a % b
    x = whole(second_move) // a
    y = whole(first_move) // a
    return float(first * second - larger(0, first - x) * larger(0, second - y))


@compiled
def places_apart(problem: Problem, t: int, x: int, s: int) -> float:
    """Return how many different tiles of tensor t the children hold, by trying all pairs."""
    children = whole(problem.volume[s])
    found = 0
    for i in range(children):
        new = True
        for j in range(i):
            if same_place(problem, t, x, s, i, j):
                new = False
                break
        found += new
    return float(found)


@compiled
def same_place(problem: Problem, t: int, x: int, s: int, i: int, j: int) -> bool:
    """Return whether children i and j of spatial factors s hold the same tile of tensor t."""
    for a in range(problem.project.shape[1]):
        apart = 0.0
        rest_i, rest_j = i, j
        for d in range(problem.project.shape[2]):
            bound = problem.extent[s, d]
            step = problem.project[t, a, d] * problem.extent[x, d]
            apart += step * (rest_i % bound - rest_j % bound)
            rest_i //= bound
            rest_j //= bound
        if apart != 0:
            return False
    return True


@inlined
def groups(problem: Problem, t: int, x: int, s: int) -> float:
    """Return how many different tiles of a tensor that is not odd the children hold."""
    total = 1.0
    for d in range(problem.axis.shape[1]):
        if problem.axis[t, d] < 0 or problem.extent[s, d] == 1:
            continue
        if not problem.slides[t, d]:
            total *= problem.extent[s, d]
            continue
        partner = -1
        for e in range(problem.axis.shape[1]):
            if e != d and problem.axis[t, e] == problem.axis[t, d] and problem.extent[s, e] > 1:
                partner = e
        if partner < 0:
            total *= problem.extent[s, d]
        elif partner > d:
            total *= groups_along(
                problem.extent[s, d],
                problem.extent[s, partner],
                problem.step[t, d] * problem.extent[x, d],
                problem.step[t, partner] * problem.extent[x, partner],
            )
    return total


@compiled
def shared_by(problem: Problem, t: int, x: int, s: int) -> float:
    """Return how many of the children of spatial factors s share a word of tensor t.

    Of an odd tensor, how many can at most.
    """
    if problem.sliding[t] and not problem.odd[t]:
        return problem.volume[s] / groups(problem, t, x, s)
    return problem.shared[t, s]


@inlined
def blocks(problem: Problem, level: int, t: int, count: float) -> float:
    """Return how many blocks hold so many elements in each of all bodies, for one of them."""
    many = np.floor(count * problem.bodies + 0.5) * problem.many[level, t]
    return np.ceil(many / problem.few[level, t]) / problem.bodies


@compiled
def least_inside(values: FloatArray, strides: IntArray, lengths: IntArray) -> None:
    """Replace each value by the least of all tiles that divide its tile."""
    for axis in range(len(strides)):
        stride, length = strides[axis], lengths[axis]
        for first in range(0, len(values), stride * length):
            for i in range(first + stride, first + stride * length):
                values[i] = smaller(values[i], values[i - stride])


@compiled
def least_outside(
    values: FloatArray, strides: IntArray, lengths: IntArray, open_axis: BoolArray
) -> None:
    """Replace each value by the least of all tiles that its tile divides along open axes."""
    for axis in range(len(strides)):
        if not open_axis[axis]:
            continue
        stride, length = strides[axis], lengths[axis]
        for first in range(0, len(values), stride * length):
            for i in range(first + stride * (length - 1) - 1, first - 1, -1):
                values[i] = smaller(values[i], values[i + stride])


@TABLES.entry()
def close_inside(values: Floats, strides: Ints, lengths: Ints) -> None:
    """Do what `least_inside` does, for Python."""
    least_inside(values, strides, lengths)
