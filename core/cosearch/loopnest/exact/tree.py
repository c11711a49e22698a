"""The compiled half of the exact mapper: bounds, the tree of tile chains, and its leaves.

A mapping is a chain of tiles, each dividing the next: inside level l stand the tile X_l that one
instance holds and the union U_l = X_(l-1) * S_l of its children's tiles, X_l = U_l * T_l. The
search picks U at the pivot, where the array is, then the tiles inside it and those outside.
The whole call tree stands in this one module, because numba's cache does not see a change of a
callee in another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from cosearch.loopnest.exact.problem import Problem
from cosearch.typing import BoolArray, FloatArray, IntArray

compiled = njit(
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False
)
"""Called from compiled code only: without a wrapper for Python it compiles in a third of the time."""

inlined = njit(
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True,
    forceinline=True, _nrt=False,
)  # fmt: skip
"""The same, for small ones: a call would hand over every array of every group."""

entry = njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
"""Called from Python."""

MARGIN = 1e-12
"""What a bound may exceed the best by before it is pruned: the proof holds to this."""

LOOKS = 64
"""Tiles or spatial factors looked at in the time that one node takes."""

DONE, PAUSED = 0, 1

BOTH = 2
"""Orders of two loops."""


class Kept(NamedTuple):
    """What is stored where, and what follows from it; pairs of levels a tensor moves between.

    Attributes:
        keep: bool[L, T].
        fit: bool[L, n], tiles each level has room for.
        tensor, inner, outer: int64[pairs]; inner is -1 for the multipliers.
        below, above: int64[T, L], the pair whose outer (inner) level this is, -1 for none.
    """

    keep: BoolArray
    fit: BoolArray
    tensor: IntArray
    inner: IntArray
    outer: IntArray
    below: IntArray
    above: IntArray


class Runs(NamedTuple):
    """The smallest share of a full delivery that sliding windows can leave, by axis.

    Attributes:
        tensor, first, second: int64[sliders], an axis and its two dimensions.
        start: int64[sliders], where its table begins.
        least: float64[...], by divisors of first and second in the tile, then in the union.
        any_start: int64[sliders]. least_any: float64[...], the same whatever the union.
        lone: float64[4, ...], the share that the loops of the outermost level leave: the first
            alone, the second alone, first inside second, second inside first.
        union_start: int64[sliders]. union_words, union_least: float64[...], least side times
            groups of any tile inside a union, without and with the share.
        divisor: int64[n, D], the index of each extent among the divisors of its dimension.
        divisors: int64[D], how many there are.
    """

    tensor: IntArray
    first: IntArray
    second: IntArray
    start: IntArray
    least: FloatArray
    any_start: IntArray
    least_any: FloatArray
    lone: FloatArray
    union_start: IntArray
    union_words: FloatArray
    union_least: FloatArray
    divisor: IntArray
    divisors: IntArray


class RunStack(NamedTuple):
    """Scratch: what is left, the next moves, the factors tried, and the run, by level."""

    quotient: IntArray
    move: FloatArray
    factor: IntArray
    run: FloatArray


class Bounds(NamedTuple):
    """Tables over the lattice, none above the truth.

    Attributes:
        head: float64[L, n], energy that stays inside a tile X_l, for levels below the pivot.
        tail: float64[L, n], energy outside a tile X_l; infinite where it does not fit.
        out: float64[L, n], the least tail of any tile that contains U_l.
        tail_cycles, out_cycles: float64[L, n].
        candidates: int64[L, n]; candidate_tail: float64[L, n]; candidate_count: int64[L]: tiles that fit, best tail first.
        reach: float64[T, L], most children that can share a word, by level.
        spread: float64[L], most children used.
    """

    head: FloatArray
    tail: FloatArray
    out: FloatArray
    tail_cycles: FloatArray
    out_cycles: FloatArray
    candidates: IntArray
    candidate_tail: FloatArray
    candidate_count: IntArray
    reach: FloatArray
    spread: FloatArray


class Aim(NamedTuple):
    """What is minimised: energy**a * cycles**b within limits."""

    energy_power: int
    cycles_power: int
    most_energy: float
    most_cycles: float


class State(NamedTuple):
    """Where a search stands, so that it can pause anywhere.

    Attributes:
        tile, union, spread: int64[L]: ids of X_l, U_l and the entry of S_l, as far as chosen.
        cursor: int64[steps, 2]; base: float64[steps, 2], energy and cycles without the tail.
        queue_bound: float64[m]; queue_entry: int64[m]; the spatial factors of the union at hand.
        register: int64[8]: next union, depth, queue length, nodes, mappings priced,
            tiles around the union.
        around: int64[n], the candidates at the pivot that contain the union at hand.
        around_tail: float64[n], their tails.
        best: float64[4]: value, energy, cycles, bound of the union at hand.
        best_tile, best_union, best_spread, best_order: int64[L].
        at, turns: int64[L], the order at hand and the set of its loops.
        folds: float64[L, pairs, 6], scratch of the leaves.
        scratch: float64[4, L, T].
    """

    tile: IntArray
    union: IntArray
    spread: IntArray
    cursor: IntArray
    base: FloatArray
    queue_bound: FloatArray
    queue_entry: IntArray
    register: IntArray
    around: IntArray
    around_tail: FloatArray
    best: FloatArray
    best_tile: IntArray
    best_union: IntArray
    best_spread: IntArray
    best_order: IntArray
    at: IntArray
    turns: IntArray
    folds: FloatArray
    scratch: FloatArray


class Net(NamedTuple):
    """Scratch for the network, by child and group, and the table `travel`.

    Attributes:
        any: whether any network costs energy.
        travel: float64[m, T], least energy of a word to every child, by spatial factors.
    """

    any: bool
    travel: FloatArray
    offset: IntArray
    place: IntArray
    size: IntArray
    far: IntArray
    rows: IntArray
    count: IntArray
    hops: IntArray
    state: FloatArray


UNION, DEPTH, QUEUED, NODES, PRICED, AROUND = 0, 1, 2, 3, 4, 5


@inlined
def value_of(aim: Aim, energy: float, cycles: float) -> float:
    """Return what is minimised; infinite outside the limits."""
    if energy > aim.most_energy or cycles > aim.most_cycles:
        return np.inf
    value = 1.0
    for _ in range(aim.energy_power):
        value *= energy
    for _ in range(aim.cycles_power):
        value *= cycles
    return value


@inlined
def divides(p: Problem, a: int, b: int) -> bool:
    """Return whether tile a divides tile b."""
    return ((p.packed[b] | p.guard) - p.packed[a]) & p.guard == p.guard


# -- lattice transforms


@compiled
def least_inside(values: FloatArray, strides: IntArray, lengths: IntArray) -> None:
    """Replace each value by the least of all tiles that divide its tile."""
    for axis in range(len(strides)):
        stride, length = strides[axis], lengths[axis]
        for first in range(0, len(values), stride * length):
            for i in range(first + stride, first + stride * length):
                values[i] = min(values[i], values[i - stride])


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
                values[i] = min(values[i], values[i + stride])


# -- sliding windows


@compiled
def slide(size: float, move: float, bound: int, run: FloatArray) -> None:
    """Carry the words delivered, in tiles, through one loop of a run along one axis.

    Args:
        size: side of the tile. move: how far the loop moves it.
        run: words, first move, sum of moves; updated.
    """
    new = 1.0
    if run[1] == 0.0:
        run[1] = move
        new = 1.0 - max(0.0, size - move) / size
    else:
        shift = move - run[2]
        if shift == 0.0:
            new = 0.0
        elif shift == run[1]:
            new = 1.0 - max(0.0, size - shift) / size
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
    size: float, first: FloatArray, second: FloatArray, levels: int, z: RunStack
) -> float:
    """Return the least words, in tiles, of any run of two dimensions over some levels.

    Args:
        size: side of the tile along the axis.
        first, second: what is left of a dimension outside, and how far its next loop moves.
        levels: over which both are spread, in every way and order.
        z: scratch.
    """
    best = np.inf
    z.quotient[0, 0], z.quotient[0, 1] = int(first[0]), int(second[0])
    z.move[0, 0], z.move[0, 1] = first[1], second[1]
    z.run[0, 0], z.run[0, 1], z.run[0, 2] = 1.0, 0.0, 0.0
    level = 0
    enter(z, 0, levels)
    while level >= 0:
        a, b, swap = z.factor[level, 0], z.factor[level, 1], z.factor[level, 2]
        pq, rq = z.quotient[level, 0], z.quotient[level, 1]
        if swap == BOTH:
            b = next_divisor(rq, b)
            if b == 0:
                a, b = next_divisor(pq, a), 1
            if a == 0:
                level -= 1
            else:
                z.factor[level, 0], z.factor[level, 1], z.factor[level, 2] = a, b, 0
            continue
        z.factor[level, 2] = BOTH if a == 1 or b == 1 else swap + 1
        for i in range(3):
            z.run[level + 1, i] = z.run[level, i]
        run = z.run[level + 1]
        if swap == 1 and b > 1:
            slide(size, z.move[level, 1], b, run)
        if a > 1:
            slide(size, z.move[level, 0], a, run)
        if swap == 0 and b > 1:
            slide(size, z.move[level, 1], b, run)
        if level == levels - 1:
            best = min(best, run[0])
            continue
        level += 1
        z.quotient[level, 0], z.quotient[level, 1] = pq // a, rq // b
        z.move[level, 0], z.move[level, 1] = z.move[level - 1, 0] * a, z.move[level - 1, 1] * b
        enter(z, level, levels)
    return best


@compiled
def enter(z: RunStack, level: int, levels: int) -> None:
    """Begin with the factors of a level; the last takes all that is left."""
    outermost = level == levels - 1
    z.factor[level, 0] = z.quotient[level, 0] if outermost else 1
    z.factor[level, 1] = z.quotient[level, 1] if outermost else 1
    z.factor[level, 2] = 0


@compiled
def loose_run(size: float, pq: int, rq: int, ps: float, rs: float) -> float:
    """Return a bound on the share of a full delivery, whatever stands between the loops."""
    least = 1.0
    for swap in range(2):
        quotient, other = (pq, rq) if swap == 0 else (rq, pq)
        move = ps if swap == 0 else rs
        credit = max(0.0, size - move) / size
        for bound in range(2, quotient + 1):
            if quotient % bound == 0:
                more = 1.0 if quotient * other > bound else 0.0
                least = min(least, 1.0 - credit * (1.0 - 1.0 / bound) - more / bound)
    return max(least, 0.0)


@inlined
def groups_along(first: int, second: int, first_move: float, second_move: float) -> float:
    """Return how many different places children take along an axis that two loops spread over."""
    a, b = int(first_move), int(second_move)
    while b:
        a, b = b, a % b
    x = int(second_move) // a
    y = int(first_move) // a
    return float(first * second - max(0, first - x) * max(0, second - y))


@entry
def fill_runs(
    p: Problem, runs: Runs, values: FloatArray, value_start: IntArray, levels: int, tight: bool
) -> None:
    """Fill the tables of sliding windows; values are the divisors of each dimension."""
    z = RunStack(
        np.ones((levels + 1, 2), np.int64), np.ones((levels + 1, 2)),
        np.ones((levels + 1, 3), np.int64), np.ones((levels + 2, 3)),
    )  # fmt: skip
    first = np.ones(2)
    second = np.ones(2)
    run = np.zeros(3)
    for s in range(len(runs.tensor)):
        t, d, e = runs.tensor[s], runs.first[s], runs.second[s]
        nd, ne = runs.divisors[d], runs.divisors[e]
        sd, se = p.step[t, d], p.step[t, e]
        vd, ve = values[value_start[d] :], values[value_start[e] :]
        for ud in range(nd):
            for ue in range(ne):
                here = runs.union_start[s] + ud * ne + ue
                pq, rq = int(vd[nd - 1] // vd[ud]), int(ve[ne - 1] // ve[ue])
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
                        runs.least[runs.start[s] + ((xd * ne + xe) * nd + ud) * ne + ue] = share
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
                        runs.least_any[anyhow] = min(runs.least_any[anyhow], share)
                        sides = size * groups_along(
                            int(vd[ud] // vd[xd]), int(ve[ue] // ve[xe]), sd * vd[xd], se * ve[xe]
                        )
                        runs.union_words[here] = min(runs.union_words[here], sides)
                        runs.union_least[here] = min(runs.union_least[here], sides * share)


@inlined
def share_left(p: Problem, runs: Runs, t: int, x: int, u: int) -> float:
    """Return the least share of a full delivery of tensor t for a tile x inside a union u."""
    least = 1.0
    for s in range(len(runs.tensor)):
        if runs.tensor[s] == t:
            d, e = runs.first[s], runs.second[s]
            nd, ne = runs.divisors[d], runs.divisors[e]
            here = (runs.divisor[x, d] * ne + runs.divisor[x, e]) * nd + runs.divisor[u, d]
            least = min(least, runs.least[runs.start[s] + here * ne + runs.divisor[u, e]])
    return least


@inlined
def share_anyhow(p: Problem, runs: Runs, t: int, x: int) -> float:
    """Return the least share of a full delivery of tensor t for a tile x, whatever its union."""
    least = 1.0
    for s in range(len(runs.tensor)):
        if runs.tensor[s] == t:
            here = runs.divisor[x, runs.first[s]] * runs.divisors[runs.second[s]]
            here += runs.divisor[x, runs.second[s]]
            least = min(least, runs.least_any[runs.any_start[s] + here])
    return least


@inlined
def union_words(p: Problem, runs: Runs, t: int, u: int) -> float:
    """Return the least words of tensor t that the children of a union are sent per visit."""
    words = 1.0
    for d in range(p.axis.shape[1]):
        if p.axis[t, d] >= 0 and not p.slides[t, d]:
            words *= p.extent[u, d]
    least = np.inf
    product = 1.0
    for s in range(len(runs.tensor)):
        if runs.tensor[s] != t:
            continue
        here = runs.union_start[s] + (
            runs.divisor[u, runs.first[s]] * runs.divisors[runs.second[s]]
            + runs.divisor[u, runs.second[s]]
        )
        least = min(least * runs.union_words[here], product * runs.union_least[here])
        product *= runs.union_words[here]
    return words * min(least, product)


@inlined
def deep_words(p: Problem, t: int, x: int) -> float:
    """Return the least words that any tiles inside tiles x receive, all visits together.

    A window may leave gaps, so that the tiles inside add up to less than the tile around them;
    and a whole axis may be credited. What remains is one word a visit along such an axis.
    """
    last = len(p.volume) - 1
    words = p.volume[last] / p.volume[x]
    most = 1.0
    for d in range(p.axis.shape[1]):
        if p.axis[t, d] >= 0 and not p.slides[t, d]:
            words *= p.extent[x, d]
        elif p.axis[t, d] >= 0:
            along = 1.0
            for e in range(p.axis.shape[1]):
                if p.axis[t, e] == p.axis[t, d]:
                    along *= p.extent[last, e] / p.extent[x, e]
            most = max(most, along)
    return words / most


@inlined
def groups(p: Problem, t: int, x: int, s: int) -> float:
    """Return how many different tiles of tensor t the children of spatial factors s hold."""
    total = 1.0
    for d in range(p.axis.shape[1]):
        if p.axis[t, d] < 0 or p.extent[s, d] == 1:
            continue
        if not p.slides[t, d]:
            total *= p.extent[s, d]
            continue
        partner = -1
        for e in range(p.axis.shape[1]):
            if e != d and p.axis[t, e] == p.axis[t, d] and p.extent[s, e] > 1:
                partner = e
        if partner < 0:
            total *= p.extent[s, d]
        elif partner > d:
            total *= groups_along(
                p.extent[s, d], p.extent[s, partner],
                p.step[t, d] * p.extent[x, d], p.step[t, partner] * p.extent[x, partner],
            )  # fmt: skip
    return total


@compiled
def most_shared(p: Problem, t: int, s: int) -> float:
    """Return the most children of spatial factors s that can share a word, whatever their tile."""
    groups_least = 1.0
    for d in range(p.axis.shape[1]):
        if p.axis[t, d] < 0 or p.extent[s, d] == 1:
            continue
        partner = -1
        for e in range(p.axis.shape[1]):
            if e != d and p.axis[t, e] == p.axis[t, d] and p.extent[s, e] > 1:
                partner = e
        if partner < 0:
            groups_least *= p.extent[s, d]
        elif partner > d:
            groups_least *= p.extent[s, d] + p.extent[s, partner] - 1
    return p.volume[s] / groups_least


# -- costs of one pair of levels, from below


@inlined
def pair_cost(
    p: Problem,
    t: int,
    inner: int,
    outer: int,
    filled: float,
    served: float,
    shared_inner: float,
    shared_outer: float,
) -> float:
    """Return the least energy of words between two levels.

    Args:
        filled, served: words over all instances, arriving at the inner and leaving the outer.
        shared_inner, shared_outer: most spatial reduction above each (results only).
    """  # fmt: skip
    output = t == p.axis.shape[0] - 1
    if not output:
        cost = p.word_read[outer, t] * served
        if inner >= 0:
            cost += p.word_fill[inner, t] * filled
        return cost
    whole = p.words[t, len(p.volume) - 1]
    cost = p.word_update[outer, t] * served
    if p.plain_output:
        cost += p.word_read[outer, t] * max(0.0, served - whole * shared_outer)
    if inner >= 0:
        if p.first_fill:
            cost += p.word_fill[inner, t] * filled
        elif p.plain_output:
            cost += p.word_fill[inner, t] * max(0.0, filled - whole * shared_inner)
    return cost


@inlined
def reach_above(p: Problem, b: Bounds, t: int, level: int) -> float:
    """Return the most spatial sharing of tensor t above a level."""
    most = 1.0
    for j in range(level + 1, len(p.block)):
        most *= b.reach[t, j]
    return most


@inlined
def reach_between(p: Problem, b: Bounds, t: int, inner: int, outer: int) -> float:
    """Return the most spatial sharing of tensor t at levels inner + 1 to outer."""
    most = 1.0
    for j in range(inner + 1, outer + 1):
        most *= b.reach[t, j]
    return most


@inlined
def full_words(p: Problem, t: int, x: int) -> float:
    """Return the words that arrive in tiles x when nothing is ever reused."""
    return p.words[t, x] * (p.volume[len(p.volume) - 1] / p.volume[x])


@inlined
def own_cost(
    p: Problem, k: Kept, b: Bounds, runs: Runs, level: int, x: int, saved: int, upto: int
) -> float:
    """Return the least energy of filling tiles x at a level from outside.

    Args:
        saved: tensors, as bits, that the innermost loop outside may leave in place.
        upto: levels up to which serving the words is counted too.
    """
    last = len(p.volume) - 1
    total = 0.0
    for t in range(p.axis.shape[0]):
        pair = k.above[t, level]
        if pair < 0:
            continue
        outer = k.outer[pair]
        filled = full_words(p, t, x)
        if level < p.pivot:
            filled *= share_anyhow(p, runs, t, x)
        else:
            filled *= share_left(p, runs, t, x, x)
        if saved >> t & 1:
            filled /= p.free[t, last - x]
        shared = reach_above(p, b, t, level)
        served = 0.0
        if outer <= upto:
            served = filled / reach_between(p, b, t, level, outer)
        total += pair_cost(p, t, level, outer, filled, served, shared, reach_above(p, b, t, outer))
    return total


@inlined
def fold(p: Problem, t: int, x: int, u: int, times: int, order: int, state: FloatArray) -> None:
    """Carry the words delivered to tiles x of tensor t through the loops of one level.

    Args:
        x: the tile. u: the union inside the level. times: the level's temporal factors.
        order: of its loops, an entry of p.orders.
        state: words, moved, axis and amount of the first move, sum of moves, still on one axis.
    """
    words = p.words[t, x]
    for i in range(p.orders.shape[1]):
        d = p.orders[order, i]
        if d < 0:
            break
        bound = p.extent[times, d]
        if bound == 1:
            continue
        along = p.axis[t, d]
        if along < 0:
            if state[1] > 0:
                state[0] *= bound
            continue
        move = p.step[t, d] * p.extent[u, d]
        if state[1] == 0:
            state[1], state[2], state[3], state[4] = 1.0, along, move, move
            state[5] = 1.0 if p.slides[t, d] else 0.0
            shift = move
        elif state[5] == 0 or state[2] != along:
            state[5] = 0.0
            state[0] *= bound
            continue
        else:
            shift = move - state[4]
            state[4] += move
        new = words
        if shift == 0.0:
            new = 0.0
        elif shift == state[3] and p.slides[t, d]:
            size = 1.0
            for e in range(p.axis.shape[1]):
                if p.axis[t, e] == along:
                    size += p.step[t, e] * (p.extent[x, e] - 1)
            new = words - words / size * max(0.0, size - shift)
        state[0] = bound * state[0] - (bound - 1) * (words - new)


@inlined
def turning(p: Problem, times: int) -> int:
    """Return the set of dimensions that turn in a factor, as bits."""
    bits = 0
    for d in range(p.axis.shape[1]):
        if p.extent[times, d] > 1:
            bits |= 1 << d
    return bits


@compiled
def outermost_cost(
    p: Problem,
    runs: Runs,
    x: int,
    price_: FloatArray,
    z: FloatArray,
    ways: FloatArray,
    cost: FloatArray,
) -> None:
    """Find the least energy and cycles between the outermost level and tiles x of the next.

    Args:
        p: the problem.
        runs: its sliding windows.
        x: a tile, alone below the outermost level.
        price_: float64[T + 1, 3], see `outermost_prices`.
        z: float64[T, 2], scratch: words that tiles x receive in full, and when all is free.
        ways: float64[sliders * 4], scratch.
        cost: float64[2], filled with energy and cycles, each by its best order.
    """
    top = len(p.block) - 1
    last = len(p.volume) - 1
    times = last - x
    mask = turning(p, times)
    for t in range(p.axis.shape[0]):
        z[t, 0] = p.words[t, x] * p.volume[times]
        z[t, 1] = z[t, 0] / p.free[t, times]
    for s in range(len(runs.tensor)):
        here = runs.any_start[s] + runs.divisor[x, runs.first[s]] * runs.divisors[runs.second[s]]
        for way in range(4):
            ways[4 * s + way] = runs.lone[way, here + runs.divisor[x, runs.second[s]]]
    cost[0] = cost[1] = np.inf
    tensors = p.axis.shape[0]
    for order in range(p.order_start[top, mask], p.order_start[top, mask + 1]):
        energy, reads, writes = price_[tensors, 0], price_[tensors, 1], 0.0
        for t in range(tensors):
            words = z[t, p.order_free[order, t]]
            if p.order_way[order, t] >= 0:
                words *= ways[p.order_way[order, t]]
            energy += price_[t, 0] * words
            reads += price_[t, 1] * words
            writes += price_[t, 2] * words
        cost[0] = min(cost[0], energy)
        cost[1] = min(cost[1], port_cycles(p, top, reads, writes))


@compiled
def outermost_prices(p: Problem, k: Kept, price_: FloatArray) -> None:
    """Fill in what a word between the two outermost levels costs.

    Args:
        p: the problem.
        k: what is kept.
        price_: float64[T + 1, 3], a row a tensor: energy, reads and writes of a word; the last
            row is what is counted off for the first visits to partial sums.
    """
    top = len(p.block) - 1
    output = p.axis.shape[0] - 1
    for t in range(output + 1):
        if k.above[t, top - 1] < 0:
            continue
        if t < output:
            price_[t, 0] = p.word_read[top, t] + p.word_fill[top - 1, t]
            price_[t, 1] = 1.0
            continue
        price_[t, 0] = p.word_update[top, t]
        price_[t, 2] = 1.0
        whole = p.words[t, len(p.volume) - 1]
        if p.plain_output:
            price_[t, 0] += p.word_read[top, t]
            price_[output + 1, 0] -= p.word_read[top, t] * whole
            price_[t, 1] = 1.0
            price_[output + 1, 1] = -whole
        if p.first_fill or p.plain_output:
            price_[t, 0] += p.word_fill[top - 1, t]
        if p.plain_output and not p.first_fill:
            price_[output + 1, 0] -= p.word_fill[top - 1, t] * whole


@inlined
def port_cycles(p: Problem, level: int, reads: float, writes: float) -> float:
    """Return the cycles that words of one instance need."""
    return max(
        reads * p.pace[level, 0],
        writes * p.pace[level, 1],
        (reads + writes) * p.pace[level, 2],
    )


# -- tables


@compiled
def fill_reach(p: Problem, b: Bounds) -> None:
    """Fill in how many children each level uses at most, and how many can share a word."""
    for level in range(len(p.block)):
        b.spread[level] = 1.0
        for t in range(p.axis.shape[0]):
            b.reach[t, level] = 1.0
        for i in range(p.spread_start[level], p.spread_start[level + 1]):
            s = p.spread_id[i]
            b.spread[level] = max(b.spread[level], p.volume[s])
            for t in range(p.axis.shape[0]):
                b.reach[t, level] = max(b.reach[t, level], most_shared(p, t, s))


@entry
def fill_bounds(
    p: Problem,
    k: Kept,
    b: Bounds,
    runs: Runs,
    strides: IntArray,
    lengths: IntArray,
    open_axis: BoolArray,
    flat_top: bool,
) -> None:
    """Fill the tables of what happens inside and outside each tile.

    Args:
        open_axis: bool[L, axes]: whether a level may take more of a prime.
        flat_top: whether the outermost level spreads nothing over space.
    """  # fmt: skip
    top = len(p.block) - 1
    last = len(p.volume) - 1
    n = last + 1
    cost = np.zeros(2)
    scratch = np.zeros((p.axis.shape[0], 2))
    ways = np.zeros(4 * len(runs.tensor) + 1)
    price_ = np.zeros((p.axis.shape[0] + 1, 3))
    outermost_prices(p, k, price_)
    fill_reach(p, b)
    for level in range(top + 1):
        for x in range(n):
            b.tail[level, x] = np.inf
            b.tail_cycles[level, x] = b.head[level, x] = 0.0
    b.tail[top, last] = 0.0
    for level in range(top, p.pivot - 1, -1):
        if level < top:
            for x in range(n):
                if not k.fit[level, x] or b.out[level + 1, x] == np.inf:
                    b.tail[level, x] = np.inf
                    continue
                if level == top - 1 and flat_top:
                    if not p.temporal_ok[top, last - x]:
                        b.tail[level, x] = np.inf
                        continue
                    outermost_cost(p, runs, x, price_, scratch, ways, cost)
                    b.tail[level, x] = cost[0]
                    b.tail_cycles[level, x] = cost[1]
                    continue
                least = np.inf
                for c in range(len(p.saved)):
                    least = min(least, own_cost(p, k, b, runs, level, x, p.saved[c], top))
                b.tail[level, x] = least + b.out[level + 1, x]
                b.tail_cycles[level, x] = b.out_cycles[level + 1, x]
        for x in range(n):
            b.out[level, x] = b.tail[level, x]
            b.out_cycles[level, x] = (
                b.tail_cycles[level, x] if b.tail[level, x] < np.inf else np.inf
            )
        least_outside(b.out[level], strides, lengths, open_axis[level])
        least_outside(b.out_cycles[level], strides, lengths, open_axis[level])
    for level in range(1, p.pivot):
        for x in range(n):
            if not k.fit[level - 1, x]:
                b.head[level, x] = np.inf
                continue
            least = np.inf
            for c in range(len(p.saved)):
                least = min(least, own_cost(p, k, b, runs, level - 1, x, p.saved[c], p.pivot - 1))
            b.head[level, x] = least + b.head[level - 1, x]
        least_inside(b.head[level], strides, lengths)


@entry
def bound_unions(
    p: Problem,
    k: Kept,
    b: Bounds,
    runs: Runs,
    aim: Aim,
    strides: IntArray,
    lengths: IntArray,
    bound: FloatArray,
) -> None:
    """Fill bound, float64[n], with the least value of any mapping whose union is each tile."""  # fmt: skip
    top = len(p.block) - 1
    last = len(p.volume) - 1
    n = last + 1
    pivot = p.pivot
    tensors = p.axis.shape[0]
    most = np.zeros(n)
    share = np.zeros((tensors, n))
    for i in range(p.spread_start[pivot], p.spread_start[pivot + 1]):
        s = p.spread_id[i]
        most[s] = min(most[s], -p.volume[s])
        for t in range(tensors):
            share[t, s] = min(share[t, s], -most_shared(p, t, s))
    least_inside(most, strides, lengths)
    for t in range(tensors):
        least_inside(share[t], strides, lengths)
    others = 1.0
    for j in range(top + 1):
        if j != pivot:
            others *= b.spread[j]
    inside = np.zeros((len(p.saved), n))
    for c in range(len(p.saved)):
        if pivot > 0:
            for x in range(n):
                inside[c, x] = np.inf
                if k.fit[pivot - 1, x]:
                    inside[c, x] = b.head[pivot - 1, x] + own_cost(
                        p, k, b, runs, pivot - 1, x, p.saved[c], pivot - 1
                    )
            least_inside(inside[c], strides, lengths)
    for u in range(n):
        bound[u] = np.inf
        if b.out[pivot, u] == np.inf or most[u] == 0.0:
            continue
        steps = p.volume[last] / (-most[u] * others)
        for c in range(len(p.saved)):
            energy = p.compute * p.volume[last] + b.out[pivot, u] + inside[c, u]
            energy += leakage(p, b, steps, -most[u])
            cycles = max(steps, b.out_cycles[pivot, u])
            for t in range(tensors):
                shared = -share[t, u]
                energy += multiplier_cost(p, k, b, t, shared)
                crossing = crossing_pair(p, k, t)
                if crossing < 0:
                    continue
                outer = k.outer[crossing]
                inner = k.inner[crossing]
                if inner < pivot - 1 and p.sliding[t]:
                    words = deep_words(p, t, u)
                else:
                    words = union_words(p, runs, t, u) * (p.volume[last] / p.volume[u])
                if p.saved[c] >> t & 1:
                    words /= p.free[t, last - u]
                words /= reach_between(p, b, t, pivot, outer)
                energy += pair_cost(
                    p, t, np.int64(-1), outer, 0.0, words, 1.0, reach_above(p, b, t, outer)
                )
            bound[u] = min(bound[u], value_of(aim, energy, cycles))


@inlined
def leakage(p: Problem, b: Bounds, steps: float, spread: float) -> float:
    """Return the least leakage when the pivot uses at most so many children."""
    total = 0.0
    least = p.volume[len(p.volume) - 1]
    for j in range(len(p.block)):
        least /= spread if j == p.pivot else b.spread[j]
        total += p.leak[j] * max(least, steps)
    return total


@inlined
def multiplier_cost(p: Problem, k: Kept, b: Bounds, t: int, shared: float) -> float:
    """Return the least energy of feeding the multipliers; shared is what the pivot shares."""
    macs = p.volume[len(p.volume) - 1]
    first = k.outer[multiplier_pair(k, t)]
    served = macs
    for j in range(first + 1):
        served /= shared if j == p.pivot else b.reach[t, j]
    above = 1.0
    for j in range(first + 1, len(p.block)):
        above *= shared if j == p.pivot else b.reach[t, j]
    return pair_cost(p, t, np.int64(-1), first, 0.0, served, 1.0, above)


@inlined
def multiplier_pair(k: Kept, t: int) -> int:
    """Return the pair between the multipliers and the innermost level that keeps tensor t."""
    for pair in range(len(k.tensor)):
        if k.tensor[pair] == t and k.inner[pair] < 0:
            return pair
    return -1


@inlined
def crossing_pair(p: Problem, k: Kept, t: int) -> int:
    """Return the pair of kept levels that tensor t crosses the pivot between, or -1."""
    for pair in range(len(k.tensor)):
        if k.tensor[pair] == t and 0 <= k.inner[pair] < p.pivot <= k.outer[pair]:
            return pair
    return -1


# -- the bound of a node


@compiled
def node_bound(
    p: Problem,
    k: Kept,
    b: Bounds,
    runs: Runs,
    aim: Aim,
    w: State,
    z: Net,
    low: int,
    high: int,
    end: int,
) -> tuple[float, float, float]:
    """Return the least value of any mapping that continues a chain, and its energy and cycles.

    Args:
        low: the innermost level whose tile is chosen; at -1 all spatial factors inside are too.
        high: the level whose union is `end`; its temporal factors are open.
        end: the outermost id of the chain.

    Returns:
        value, energy without what lies outside `end`, cycles without it: each the least.
    """
    top = len(p.block) - 1
    last = len(p.volume) - 1
    tensors = p.axis.shape[0]
    whole = p.volume[last]
    spread = 1.0
    for j in range(top + 1):
        known = low < j <= high
        for t in range(tensors):
            w.scratch[0, j, t] = b.reach[t, j]
        if known:
            s = p.spread_id[w.spread[j]]
            x = w.tile[j - 1] if j > 0 else 0
            for t in range(tensors):
                w.scratch[0, j, t] = p.volume[s] / groups(p, t, x, s)
            spread *= p.volume[s]
        else:
            spread *= b.spread[j]
    steps = whole / spread
    fixed = p.compute * whole
    if low >= 0:
        fixed += b.head[low, w.tile[low]] if low < p.pivot else 0.0
    least = whole
    for j in range(top + 1):
        known = low < j <= high
        least /= p.volume[p.spread_id[w.spread[j]]] if known else b.spread[j]
        fixed += p.leak[j] * max(least, steps)
    best_value = best_energy = best_cycles = np.inf
    outside = b.out[high, end]
    outside_cycles = b.out_cycles[high, end]
    for c in range(len(p.saved)):
        energy = fixed
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
            counted = inner if inner >= low and inner >= 0 else -1
            above_inner = 1.0
            for j in range(max(inner, 0) + 1, top + 1):
                above_inner *= w.scratch[0, j, t]
            energy += pair_cost(p, t, counted, outer, filled, served, above_inner, above)
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
            known = low < j <= high
            instances *= p.volume[p.spread_id[w.spread[j]]] if known else b.spread[j]
        value = value_of(aim, energy + outside, max(cycles, outside_cycles))
        best_value = min(best_value, value)
        best_energy = min(best_energy, energy)
        best_cycles = min(best_cycles, cycles)
    return best_value, best_energy, best_cycles


@compiled
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
def pending_words(
    p: Problem,
    runs: Runs,
    w: State,
    t: int,
    inner: int,
    deep: bool,
    high: int,
    end: int,
    saved: int,
) -> float:
    """Return the least words of tensor t that arrive in the tiles of level `inner`.

    Args:
        deep: the words arrive in tiles still to be chosen inside those of `inner`.
    """  # fmt: skip
    last = len(p.volume) - 1
    x = w.tile[inner]
    if deep and p.sliding[t]:
        words = deep_words(p, t, x)
    else:
        words = full_words(p, t, x)
        if inner < p.pivot - 1:
            words *= share_anyhow(p, runs, t, x)
        else:
            words *= share_left(p, runs, t, x, x if inner >= p.pivot else w.union[p.pivot])
    for j in range(inner + 1, high):
        times = w.tile[j] - w.union[j]
        words /= p.free[t, times]
        if p.volume[times] > p.free[t, times]:
            return words
    if saved >> t & 1:
        words /= p.free[t, last - end]
    return words


# -- the network


@compiled
def scatter(p: Problem, t: int, level: int, entry_: int, x: int, z: Net) -> int:
    """Count the groups of children that share a word, and twice the hops to each, by group size.

    Children are numbered through the loops of X, then of Y, and stand packed row by row; see
    `cosearch.loopnest.network`.

    Args:
        p: the problem.
        t: a tensor.
        level: the parents'.
        entry_: spatial factors and their split.
        x: the children's tile.
        z: its count and hops are filled, by size.

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
        for d in range(dims):
            if p.axis[t, d] < 0 or z.offset[d] < 0:
                continue
            along = np.int64(0)
            for e in range(d, dims):
                if p.axis[t, e] == p.axis[t, d]:
                    along += z.offset[e] * int(p.step[t, e]) * p.extent[x, e]
                    if e > d:
                        z.offset[e] = -1
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
        z.count[size] = z.hops[size] = 0
    for group in range(found):
        hops = 2 * z.far[group]
        for column in range(width):
            if z.rows[group, column, 1] >= 0:
                hops += max(0, middle - 2 * z.rows[group, column, 0])
                hops += max(0, 2 * z.rows[group, column, 1] - middle)
        z.count[z.size[group]] += 1
        z.hops[z.size[group]] += hops
    return found


