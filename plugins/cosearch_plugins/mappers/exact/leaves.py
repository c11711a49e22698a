"""Leaves of the search: a finished chain of tiles, priced exactly in every class of orders."""

from __future__ import annotations

import numpy as np

from cosearch.compiling.functions import compiled
from cosearch.typing import IntArray
from cosearch_plugins.mappers.exact.arrays import PRICED, Aim, Kept, Net, State
from cosearch_plugins.mappers.exact.problem import Problem
from cosearch_plugins.mappers.exact.tiles import blocks, groups, places_apart, turning, value_of
from cosearch_plugins.mappers.exact.travel import network
from cosearch_plugins.mappers.exact.words import carry


@compiled
def settle(p: Problem, k: Kept, aim: Aim, w: State, z: Net) -> None:  # noqa: C901 - one walk, calls are dear here
    """Price every order class of a finished chain; keep the best."""
    top = len(p.block) - 1
    last = len(p.volume) - 1
    tensors = p.axis.shape[0]
    for j in range(top + 1):
        x = w.tile[j - 1] if j > 0 else 0
        for t in range(tensors):
            s = p.spread_id[w.spread[j]]
            w.scratch[0, j, t] = places_apart(p, t, x, s) if p.odd[t] else groups(p, t, x, s)
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
            for i in range(1, w.folds.shape[2]):
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
                for i in range(w.folds.shape[2]):
                    w.folds[level, pair, i] = w.folds[level - 1, pair, i]
                carry(
                    p,
                    t,
                    w.tile[k.inner[pair]],
                    w.union[level],
                    w.tile[level] - w.union[level],
                    at[level],
                    w.folds[level, pair],
                )
        if level < top:
            level += 1
            continue
        price(p, k, aim, w, z, at)
        w.register[PRICED] += 1
        at[level] += 1


@compiled
def price(p: Problem, k: Kept, aim: Aim, w: State, z: Net, at: IntArray) -> None:  # noqa: C901 - one walk, calls are dear here
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
        reading, writing, energy = p.demand[j, 0] / steps, p.demand[j, 1] / steps, 0.0
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
                reads = served - w.scratch[3, j, 0] / p.visits
                if k.above[t, j] >= 0 and not p.first_fill:
                    filled -= w.scratch[3, j, 0] / p.visits
            reading += reads / steps
            writing += (filled + updates) / steps
            energy += instances * (
                blocks(reads, p.bodies, p.block[j]) * p.read[j, t]
                + blocks(filled, p.bodies, p.block[j]) * p.fill[j, t]
                + blocks(updates, p.bodies, p.block[j]) * p.update[j, t]
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
