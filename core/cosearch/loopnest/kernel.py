"""The compiled kernel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

W = 256

X, Y, TIME = 0, 1, 2
NEVER, ALWAYS, MAYBE = 0, 1, 2
PLAIN, SLIDING, TANGLED = 0, 1, 2
INSTANCES, SPREAD_X, SPREAD_Y, CAPACITY = 0, 1, 2, 3

_jit = njit(error_model="numpy", nogil=True, cache=True)


class Lanes(NamedTuple):
    factors: np.ndarray  # f64[3L, D, W]
    orders: np.ndarray  # i64[L, W]
    keeps: np.ndarray  # f64[L, T, W]
    row: np.ndarray  # i64[W]


class Work(NamedTuple):
    extent: np.ndarray  # f64[L, D, W]
    step: np.ndarray  # f64[L, D, W]
    x: np.ndarray  # f64[L, W]
    y: np.ndarray
    outside: np.ndarray  # f64[L, W] all temporal loops outside level
    instances: np.ndarray  # f64[L, W]
    part: np.ndarray  # [L, W]
    turning: np.ndarray  # i64 [L, W]
    revisits: np.ndarray
    tile: np.ndarray
    received: np.ndarray
    home: np.ndarray
    groups: np.ndarray
    ticks: np.ndarray  # [D, W]
    pj: np.ndarray
    network: np.ndarray
    reads: np.ndarray
    writes: np.ndarray
    lane: np.ndarray  # f64[16, W]
    lane_int: np.ndarray  # i64[4, W]
    energy: np.ndarray
    cycles: np.ndarray
    reason: np.ndarray
    excess: np.ndarray


def lanes(levels: int, dims: int, tensors: int) -> Lanes:
    return Lanes(
        np.ones((3 * levels, dims, W)),
        np.zeros((levels, W), dtype=np.int64),
        np.zeros((levels, tensors, W)),
        np.zeros(W, dtype=np.int64),
    )


def work(levels: int, dims: int) -> Work:
    def f(*shape: int) -> np.ndarray:
        return np.zeros((*shape, W))

    return Work(
        f(levels, dims), f(levels, dims), f(levels), f(levels), f(levels), f(levels), f(levels),
        np.zeros((levels, W), dtype=np.int64), f(levels), f(levels), f(levels), f(levels),
        f(levels), f(dims), f(levels), f(levels), f(levels), f(levels), f(16),
        np.zeros((4, W), dtype=np.int64), f(), f(), np.zeros(W, dtype=np.int64), f(),
    )


# -- geometry


@_jit
def extents(spread, factors, extent, step, m):
    levels, dims = len(spread), factors.shape[1]
    for d in range(dims):
        for level in range(levels):
            if level == 0:
                for j in range(m):
                    step[level, d, j] = 1.0
            else:
                for j in range(m):
                    step[level, d, j] = extent[level - 1, d, j]
            if spread[level]:
                for j in range(m):
                    step[level, d, j] *= factors[3 * level, d, j] * factors[3 * level + 1, d, j]
            for j in range(m):
                extent[level, d, j] = step[level, d, j] * factors[3 * level + 2, d, j]


@_jit
def spreads(spread, factors, x, y, m):
    dims = factors.shape[1]
    for level in range(len(spread)):
        for j in range(m):
            x[level, j] = 1.0
            y[level, j] = 1.0
        if spread[level]:
            for d in range(dims):
                for j in range(m):
                    x[level, j] *= factors[3 * level, d, j]
                    y[level, j] *= factors[3 * level + 1, d, j]


@_jit
def axis_side(pack, axis, extent, level, out, k, m):
    """Side of one axis into out[k]."""
    first, last = pack.term_start[axis], pack.term_start[axis + 1]
    d = pack.term_dim[first]
    c = pack.term_coefficient[first]
    if last == first + 1 and c == 1.0:
        for j in range(m):
            out[k, j] = extent[level, d, j]
    else:
        for j in range(m):
            out[k, j] = 1.0 + c * (extent[level, d, j] - 1.0)
        for term in range(first + 1, last):
            d = pack.term_dim[term]
            c = pack.term_coefficient[term]
            for j in range(m):
                out[k, j] += c * (extent[level, d, j] - 1.0)


@_jit
def tile_words(pack, t, extent, level, out, k, side, m):
    """Words of a tile into out[k]; side is scratch[1, W]."""
    for j in range(m):
        out[k, j] = 1.0
    for axis in range(pack.axis_start[t], pack.axis_start[t + 1]):
        axis_side(pack, axis, extent, level, side, 0, m)
        for j in range(m):
            out[k, j] *= side[0, j]


# -- validity


@_jit
def check(pack, modes, spread, source, w, m):
    """Reason (0: feasible) and excess of each lane."""
    extents(spread, source.factors, w.extent, w.step, m)
    spreads(spread, source.factors, w.x, w.y, m)
    used = w.lane[0]
    for j in range(m):
        w.reason[j] = 0
        w.excess[j] = 1.0
    for c in range(len(pack.check_kind)):
        kind, place, limit = pack.check_kind[c], pack.check_place[c], pack.check_limit[c]
        some = False
        if kind == CAPACITY:
            for j in range(m):
                used[j] = 0.0
            for t in range(len(pack.shape)):
                if pack.check_tensors[c, t] and modes[place, t] != NEVER:
                    some = True
                    tile_words(pack, t, w.extent, place, w.lane, 1, w.lane[2:3], m)
                    for j in range(m):
                        used[j] += w.lane[1, j] * source.keeps[place, t, j]
        else:
            for j in range(m):
                used[j] = 1.0
            for level in range(place + 1, len(spread)):
                if spread[level]:
                    some = True
                    if kind != SPREAD_Y:
                        for j in range(m):
                            used[j] *= w.x[level, j]
                    if kind != SPREAD_X:
                        for j in range(m):
                            used[j] *= w.y[level, j]
        if some:
            for j in range(m):
                broken = used[j] > limit and w.reason[j] == 0
                w.reason[j] = c + 1 if broken else w.reason[j]
                w.excess[j] = used[j] / limit if broken else w.excess[j]


# -- prices


@_jit
def same_order(orders, level, m):
    first = orders[level, 0]
    same = True
    for j in range(m):
        same = same and orders[level, j] == first
    return same


@_jit
def totals(spread, factors, w, m):
    """Temporal loops outside each level, used instances of each level."""
    levels, dims = len(spread), factors.shape[1]
    spreads(spread, factors, w.x, w.y, m)
    for j in range(m):
        w.outside[levels - 1, j] = 1.0
        w.instances[levels - 1, j] = 1.0
    for level in range(levels - 1, 0, -1):
        for j in range(m):
            w.outside[level - 1, j] = w.outside[level, j]
            w.instances[level - 1, j] = w.instances[level, j] * (w.x[level, j] * w.y[level, j])
        for d in range(dims):
            for j in range(m):
                w.outside[level - 1, j] *= factors[3 * level + 2, d, j]


@_jit
def turning_part(pack, t, factors, orders, level, w, m):
    """Product of a level's loops from the innermost that moves the tensor outward, 1 if none.

    And which relevant dimensions turn, as bits.
    """
    dims = factors.shape[1]
    slot = 3 * level + 2
    for j in range(m):
        w.part[level, j] = 1.0
        w.turning[level, j] = 0
    for d in range(dims):
        if pack.relevant[t, d]:
            bit = 1 << d
            for j in range(m):
                w.part[level, j] *= factors[slot, d, j]
                w.turning[level, j] |= bit if factors[slot, d, j] > 1.0 else 0
    for d in range(dims):
        if not pack.relevant[t, d]:
            for j in range(m):
                inside = (orders[level, j] >> (8 * d)) & w.turning[level, j]
                w.part[level, j] *= factors[slot, d, j] if inside != 0 else 1.0


@_jit
def revisits(w, levels, m):
    for j in range(m):
        w.revisits[levels - 1, j] = 1.0
    for level in range(levels - 2, -1, -1):
        for j in range(m):
            part = w.part[level + 1, j]
            w.revisits[level, j] = (
                part * w.outside[level + 1, j] if part > 1.0 else w.revisits[level + 1, j]
            )


@_jit
def ticks_of(factors, orders, level, d, w, m):
    """How often a level's loop over d ticks, into w.ticks[d]: (b - 1) * all loops outside it."""
    dims = factors.shape[1]
    slot = 3 * level + 2
    for j in range(m):
        w.ticks[d, j] = (factors[slot, d, j] - 1.0) * w.outside[level, j]
    for e in range(dims):
        if e != d:
            bit = 8 * d + e
            for j in range(m):
                inside = (orders[level, j] >> bit) & 1
                w.ticks[d, j] *= 1.0 if inside != 0 else factors[slot, e, j]