@compiled
def slides_apart(p: Problem, t: int, s: int) -> bool:
    """Return whether two dimensions of one axis are spread, so that tiles may coincide."""
    for d in range(p.axis.shape[1]):
        for e in range(d):
            if p.axis[t, d] >= 0 and p.axis[t, d] == p.axis[t, e]:
                if p.extent[s, d] > 1 and p.extent[s, e] > 1:
                    return True
    return False


@entry
def fill_travel(p: Problem, z: Net) -> None:
    """Fill z.travel, float64[m, T]: the network's least energy for a word to every child."""
    for level in range(len(p.block)):
        if p.hop[level] == 0 and p.router[level] == 0:
            continue
        for i in range(p.spread_start[level], p.spread_start[level + 1]):
            for t in range(p.axis.shape[0]):
                if slides_apart(p, t, p.spread_id[i]):
                    continue
                scatter(p, t, level, i, np.int64(0), z)
                for size in range(1, int(p.volume[p.spread_id[i]]) + 1):
                    if z.count[size] > 0:
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
            scatter(p, t, level, w.spread[level], w.tile[level - 1] if level > 0 else 0, z)
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
    for i in range(1, 6):
        z.state[i] = 0.0
    for j in range(level, len(p.block)):
        fold(p, t, x, w.union[j], w.tile[j] - w.union[j], at[j], z.state)
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
        if z.count[size] == 0:
            continue
        sent = words * z.count[size] * ratio
        if home >= 0:
            sent = 2.0 * sent - home
        far = words * z.hops[size] / 2 if fanout > 1 else 0.0
        hops += far
        if sent > 0:
            routed = np.floor(routed + (1.0 + np.floor(far / sent)) * sent)
    return hops * p.hop[level] + routed * p.router[level]


