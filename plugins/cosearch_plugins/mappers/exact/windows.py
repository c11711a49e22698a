"""What sliding windows can save at most, by tile and by union of tiles.

A run of loops along one axis may leave a share of a full delivery that depends on the tile's side
and on how far each loop moves it. The least share is found by trying every way to spread what is
left of both dimensions over the levels outside.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from cosearch.compiling.arithmetic import larger, smaller, whole
from cosearch.compiling.bundle import Floats, Ints
from cosearch.compiling.functions import compiled, inlined
from cosearch.typing import FloatArray
from cosearch_plugins.mappers.exact.arrays import Runs, RunStack
from cosearch_plugins.mappers.exact.parts import WINDOWS
from cosearch_plugins.mappers.exact.problem import Problem
from cosearch_plugins.mappers.exact.tiles import groups_along

BOTH = 2
"""Orders of two loops."""


ONE_LEVEL = cast("int", np.int64(1))
"""Typed so that numba takes it for no literal, for which it would compile the callee once more."""


@compiled
def slide(size: float, move: float, bound: int, run: FloatArray) -> None:
    """Carry the words delivered, in tiles, through one loop of a run along one axis.

    Args:
        size: side of the tile along the axis.
        move: how far the loop moves it.
        bound: of the loop.
        run: words, first move, sum of moves; updated.
    """
    new = 1.0
    if run[1] == 0.0:
        run[1] = move
        new = 1.0 - larger(0.0, size - move) / size
    else:
        shift = move - run[2]
        if shift == 0.0:
            new = 0.0
        elif shift == run[1]:
            new = 1.0 - larger(0.0, size - shift) / size
    run[2] += move
    run[0] = bound * run[0] - (bound - 1) * (1.0 - new)


@compiled
def next_divisor(n: int, d: int) -> int:
    """Return the divisor of n after d, or 0 after the last."""
    for e in range(d + 1, n + 1):
        if n % e == 0:
            return e
    return 0


@compiled
def least_run(
    size: float, first: FloatArray, second: FloatArray, levels: int, stack: RunStack
) -> float:
    """Return the least words, in tiles, of any run of two dimensions over some levels.

    Args:
        size: side of the tile along the axis.
        first: what is left of one dimension outside, and how far its next loop moves.
        second: likewise of the other.
        levels: over which both are spread, in every way and order.
        stack: scratch.
    """
    best = np.inf
    stack.quotient[0, 0], stack.quotient[0, 1] = whole(first[0]), whole(second[0])
    stack.move[0, 0], stack.move[0, 1] = first[1], second[1]
    stack.run[0, 0], stack.run[0, 1], stack.run[0, 2] = 1.0, 0.0, 0.0
    level = 0
    enter(stack, level, levels)
    while level >= 0:
        a, b, swap = stack.factor[level, 0], stack.factor[level, 1], stack.factor[level, 2]
        pq, rq = stack.quotient[level, 0], stack.quotient[level, 1]
        if swap == BOTH:
            b = next_divisor(rq, b)
            if b == 0:
                a, b = next_divisor(pq, a), 1
            if a == 0:
                level -= 1
            else:
                stack.factor[level, 0], stack.factor[level, 1], stack.factor[level, 2] = a, b, 0
            continue
        stack.factor[level, 2] = BOTH if a == 1 or b == 1 else swap + 1
        for i in range(3):
            stack.run[level + 1, i] = stack.run[level, i]
        run = stack.run[level + 1]
        if swap == 1 and b > 1:
            slide(size, stack.move[level, 1], b, run)
        if a > 1:
            slide(size, stack.move[level, 0], a, run)
        if swap == 0 and b > 1:
            slide(size, stack.move[level, 1], b, run)
        if level == levels - 1:
            best = smaller(best, run[0])
            continue
        level += 1
        stack.quotient[level, 0], stack.quotient[level, 1] = pq // a, rq // b
        stack.move[level, 0], stack.move[level, 1] = (
            stack.move[level - 1, 0] * a,
            stack.move[level - 1, 1] * b,
        )
        enter(stack, level, levels)
    return best


@compiled
def enter(stack: RunStack, level: int, levels: int) -> None:
    """Begin with the factors of a level; the last takes all that is left."""
    outermost = level == levels - 1
    stack.factor[level, 0] = stack.quotient[level, 0] if outermost else 1
    stack.factor[level, 1] = stack.quotient[level, 1] if outermost else 1
    stack.factor[level, 2] = 0


@compiled
def loose_run(size: float, pq: int, rq: int, ps: float, rs: float) -> float:
    """Return a bound on the share of a full delivery, whatever stands between the loops."""
    least = 1.0
    for swap in range(2):
        quotient, other = (pq, rq) if swap == 0 else (rq, pq)
        move = ps if swap == 0 else rs
        credit = larger(0.0, size - move) / size
        for bound in range(2, quotient + 1):
            if quotient % bound == 0:
                more = 1.0 if quotient * other > bound else 0.0
                least = smaller(least, 1.0 - credit * (1.0 - 1.0 / bound) - more / bound)
    return larger(least, 0.0)


@WINDOWS.entry(allocates=True)
def fill_runs(
    problem: Problem,
    runs: Runs,
    values: Floats,
    value_start: Ints,
    levels: int,
    tight: bool,
    s: int,
    begin: int,
    end: int,
) -> None:
    """Fill the tables of one sliding window.

    Args:
        problem: the problem.
        runs: the tables.
        values: the divisors of each dimension, one after the other.
        value_start: where those of each begin.
        levels: over which loops may be spread.
        tight: whether every way to do so is tried.
        s: the window.
        begin: the first divisor of its first dimension in the unions to be filled.
        end: the one after the last.
    """
    z = RunStack(
        np.ones((levels + 1, 2), np.int64),
        np.ones((levels + 1, 2)),
        np.ones((levels + 1, 3), np.int64),
        np.ones((levels + 2, 3)),
    )
    first = np.ones(2)
    second = np.ones(2)
    run = np.zeros(3)
    t, d, e = runs.tensor[s], runs.first[s], runs.second[s]
    nd, ne = runs.divisors[d], runs.divisors[e]
    sd, se = problem.step[t, d], problem.step[t, e]
    vd, ve = values[value_start[d] :], values[value_start[e] :]
    for ud in range(begin, end):
        for ue in range(ne):
            here = runs.union_start[s] + ud * ne + ue
            pq, rq = whole(vd[nd - 1] // vd[ud]), whole(ve[ne - 1] // ve[ue])
            runs.union_words[here] = np.inf
            runs.union_least[here] = np.inf
            for xd in range(ud + 1):
                for xe in range(ue + 1):
                    if vd[ud] % vd[xd] != 0 or ve[ue] % ve[xe] != 0:
                        continue
                    size = 1.0 + sd * (vd[xd] - 1) + se * (ve[xe] - 1)
                    if tight:
                        first[0], first[1] = pq, sd * vd[ud]
                        second[0], second[1] = rq, se * ve[ue]
                        share = least_run(size, first, second, levels, z) / (pq * rq)
                    else:
                        share = loose_run(size, pq, rq, sd * vd[ud], se * ve[ue])
                    place = runs.start[s] + ((xd * ne + xe) * nd + ud) * ne + ue
                    runs.least[place] = share
                    first[0], first[1] = pq, sd * vd[ud]
                    second[0], second[1] = rq, se * ve[ue]
                    runs.least_top[place] = least_run(size, first, second, ONE_LEVEL, z) / (pq * rq)
                    if xd == ud and xe == ue:
                        here_too = runs.any_start[s] + xd * ne + xe
                        for way in range(4):
                            run[0], run[1], run[2] = 1.0, 0.0, 0.0
                            bounds = 1
                            if way != 1 and way != 3:
                                slide(size, sd * vd[ud], pq, run)
                                bounds *= pq
                            if way != 0:
                                slide(size, se * ve[ue], rq, run)
                                bounds *= rq
                            if way == 3:
                                slide(size, sd * vd[ud], pq, run)
                                bounds *= pq
                            runs.lone[way, here_too] = run[0] / bounds
                    anyhow = runs.any_start[s] + xd * ne + xe
                    runs.least_any[anyhow] = smaller(runs.least_any[anyhow], share)
                    sides = size * groups_along(
                        whole(vd[ud] // vd[xd]), whole(ve[ue] // ve[xe]), sd * vd[xd], se * ve[xe]
                    )
                    runs.union_words[here] = smaller(runs.union_words[here], sides)
                    runs.union_least[here] = smaller(runs.union_least[here], sides * share)


@compiled
def share_in(runs: Runs, table: FloatArray, t: int, x: int, u: int) -> float:
    """Return the least share of tensor t by a table of tiles x inside unions u, as `Runs.least`."""
    least = 1.0
    for s in range(len(runs.tensor)):
        if runs.tensor[s] == t:
            d, e = runs.first[s], runs.second[s]
            nd, ne = runs.divisors[d], runs.divisors[e]
            here = (runs.divisor[x, d] * ne + runs.divisor[x, e]) * nd + runs.divisor[u, d]
            least = smaller(least, table[runs.start[s] + here * ne + runs.divisor[u, e]])
    return least


@inlined
def share_left(runs: Runs, t: int, x: int, u: int) -> float:
    """Return the least share of a full delivery of tensor t for a tile x inside a union u."""
    return share_in(runs, runs.least, t, x, u)


@inlined
def share_outermost(runs: Runs, t: int, x: int, u: int) -> float:
    """Return the least share of a full delivery that the loops of one level outside u leave."""
    return share_in(runs, runs.least_top, t, x, u)


@compiled
def share_anyhow(runs: Runs, t: int, x: int) -> float:
    """Return the least share of a full delivery of tensor t for a tile x, whatever its union."""
    least = 1.0
    for s in range(len(runs.tensor)):
        if runs.tensor[s] == t:
            here = runs.divisor[x, runs.first[s]] * runs.divisors[runs.second[s]]
            here += runs.divisor[x, runs.second[s]]
            least = smaller(least, runs.least_any[runs.any_start[s] + here])
    return least


@compiled
def union_words(problem: Problem, runs: Runs, t: int, u: int) -> float:
    """Return the least words of tensor t that the children of a union are sent per visit."""
    words = 1.0
    for d in range(problem.axis.shape[1]):
        if problem.axis[t, d] >= 0 and not problem.slides[t, d]:
            words *= problem.extent[u, d]
    least = np.inf
    product = 1.0
    for s in range(len(runs.tensor)):
        if runs.tensor[s] != t:
            continue
        here = runs.union_start[s] + (
            runs.divisor[u, runs.first[s]] * runs.divisors[runs.second[s]]
            + runs.divisor[u, runs.second[s]]
        )
        least = smaller(least * runs.union_words[here], product * runs.union_least[here])
        product *= runs.union_words[here]
    return words * smaller(least, product) * problem.left[t, u]


@compiled
def deep_words(problem: Problem, t: int, x: int) -> float:
    """Return the least words that any tiles inside tiles x receive, all visits together.

    A window or a stride may leave gaps, so that the tiles inside add up to less than the tile
    around them; and a whole axis of a window may be credited. What remains is one word a step
    along other axes, and one word a visit along such an axis.
    """
    last = len(problem.volume) - 1
    words = problem.volume[last] / problem.volume[x]
    most = 1.0
    for d in range(problem.axis.shape[1]):
        if problem.axis[t, d] >= 0 and not problem.slides[t, d]:
            words *= problem.extent[x, d]
        elif problem.axis[t, d] >= 0:
            along = 1.0
            for e in range(problem.axis.shape[1]):
                if problem.axis[t, e] == problem.axis[t, d]:
                    along *= problem.extent[last, e] / problem.extent[x, e]
            most = larger(most, along)
    return words / most * problem.left[t, x]