@_jit
def slide(pack, t, factors, orders, w, m):
    """Take from w.received what sliding windows leave in place."""
    levels = len(pack.block)
    state, gone, first, credit = w.lane_int[0], w.lane[3], w.lane[4], w.lane[5]
    for child in range(levels - 1):
        for j in range(m):
            state[j] = 0
            gone[j] = 0.0
            first[j] = 0.0
            credit[j] = 0.0
        for level in range(child + 1, levels):
            for axis in range(pack.axis_start[t], pack.axis_start[t + 1]):
                if pack.term_start[axis + 1] - pack.term_start[axis] == 2:
                    for side in range(2):
                        slide_dim(pack, t, axis, side, child, level, factors, orders, w, m)
            if level + 1 < levels:
                slide_on(pack, t, level, orders, w, m)
        for j in range(m):
            w.received[child, j] -= credit[j]


@_jit
def slide_dim(pack, t, axis, side, child, level, factors, orders, w, m):
    state, gone, first, credit = w.lane_int[0], w.lane[3], w.lane[4], w.lane[5]
    start = pack.term_start[axis]
    d, o = pack.term_dim[start + side], pack.term_dim[start + 1 - side]
    cd, co = pack.term_coefficient[start + side], pack.term_coefficient[start + 1 - side]
    ticks_of(factors, orders, level, d, w, m)
    axis_side(pack, axis, w.extent, child, w.lane, 6, m)
    obit = 1 << o
    others = 255 & ~obit
    for j in range(m):
        inside = (orders[level, j] >> (8 * d)) & w.turning[level, j]
        partner = (inside & obit) != 0
        open_ = (inside & others) == 0 and (state[j] == 0 or state[j] == axis + 1)
        move = cd * w.step[level, d, j]
        other = co * w.step[level, o, j] if partner else 0.0
        before = gone[j] + other
        lead = first[j] if state[j] != 0 else (other if partner else move)
        shift = move - before
        size = w.lane[6, j]
        stay = w.tile[child, j] / size * max(0.0, size - lead)
        back = w.tile[child, j] if shift == 0.0 else (stay if shift == lead else 0.0)
        credit[j] += w.ticks[d, j] * back if open_ else 0.0