# -- leaves


@compiled
def settle(p: Problem, k: Kept, aim: Aim, w: State, z: Net) -> None:
    """Price every order class of a finished chain; keep the best."""
    top = len(p.block) - 1
    last = len(p.volume) - 1
    tensors = p.axis.shape[0]
    for j in range(top + 1):
        x = w.tile[j - 1] if j > 0 else 0
        for t in range(tensors):
            w.scratch[0, j, t] = groups(p, t, x, p.spread_id[w.spread[j]])
    output = tensors - 1
    w.scratch[3, top, 0] = p.words[output, last]
    for j in range(top - 1, -1, -1):
        tile = p.words[output, w.tile[j]]
        spread = p.words[output, w.union[j + 1]]
        if p.volume[p.spread_id[w.spread[j + 1]]] == 1:
            spread = tile
        w.scratch[3, j, 0] = np.floor(w.scratch[3, j + 1, 0] * tile / spread)
    for pair in range(len(k.tensor)):
        if k.inner[pair] >= 0:
            level = k.inner[pair]
            for i in range(1, 6):
                w.folds[level, pair, i] = 0.0
            w.folds[level, pair, 0] = p.words[k.tensor[pair], w.tile[level]]
    at, start = w.at, w.turns
    for j in range(1, top + 1):
        mask = turning(p, w.tile[j] - w.union[j])
        at[j] = p.order_start[j, mask]
        start[j] = mask
    level = 1
    while level >= 1:
        if at[level] == p.order_start[level, start[level] + 1]:
            at[level] = p.order_start[level, start[level]]
            level -= 1
            if level >= 1:
                at[level] += 1
            continue
        for pair in range(len(k.tensor)):
            if 0 <= k.inner[pair] < level:
                t = k.tensor[pair]
                for i in range(6):
                    w.folds[level, pair, i] = w.folds[level - 1, pair, i]
                fold(
                    p, t, w.tile[k.inner[pair]], w.union[level],
                    w.tile[level] - w.union[level], at[level], w.folds[level, pair],
                )  # fmt: skip
        if level < top:
            level += 1
            continue
        price(p, k, aim, w, z, at)
        w.register[PRICED] += 1
        at[level] += 1


