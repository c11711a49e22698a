"""The tables of one choice of what each level keeps, made before it is searched."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from attrs import frozen

from cosearch.loopnest.exact import arrays
from cosearch.loopnest.exact.entries import compiled
from cosearch.loopnest.exact.lattice import Lattice
from cosearch.loopnest.exact.problem import Problem
from cosearch.typing import BoolArray, FloatArray, IntArray


@frozen(eq=False)
class Branch:
    """The search under one choice of what each level keeps."""

    keep: BoolArray
    kept: arrays.Kept
    bounds: arrays.Bounds
    runs: arrays.Runs
    unions: IntArray
    bound: FloatArray

    @property
    def least(self) -> float:
        """No mapping of this branch is better."""
        return float(self.bound[self.unions[0]]) if len(self.unions) else np.inf


PIECE = 100_000
"""Terms that compiled tables are filled by at once: a few milliseconds, between two looks."""

Look = Callable[[], None]
"""Called between two pieces of work; it raises where there is no time for the next."""


def pieces(count: int, terms: int, look: Look) -> Iterator[tuple[int, int]]:
    """Yield (first, end) over a count of things of so many terms each, looking before each."""
    each = max(1, PIECE // max(1, terms))
    for first in range(0, count, each):
        look()
        yield first, min(first + each, count)


def window_tables(p: Problem, kept: arrays.Kept, look: Look) -> arrays.Runs:
    """Return the tables of sliding windows."""
    values = [np.unique(p.extent[:, d]) for d in range(p.extent.shape[1])]
    counts = np.array([len(v) for v in values], dtype=np.int64)
    table = p.sliders
    pairs = np.array([counts[d] * counts[e] for _, d, e in table], dtype=np.int64)
    runs = arrays.Runs(
        tensor=np.ascontiguousarray(table[:, 0]),
        first=np.ascontiguousarray(table[:, 1]),
        second=np.ascontiguousarray(table[:, 2]),
        start=np.concatenate([[0], np.cumsum(pairs**2)]).astype(np.int64),
        least=np.ones(int((pairs**2).sum())),
        any_start=np.concatenate([[0], np.cumsum(pairs)]).astype(np.int64),
        least_any=np.ones(int(pairs.sum())),
        lone=np.ones((4, int(pairs.sum()))),
        union_start=np.concatenate([[0], np.cumsum(pairs)]).astype(np.int64),
        union_words=np.zeros(int(pairs.sum())),
        union_least=np.zeros(int(pairs.sum())),
        divisor=np.stack(
            [np.searchsorted(v, p.extent[:, d]) for d, v in enumerate(values)], axis=1
        ).astype(np.int64),
        divisors=counts,
    )
    if len(table):
        top = len(p.block) - 1
        flat = all(_flat(p, level) for level in range(p.pivot + 1, top + 1))
        shallow = not any(
            kept.keep[level, t] for t in range(p.axis.shape[0]) if p.sliding[t]
            for level in range(p.pivot - 1)
        )  # fmt: skip
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        for s, (_, d, e) in enumerate(table):
            terms = int(counts[d] * counts[e] ** 2) * (8 if flat and shallow else 1)
            for first, end in pieces(int(counts[d]), terms, look):
                compiled.fill_runs(
                    p, runs, np.concatenate(values).astype(np.float64), starts,
                    top - p.pivot + 1, flat and shallow, s, first, end,
                )  # fmt: skip
    return runs


def _flat(p: Problem, level: int) -> bool:
    entries = p.spread_id[p.spread_start[level] : p.spread_start[level + 1]]
    return bool((entries == 0).all())


def bound_tables(
    p: Problem, lattice: Lattice, kept: arrays.Kept, runs: arrays.Runs, look: Look
) -> arrays.Bounds:
    """Return the tables of what happens inside and outside each tile."""
    levels, n = p.temporal_ok.shape
    tensors = p.axis.shape[0]
    b = arrays.Bounds(
        head=np.zeros((levels, n)), tail=np.zeros((levels, n)), out=np.zeros((levels, n)),
        tail_all=np.zeros((levels, n)), out_all=np.zeros((levels, n)),
        tail_cycles=np.zeros((levels, n)), out_cycles=np.zeros((levels, n)),
        tail_spread=np.ones((levels, n)), out_spread=np.ones((levels, n)),
        candidates=np.zeros((levels, n), dtype=np.int64),
        candidate_tail=np.zeros((levels, n)),
        candidate_count=np.zeros(levels, dtype=np.int64),
        reach=np.ones((tensors, levels)), spread=np.ones(levels),
    )  # fmt: skip
    open_axis = np.ones((levels, len(lattice.strides)), dtype=bool)
    for level in range(levels):
        entries = np.unique(p.spread_id[p.spread_start[level] : p.spread_start[level + 1]])
        for axis, d in enumerate(lattice.axis_dim):
            able = bool((p.extent[p.temporal_ok[level], d] > 1).any())
            open_axis[level, axis] = able or bool((p.extent[entries, d] > 1).any())
    compiled.open_bounds(p, b)
    classes = len(p.saved)
    for level in range(levels - 1, p.pivot - 1, -1):
        if level < levels - 1:
            spreads = int(p.spread_start[level + 2] - p.spread_start[level + 1])
            for first, end in pieces(n, 3 * classes * spreads, look):
                compiled.fill_tails(p, kept, b, runs, level, first, end, _flat(p, levels - 1))
        compiled.close_level(p, b, level, open_axis[level])
    for level in range(1, p.pivot):
        for first, end in pieces(n, 3 * classes, look):
            compiled.fill_heads(p, kept, b, runs, level, first, end)
        compiled.least_inside(b.head[level], p.strides, p.lengths)
    for level in range(p.pivot, levels):
        good = np.flatnonzero(b.tail[level] < np.inf)
        good = good[np.argsort(b.tail_all[level, good], kind="stable")]
        b.candidates[level, : len(good)] = good
        b.candidate_tail[level, : len(good)] = b.tail_all[level, good]
        b.candidate_count[level] = len(good)
    return b


def union_bounds(
    p: Problem, kept: arrays.Kept, bounds: arrays.Bounds, runs: arrays.Runs, aim: arrays.Aim,
    look: Look,
) -> FloatArray:  # fmt: skip
    """Return float64[n]: no mapping whose union at the pivot is a tile has a smaller value."""
    n, classes, tensors = len(p.packed), len(p.saved), p.axis.shape[0]
    share = np.empty((tensors + 1, n))
    inside = np.empty((classes, n))
    bound = np.empty(n)
    compiled.fill_shares(p, share)
    for first, end in pieces(n, 3 * classes, look):
        compiled.fill_insides(p, kept, bounds, runs, inside, first, end)
    if p.pivot > 0:
        for of_class in inside:
            compiled.least_inside(of_class, p.strides, p.lengths)
    for first, end in pieces(n, 5 * classes, look):
        compiled.bound_unions(p, kept, bounds, runs, aim, share, inside, bound, first, end)
    return bound


def kept_of(keep: BoolArray, fit: BoolArray) -> arrays.Kept:
    """Return what follows from a choice: the pairs of levels each tensor moves between."""
    levels, tensors = keep.shape
    pairs: list[tuple[int, int, int]] = []
    below = np.full((tensors, levels), -1, dtype=np.int64)
    above = np.full((tensors, levels), -1, dtype=np.int64)
    for t in range(tensors):
        inner = -1
        for level in range(levels):
            if keep[level, t]:
                below[t, level] = len(pairs)
                if inner >= 0:
                    above[t, inner] = len(pairs)
                pairs.append((t, inner, level))
                inner = level
    table = np.array(pairs, dtype=np.int64)
    return arrays.Kept(
        keep, fit, np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1]),
        np.ascontiguousarray(table[:, 2]), below, above,
        ~keep[-2] if levels > 1 else np.zeros(tensors, dtype=bool),
    )  # fmt: skip


def new_state(p: Problem, branch: Branch) -> arrays.State:
    """Return the start of a search."""
    levels = len(p.block)
    queue = int(p.spread_start[p.pivot + 1] - p.spread_start[p.pivot])
    register = np.zeros(8, dtype=np.int64)
    register[arrays.DEPTH] = -1
    best = np.array([np.inf, np.inf, np.inf, branch.least])
    ids = [np.zeros(levels, dtype=np.int64) for _ in range(9)]
    return arrays.State(
        ids[0], ids[1], ids[2], np.zeros((2 * levels + 8, 2), dtype=np.int64),
        np.zeros((2 * levels + 8, 3)), np.zeros(queue), np.zeros(queue, dtype=np.int64), register,
        np.zeros(len(p.packed), dtype=np.int64), np.zeros(len(p.packed)),
        best, ids[3], ids[4], ids[5], ids[6], ids[7], ids[8],
        np.zeros((levels, len(branch.kept.tensor), 6)),
        np.zeros((4, levels, max(3, p.axis.shape[0]))),
    )  # fmt: skip


def new_net(p: Problem, look: Look) -> arrays.Net:
    """Return the networks' table and scratch for the widest; a token when none costs."""
    costs = bool((p.hop != 0).any() or (p.router != 0).any())
    children = int(p.spread_used.prod(axis=1).max()) if costs else 1
    width = int(max(p.fan[:, 0].max(), p.spread_used[:, 0].max())) if costs else 1
    count = [np.zeros(children + 1, dtype=np.int64) for _ in range(5)]
    net = arrays.Net(
        costs,
        np.zeros((len(p.spread_id), p.axis.shape[0])),
        np.zeros(p.axis.shape[1], dtype=np.int64),
        count[0], count[1], count[2], np.zeros((children + 1, width, 2), dtype=np.int64),
        count[3], count[4], np.zeros(6),
    )  # fmt: skip
    for level in np.flatnonzero((p.hop != 0) | (p.router != 0)):
        start = int(p.spread_start[level])
        for first, end in pieces(int(p.spread_start[level + 1]) - start, children**2 // 4, look):
            compiled.fill_travel(p, net, int(level), start + first, start + end)
    return net