@_jit
def slide_on(pack, t, level, orders, w, m):
    """Carry the state of the walk past a level."""
    state, gone, first = w.lane_int[0], w.lane[3], w.lane[4]
    new_state, new_gone, new_first = w.lane_int[1], w.lane[7], w.lane[8]
    for j in range(m):
        stays = w.turning[level, j] == 0
        new_state[j] = state[j] if stays else -1
        new_gone[j] = gone[j]
        new_first[j] = first[j]
    for axis in range(pack.axis_start[t], pack.axis_start[t + 1]):
        start = pack.term_start[axis]
        if pack.term_start[axis + 1] - start == 2:
            p, r = pack.term_dim[start], pack.term_dim[start + 1]
            cp, cr = pack.term_coefficient[start], pack.term_coefficient[start + 1]
            pbit, rbit = 1 << p, 1 << r
            others = 255 & ~(pbit | rbit)
            for j in range(m):
                turning = w.turning[level, j]
                along = (turning & others) == 0 and turning != 0 and (
                    state[j] == 0 or state[j] == axis + 1
                )
                p_turns, r_turns = (turning & pbit) != 0, (turning & rbit) != 0
                sp = cp * w.step[level, p, j] if p_turns else 0.0
                sr = cr * w.step[level, r, j] if r_turns else 0.0
                r_inside = (orders[level, j] >> (8 * p)) & rbit != 0
                lead = sr if (r_turns and (r_inside or not p_turns)) else sp
                new_state[j] = axis + 1 if along else new_state[j]
                new_gone[j] = gone[j] + sp + sr if along else new_gone[j]
                new_first[j] = lead if along and state[j] == 0 else new_first[j]
    for j in range(m):
        state[j] = new_state[j]
        gone[j] = new_gone[j]
        first[j] = new_first[j]