@inlined
def blocks(count: float, size: float) -> float:
    """Return how many blocks hold so many words."""
    return np.ceil(count / size)


@compiled
def price(p: Problem, k: Kept, aim: Aim, w: State, z: Net, at: IntArray) -> None:
    """Price one complete mapping exactly and keep it when it is the best."""
    top = len(p.block) - 1
    last = len(p.volume) - 1
    tensors = p.axis.shape[0]
    used = 1.0
    for j in range(top + 1):
        used *= p.volume[p.spread_id[w.spread[j]]]
    steps = p.volume[last] / used
    cycles = steps
    instances = 1.0
    for j in range(top, -1, -1):
        reading = writing = energy = 0.0
        for t in range(tensors):
            if not k.keep[j, t]:
                continue
            pair = k.below[t, j]
            served = steps if k.inner[pair] < 0 else w.folds[top, pair, 0]
            for i in range(max(k.inner[pair], -1) + 1, j + 1):
                served *= w.scratch[0, i, t]
            filled = w.folds[top, k.above[t, j], 0] if k.above[t, j] >= 0 else 0.0
            reads, updates = served, 0.0
            if t == tensors - 1:
                updates = served
                reads = served - w.scratch[3, j, 0]
                if k.above[t, j] >= 0 and not p.first_fill:
                    filled -= w.scratch[3, j, 0]
            reading += reads / steps
            writing += (filled + updates) / steps
            energy += instances * (
                blocks(reads, p.block[j]) * p.read[j, t]
                + blocks(filled, p.block[j]) * p.fill[j, t]
                + blocks(updates, p.block[j]) * p.update[j, t]
            )
        w.scratch[1, j, 0] = energy
        speed = 1.0
        if p.bandwidth[j, 0] < reading:
            speed = min(speed, p.bandwidth[j, 0] / reading)
        if p.bandwidth[j, 1] < writing:
            speed = min(speed, p.bandwidth[j, 1] / writing)
        if p.bandwidth[j, 2] < reading + writing:
            speed = min(speed, p.bandwidth[j, 2] / (reading + writing))
        cycles = max(cycles, np.ceil(steps / speed))
        instances *= p.volume[p.spread_id[w.spread[j]]]
    total = p.volume[last] * p.compute
    for j in range(top + 1):
        below = 1.0
        for i in range(j + 1, top + 1):
            below *= p.volume[p.spread_id[w.spread[i]]]
        total += w.scratch[1, j, 0] + p.leak[j] * cycles * below
    value = value_of(aim, total, cycles)
    if z.any and value < w.best[0]:
        total += network(p, k, w, at, steps, z)
        value = value_of(aim, total, cycles)
    if value < w.best[0]:
        w.best[0], w.best[1], w.best[2] = value, total, cycles
        for j in range(top + 1):
            w.best_tile[j] = w.tile[j]
            w.best_union[j] = w.union[j]
            w.best_spread[j] = w.spread[j]
            w.best_order[j] = (
                at[j] if j > 0 else p.order_start[0, turning(p, w.tile[0] - w.union[0])]
            )