@_jit
def count_groups(pack, t, spread, factors, w, m):
    """Groups of children whose tiles coincide, per level."""
    levels, dims = len(spread), factors.shape[1]
    for level in range(levels):
        for j in range(m):
            w.groups[level, j] = 1.0
        if not spread[level]:
            continue
        for d in range(dims):
            if pack.relevant[t, d]:
                for j in range(m):
                    w.groups[level, j] *= factors[3 * level, d, j] * factors[3 * level + 1, d, j]
        if pack.shape[t] == SLIDING:
            for axis in range(pack.axis_start[t], pack.axis_start[t + 1]):
                if pack.term_start[axis + 1] - pack.term_start[axis] == 2:
                    coinciding(pack, axis, level, factors, w, m)


@_jit
def coinciding(pack, axis, level, factors, w, m):
    """Correct the groups for two dimensions of one axis spread over the same children.

    Of the a*b places i*u + j*v, those with a predecessor (i - v/g, j + u/g) are met twice.
    """
    start = pack.term_start[axis]
    p, r = pack.term_dim[start], pack.term_dim[start + 1]
    cp, cr = pack.term_coefficient[start], pack.term_coefficient[start + 1]
    for j in range(m):
        a = factors[3 * level, p, j] * factors[3 * level + 1, p, j]
        b = factors[3 * level, r, j] * factors[3 * level + 1, r, j]
        if a > 1.0 and b > 1.0:
            u = cp * (w.step[level, p, j] / a)
            v = cr * (w.step[level, r, j] / b)
            g, h = u, v
            while h != 0.0:
                g, h = h, g % h
            twice = max(0.0, a - v / g) * max(0.0, b - u / g)
            w.groups[level, j] = w.groups[level, j] / (a * b) * (a * b - twice)


@_jit
def homes(pack, t, factors, w, m):
    """Words of the output that one instance of a level is home to."""
    levels, dims = len(pack.block), factors.shape[1]
    for level in range(levels):
        for j in range(m):
            w.home[level, j] = w.tile[level, j]
        for outer in range(level + 1, levels):
            for d in range(dims):
                if pack.relevant[t, d]:
                    for j in range(m):
                        w.home[level, j] *= factors[3 * outer + 2, d, j]


@_jit
def price_tensor(pack, modes, spread, source, t, w, m):
    """One outward pass."""
    factors = source.factors
    levels, tensors = len(spread), len(pack.shape)
    output = t == tensors - 1
    for level in range(1, levels):
        turning_part(pack, t, factors, source.orders, level, w, m)
    revisits(w, levels, m)
    for level in range(levels):
        tile_words(pack, t, w.extent, level, w.tile, level, w.lane[2:3], m)
        for j in range(m):
            w.received[level, j] = w.tile[level, j] * w.revisits[level, j]
    if pack.shape[t] == SLIDING:
        slide(pack, t, factors, source.orders, w, m)
    if output:
        homes(pack, t, factors, w, m)
    count_groups(pack, t, spread, factors, w, m)
    served = w.lane[9]
    for level in range(levels):
        if level == 0:
            for j in range(m):
                served[j] = w.groups[0, j] * w.lane[10, j]
        elif modes[level - 1, t] == ALWAYS:
            for j in range(m):
                served[j] = w.groups[level, j] * w.received[level - 1, j]
        else:
            for j in range(m):
                kept = source.keeps[level - 1, t, j] != 0.0
                served[j] = w.groups[level, j] * (w.received[level - 1, j] if kept else served[j])
        if modes[level, t] != NEVER:
            account(pack, source.keeps, output, t, level, w, m)
        if pack.hop_pj[level] != 0.0 or pack.router_pj[level] != 0.0:
            travel(pack, source, output, t, level, w, m)