# -- the tree


@inlined
def mesh_allows(p: Problem, w: State, low: int, high: int) -> bool:
    """Return whether the spatial factors chosen at levels low to high fit the meshes below."""
    x = y = 1
    for j in range(high, low - 1, -1):
        x *= p.spread_used[w.spread[j], 0]
        y *= p.spread_used[w.spread[j], 1]
        if x > p.mesh[j, 0] or y > p.mesh[j, 1]:
            return False
    for j in range(low - 1, -1, -1):
        if x > p.mesh[j, 0] or y > p.mesh[j, 1]:
            return False
    return True


@compiled
def open_union(
    p: Problem, k: Kept, b: Bounds, runs: Runs, aim: Aim, w: State, z: Net, u: int
) -> None:
    """Queue the spatial factors of a union at the pivot, best bound first."""
    w.union[p.pivot] = u
    count = 0
    threshold = w.best[0] * (1.0 - MARGIN)
    for i in range(p.spread_start[p.pivot], p.spread_start[p.pivot + 1]):
        s = p.spread_id[i]
        if p.pivot == 0:
            if s != u:
                continue
        elif not divides(p, s, u) or not k.fit[p.pivot - 1, u - s]:
            continue
        w.spread[p.pivot] = i
        if p.pivot > 0:
            w.tile[p.pivot - 1] = u - s
        low = p.pivot - 1
        value, _, _ = node_bound(p, k, b, runs, aim, w, z, low, p.pivot, u)
        w.register[NODES] += 1
        if value < threshold:
            w.queue_bound[count] = value
            w.queue_entry[count] = i
            count += 1
    sort_queue(w, count)
    w.register[QUEUED] = count
    if count > 0 and p.pivot < len(p.block) - 1:
        gather_around(p, b, w)