@_jit
def account(pack, keeps, output, t, level, w, m):
    """Counts and energy of one tensor at one level."""
    served, reads, fills, updates = w.lane[9], w.lane[11], w.lane[12], w.lane[13]
    outermost = level == len(pack.block) - 1
    for j in range(m):
        home = w.home[level, j] if output else 0.0
        reads[j] = served[j] - home
        updates[j] = served[j] if output else 0.0
        missing = home if not pack.first_fill_is_counted else 0.0
        fills[j] = 0.0 if outermost else w.received[level, j] - missing
    for j in range(m):
        w.reads[level, j] += reads[j] / w.lane[10, j] * keeps[level, t, j]
        w.writes[level, j] += (fills[j] + updates[j]) / w.lane[10, j] * keeps[level, t, j]
    block = pack.block[level]
    if block != 1.0:
        for j in range(m):
            reads[j] = np.ceil(reads[j] / block)
            fills[j] = np.ceil(fills[j] / block)
            updates[j] = np.ceil(updates[j] / block)
    er, ef, eu = pack.read_pj[level, t], pack.fill_pj[level, t], pack.update_pj[level, t]
    for j in range(m):
        pj = w.instances[level, j] * (reads[j] * er + fills[j] * ef + updates[j] * eu)
        w.pj[level, j] += pj * keeps[level, t, j]


@_jit
def price(pack, modes, spread, source, w, m):
    """Energy and cycles of valid lanes."""
    levels, tensors, dims = len(spread), len(pack.shape), source.factors.shape[1]
    extents(spread, source.factors, w.extent, w.step, m)
    totals(spread, source.factors, w, m)
    steps = w.lane[10]
    for j in range(m):
        steps[j] = w.outside[0, j]
    for d in range(dims):
        for j in range(m):
            steps[j] *= source.factors[2, d, j]
    for level in range(levels):
        for j in range(m):
            w.pj[level, j] = 0.0
            w.network[level, j] = 0.0
            w.reads[level, j] = 0.0
            w.writes[level, j] = 0.0
    for t in range(tensors):
        price_tensor(pack, modes, spread, source, t, w, m)
    finish(pack, w, m)


@_jit
def finish(pack, w, m):
    levels = len(pack.block)
    steps = w.lane[10]
    for j in range(m):
        w.cycles[j] = steps[j]
    for level in range(levels):
        read, write, shared = pack.bandwidth[level]
        if read != np.inf or write != np.inf or shared != np.inf:
            for j in range(m):
                speed = 1.0
                demand = w.reads[level, j]
                speed = min(speed, read / demand) if read < demand else speed
                demand = w.writes[level, j]
                speed = min(speed, write / demand) if write < demand else speed
                demand = w.reads[level, j] + w.writes[level, j]
                speed = min(speed, shared / demand) if shared < demand else speed
                w.cycles[j] = max(w.cycles[j], np.ceil(steps[j] / speed))
    for j in range(m):
        macs = w.instances[0, j] * (w.x[0, j] * w.y[0, j])
        w.energy[j] = steps[j] * macs * pack.compute_pj
    for level in range(levels):
        leak = pack.leak_pj[level]
        for j in range(m):
            leakage = leak * w.cycles[j] * w.instances[level, j]
            w.energy[j] += w.pj[level, j] + leakage
            w.energy[j] += w.network[level, j]


# -- networks


@_jit
def travel(pack, source, output, t, level, w, m):
    factors = source.factors
    dims = factors.shape[1]
    for j in range(m):
        x, y = int(w.x[level, j]), int(w.y[level, j])
        children = x * y
        width = max(pack.fanout_x[level], x)
        height = max(pack.fanout_y[level], y)
        ids = np.empty(children, dtype=np.int64)
        group_ids(pack, t, level, factors, w, j, ids)
        order = np.argsort(ids, kind="mergesort")
        low = np.full(width, -1, dtype=np.int64)
        high = np.full(width, -1, dtype=np.int64)
        size_groups = np.zeros(children + 1)
        size_hops = np.zeros(children + 1)
        i = 0
        while i < children:
            k = i
            far = 0
            low[:] = -1
            while k < children and ids[order[k]] == ids[order[i]]:
                row, column = divmod(order[k], width)
                far = max(far, column)
                if low[column] < 0:
                    low[column] = row
                high[column] = row
                k += 1
            hops = 2 * far
            middle = height - 1
            for column in range(far + 1):
                if low[column] >= 0:
                    hops += max(0, middle - 2 * low[column]) + max(0, 2 * high[column] - middle)
            size_groups[k - i] += 1.0
            size_hops[k - i] += hops
            i = k
        direct = level == 0 or source.keeps[level - 1, t, j] != 0.0
        words = w.lane[10, j] if level == 0 else w.received[level - 1, j]
        total = 0.0
        routed = 0.0
        each = w.lane[9, j] / w.groups[level, j]
        for size in range(children + 1):
            if size_groups[size] > 0.0:
                hops2 = size_hops[size] * words
                sent = size_groups[size] * each
                if output and pack.is_dram[level]:
                    sent = 2.0 * sent - w.home[level, j]
                total += hops2
                if sent != 0.0:
                    routed += (1.0 + np.floor(hops2 / (2.0 * sent))) * sent
        if children == 1:
            total = 0.0
        w.network[level, j] += w.instances[level, j] * (
            total / 2.0 * pack.hop_pj[level] + routed * pack.router_pj[level]
        )
        _ = direct
    _ = dims