@compiled
def sort_queue(w: State, count: int) -> None:
    """Sort the queue by bound: an insertion sort, for it is short."""
    for i in range(1, count):
        bound, entry_ = w.queue_bound[i], w.queue_entry[i]
        j = i - 1
        while j >= 0 and w.queue_bound[j] > bound:
            w.queue_bound[j + 1], w.queue_entry[j + 1] = w.queue_bound[j], w.queue_entry[j]
            j -= 1
        w.queue_bound[j + 1], w.queue_entry[j + 1] = bound, entry_


@compiled
def next_inside(p: Problem, x: int, around: int) -> int:
    """Return the tile after x among those that divide a tile, or -1 after the last."""
    for axis in range(len(p.strides)):
        stride, length = p.strides[axis], p.lengths[axis]
        digit = (x // stride) % length
        if digit < (around // stride) % length:
            return x + stride
        x -= digit * stride
    return -1


@compiled
def next_candidate(
    p: Problem,
    b: Bounds,
    aim: Aim,
    w: State,
    level: int,
    start: int,
    energy: float,
    cycles: float,
    threshold: float,
) -> int:
    """Return the place of the next tile around the union that may beat the best, or -1.

    Args:
        p: the problem.
        b: its tables.
        aim: what is minimized.
        w: holds the union.
        level: whose tile is sought.
        start: where to begin among the candidates.
        energy: of all that lies inside the tile.
        cycles: likewise.
        threshold: what a value has to stay below.
    """  # fmt: skip
    if level == p.pivot:
        for i in range(start, w.register[AROUND]):
            least = energy + w.around_tail[i]
            if value_of(aim, least, cycles) >= threshold:
                return -1
            if value_of(aim, least, max(cycles, b.tail_cycles[level, w.around[i]])) < threshold:
                return i
        return -1
    for i in range(start, b.candidate_count[level]):
        least = energy + b.candidate_tail[level, i]
        if value_of(aim, least, cycles) >= threshold:
            return -1
        x = b.candidates[level, i]
        if not divides(p, w.union[level], x) or not p.temporal_ok[level, x - w.union[level]]:
            continue
        if value_of(aim, least, max(cycles, b.tail_cycles[level, x])) < threshold:
            return i
    return -1


@compiled
def gather_around(p: Problem, b: Bounds, w: State) -> None:
    """List the candidates that contain the union at hand, best tail first."""
    level = p.pivot
    u = w.union[level]
    inside, guard = p.packed[u], p.guard
    count = 0
    for i in range(b.candidate_count[level]):
        x = b.candidates[level, i]
        if ((p.packed[x] | guard) - inside) & guard == guard and p.temporal_ok[level, x - u]:
            w.around[count] = x
            w.around_tail[count] = b.candidate_tail[level, i]
            count += 1
    w.register[AROUND] = count


@entry
def search(
    p: Problem,
    k: Kept,
    b: Bounds,
    runs: Runs,
    aim: Aim,
    w: State,
    z: Net,
    unions: IntArray,
    bound: FloatArray,
    quota: int,
) -> int:
    """Search until the best is proven or a quota of steps is spent.

    Args:
        unions: int64[m], ids of the pivot's unions, best bound first.
        bound: float64[n].
        quota: nodes and leaves to visit before pausing.

    Returns:
        DONE or PAUSED; call again to go on.
    """  # fmt: skip
    top = len(p.block) - 1
    last = len(p.volume) - 1
    pivot = p.pivot
    inner_steps = pivot  # steps 1 .. pivot choose what lies inside, the last one S_0
    outer_steps = top - pivot
    depth = w.register[DEPTH]
    spent = 0
    while True:
        spent += 1
        if spent > quota:
            w.register[DEPTH] = depth
            return PAUSED
        threshold = w.best[0] * (1.0 - MARGIN)
        if depth < 0:
            i = w.register[UNION]
            if i >= len(unions) or bound[unions[i]] >= threshold:
                w.best[3] = np.inf
                w.register[DEPTH] = depth
                return DONE
            w.best[3] = bound[unions[i]]
            w.register[UNION] = i + 1
            open_union(p, k, b, runs, aim, w, z, unions[i])
            spent += w.register[QUEUED] + (len(w.queue_bound) + len(w.around)) // LOOKS
            depth = 0
            w.cursor[0, 0] = 0
            continue
        if depth == 0:
            i = w.cursor[0, 0]
            if i >= w.register[QUEUED] or w.queue_bound[i] >= threshold:
                depth = -1
                continue
            w.cursor[0, 0] = i + 1
            w.spread[pivot] = w.queue_entry[i]
            if pivot > 0:
                w.tile[pivot - 1] = w.union[pivot] - p.spread_id[w.queue_entry[i]]
            if not mesh_allows(p, w, pivot, pivot):
                continue
            value, energy, cycles = node_bound(
                p, k, b, runs, aim, w, z, pivot - 1, pivot, w.union[pivot]
            )
            w.base[0, 0], w.base[0, 1] = energy, cycles
            depth = 1
            w.cursor[1, 0] = 0
            w.cursor[1, 1] = 0
            continue
        if depth <= inner_steps:
            # choose X_(l-1) and S_l inside X_l, l = pivot - depth
            level = pivot - depth
            inside = level - 1
            x, j = w.cursor[depth, 0], w.cursor[depth, 1]
            if x < 0:
                depth -= 1
                continue
            first, end = p.spread_start[level], p.spread_start[level + 1]
            if first + j >= end or (level > 0 and not k.fit[inside, x]):
                w.cursor[depth, 0] = next_inside(p, x, w.tile[level]) if level > 0 else -1
                w.cursor[depth, 1] = 0
                continue
            w.cursor[depth, 1] = j + 1
            s = p.spread_id[first + j]
            room = w.tile[level] - x
            if not divides(p, s, room) or not p.temporal_ok[level, room - s]:
                continue
            w.spread[level] = first + j
            w.union[level] = x + s
            if level > 0:
                w.tile[inside] = x
            if not mesh_allows(p, w, level, pivot):
                continue
            w.register[NODES] += 1
            value, energy, cycles = node_bound(
                p, k, b, runs, aim, w, z, inside, pivot, w.union[pivot]
            )
            if value >= threshold:
                continue
            w.base[depth, 0], w.base[depth, 1] = energy, cycles
            depth += 1
            w.cursor[depth, 0] = 0
            w.cursor[depth, 1] = 0
            continue
        # choose X_l outside U_l and S_(l+1), l = pivot + depth - inner_steps - 1
        level = pivot + depth - inner_steps - 1
        if level == top:
            w.tile[top] = last
            if p.temporal_ok[top, last - w.union[top]]:
                spent -= w.register[PRICED]
                settle(p, k, aim, w, z)
                spent += w.register[PRICED]
            depth -= 1
            continue
        i, j = w.cursor[depth, 0], w.cursor[depth, 1]
        energy, cycles = w.base[depth - 1, 0], w.base[depth - 1, 1]
        first, end = p.spread_start[level + 1], p.spread_start[level + 2]
        if first + j >= end:
            i, j = i + 1, 0
        if j == 0:
            i = next_candidate(p, b, aim, w, level, i, energy, cycles, threshold)
        if i < 0:
            depth -= 1
            continue
        x = w.around[i] if level == pivot else b.candidates[level, i]
        w.cursor[depth, 0] = i
        w.cursor[depth, 1] = j + 1
        s = p.spread_id[first + j]
        if not divides(p, s, last - x):
            continue
        w.tile[level] = x
        w.spread[level + 1] = first + j
        w.union[level + 1] = x + s
        if not mesh_allows(p, w, np.int64(0), level + 1):
            continue
        w.register[NODES] += 1
        value, energy, cycles = node_bound(
            p, k, b, runs, aim, w, z, np.int64(-1), level + 1, w.union[level + 1]
        )
        if value >= threshold:
            continue
        w.base[depth, 0], w.base[depth, 1] = energy, cycles
        depth += 1
        w.cursor[depth, 0] = 0
        w.cursor[depth, 1] = 0