@_jit
def group_ids(pack, t, level, factors, w, j, ids):
    """Number the place of each child's tile: equal numbers, equal places."""
    dims = factors.shape[1]
    ids[:] = 0
    for axis in range(pack.axis_start[t], pack.axis_start[t + 1]):
        place = np.zeros(len(ids), dtype=np.int64)
        for term in range(pack.term_start[axis], pack.term_start[axis + 1]):
            d = pack.term_dim[term]
            inside = 1
            for slot in (3 * level, 3 * level + 1):
                for e in range(d):
                    inside *= int(factors[slot, e, j])
                bound = int(factors[slot, d, j])
                step = int(w.step[level, d, j])
                both = int(factors[3 * level, d, j]) * int(factors[3 * level + 1, d, j])
                step //= both
                if slot != 3 * level:
                    step *= int(factors[3 * level, d, j])
                move = int(pack.term_coefficient[term]) * step
                if bound > 1:
                    for i in range(len(ids)):
                        place[i] += (i // inside) % bound * move
                inside *= bound
                for e in range(d + 1, dims):
                    inside *= int(factors[slot, e, j])
        top = place.max() + 1
        for i in range(len(ids)):
            ids[i] = ids[i] * top + place[i]


# -- batches


class Decoder(NamedTuple):
    factor_dim: np.ndarray
    factor_first: np.ndarray
    table_start: np.ndarray
    choices: np.ndarray
    slot_start: np.ndarray
    slots: np.ndarray
    table: np.ndarray
    base: np.ndarray
    order_column: np.ndarray
    order_start: np.ndarray
    order_words: np.ndarray
    keep_column: np.ndarray
    modes: np.ndarray
    spread: np.ndarray


@_jit
def decode(dec, rows, start, m, out):
    for f in range(len(dec.factor_dim)):
        d = dec.factor_dim[f]
        begin = dec.slot_start[f]
        for i in range(begin, dec.slot_start[f + 1]):
            slot = dec.slots[i]
            offset = dec.table_start[f] + (i - begin) * dec.choices[f]
            if dec.factor_first[f]:
                base = dec.base[slot, d]
                for j in range(m):
                    out.factors[slot, d, j] = base * dec.table[offset + rows[start + j, f]]
            else:
                for j in range(m):
                    out.factors[slot, d, j] *= dec.table[offset + rows[start + j, f]]
    for level in range(len(dec.spread)):
        column, offset = dec.order_column[level], dec.order_start[level]
        if column >= 0:
            for j in range(m):
                out.orders[level, j] = dec.order_words[offset + rows[start + j, column]]
        else:
            for j in range(m):
                out.orders[level, j] = dec.order_words[offset]
        for t in range(dec.modes.shape[1]):
            column = dec.keep_column[level, t]
            if column >= 0:
                for j in range(m):
                    out.keeps[level, t, j] = rows[start + j, column]
            else:
                for j in range(m):
                    out.keeps[level, t, j] = 1.0 if dec.modes[level, t] == ALWAYS else 0.0
    for j in range(m):
        out.row[j] = start + j


@_jit
def copy_in(nests, start, m, out):
    levels, dims = nests.temporal.shape[0], nests.temporal.shape[1]
    for level in range(levels):
        for d in range(dims):
            for j in range(m):
                out.factors[3 * level, d, j] = nests.spatial_x[level, d, start + j]
                out.factors[3 * level + 1, d, j] = nests.spatial_y[level, d, start + j]
                out.factors[3 * level + 2, d, j] = nests.temporal[level, d, start + j]
        for t in range(nests.keep.shape[1]):
            for j in range(m):
                out.keeps[level, t, j] = 1.0 if nests.keep[level, t, start + j] else 0.0
        for j in range(m):
            out.orders[level, j] = nests.order[level, start + j]
    for j in range(m):
        out.row[j] = start + j


@_jit
def append(source, m, first, fill, w, out):
    """Copy valid lanes from first on behind those in out; returns (next lane, new fill)."""
    j = first
    while j < m and fill < W:
        if w.reason[j] == 0:
            for k in range(source.factors.shape[0]):
                for d in range(source.factors.shape[1]):
                    out.factors[k, d, fill] = source.factors[k, d, j]
            for level in range(source.orders.shape[0]):
                out.orders[level, fill] = source.orders[level, j]
                for t in range(source.keeps.shape[1]):
                    out.keeps[level, t, fill] = source.keeps[level, t, j]
            out.row[fill] = source.row[j]
            fill += 1
        j += 1
    return j, fill


class Prices(NamedTuple):
    energy: np.ndarray
    cycles: np.ndarray
    reason: np.ndarray
    excess: np.ndarray


@_jit
def flush(pack, modes, spread, source, w, m, out):
    price(pack, modes, spread, source, w, m)
    for j in range(m):
        out.energy[source.row[j]] = w.energy[j]
        out.cycles[source.row[j]] = w.cycles[j]


@_jit
def settle(pack, modes, spread, source, m, valid, fill, w, out):
    """Check a chunk, write verdicts, price it when enough valid lanes have gathered."""
    check(pack, modes, spread, source, w, m)
    bad = 0
    for j in range(m):
        bad += w.reason[j] != 0
    for j in range(m):
        out.reason[source.row[j]] = w.reason[j]
        out.excess[source.row[j]] = w.excess[j]
        out.energy[source.row[j]] = np.inf
        out.cycles[source.row[j]] = np.inf
    if bad == 0:
        flush(pack, modes, spread, source, w, m, out)
        return fill
    j = 0
    while j < m:
        j, fill = append(source, m, j, fill, w, valid)
        if fill == W:
            flush(pack, modes, spread, valid, w, fill, out)
            fill = 0
            check(pack, modes, spread, source, w, m)
    return fill


@_jit
def price_rows(pack, dec, rows, begin, end, source, valid, w, out):
    fill = 0
    for start in range(begin, end, W):
        m = min(W, end - start)
        decode(dec, rows, start, m, source)
        fill = settle(pack, dec.modes, dec.spread, source, m, valid, fill, w, out)
    flush(pack, dec.modes, dec.spread, valid, w, fill, out)


@_jit
def price_nests(pack, nests, modes, spread, begin, end, source, valid, w, out):
    fill = 0
    for start in range(begin, end, W):
        m = min(W, end - start)
        copy_in(nests, start, m, source)
        fill = settle(pack, modes, spread, source, m, valid, fill, w, out)
    flush(pack, modes, spread, valid, w, fill, out)
