"""The tables of a problem, each made once for all choices of what is kept that agree on it.

What happens outside a tile at the pivot does not depend on what the levels inside it keep, and
the other way round: of 64 choices on three levels, 8 differ outside and 8 inside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from attrs import define, field

from cosearch.lately import Lately
from cosearch.typing import BoolArray, FloatArray, IntArray
from cosearch_plugins.mappers.exact import arrays, tables, tiles, unions, windows
from cosearch_plugins.mappers.exact.lattice import Lattice
from cosearch_plugins.mappers.exact.problem import SHARED_TILES, Problem

PIECE = 100_000
"""Terms that compiled tables are filled by at once: a few milliseconds, between two looks."""

MOST_REMEMBERED = 16
"""Choices outside, and inside, whose tables are held at once (a hundred bytes a tile and level)."""

MEMO = 1 << 16
"""Spatial factors of unions that are remembered, a hundred bytes each, once they were met."""

Look = Callable[[], None]
"""Called between two pieces of work; it raises where there is no time for the next."""


def pieces(count: int, terms: int, look: Look) -> Iterator[tuple[int, int]]:
    """Yield (first, end) over a count of things of so many terms each, looking before each."""
    each = max(1, PIECE // max(1, terms))
    for first in range(0, count, each):
        look()
        yield first, min(first + each, count)


class Tables(NamedTuple):
    """All that a choice of what is kept decides.

    Attributes:
        runs: the sliding windows.
        bounds: what happens outside and inside each tile.
        energy: float64[classes, n], the least of any mapping by its union at the pivot, by class.
        cycles: float64[n], likewise.
        memo: what searches found of unions.
    """

    runs: arrays.Runs
    bounds: arrays.Bounds
    energy: FloatArray
    cycles: FloatArray
    memo: arrays.Memo


class Inside(NamedTuple):
    """What happens inside tiles below the pivot.

    Attributes:
        head: see `arrays.Bounds`.
        least: float64[classes, n], the least energy inside each union, by class.
    """

    head: FloatArray
    least: FloatArray


_WINDOWS: Lately[tuple[Lattice, int, bool], arrays.Runs] = Lately(64)
"""Of the last layers, by their lattice, which designs of a study have in common."""


def _few() -> Lately[bytes, Any]:
    return Lately(MOST_REMEMBERED)


@define
class SharedTables:
    """Makes and remembers the tables of one problem; nothing in them depends on the aim."""

    problem: Problem
    lattice: Lattice
    _share: FloatArray | None = field(init=False, default=None)
    _open_axis: BoolArray | None = field(init=False, default=None)
    _runs: dict[bool, arrays.Runs] = field(init=False, factory=dict)
    _outside: Lately[bytes, arrays.Bounds] = field(init=False, factory=_few)
    _inside: Lately[bytes, Inside] = field(init=False, factory=_few)
    _tables: Lately[bytes, Tables] = field(init=False, factory=_few)

    def of(self, kept: arrays.Kept, look: Look) -> tuple[arrays.Runs, arrays.Bounds, FloatArray]:
        """Return the tables of a choice: windows, bounds, and the least energy inside unions."""
        problem, pivot = self.problem, self.problem.pivot
        tight = self._runs_stay_together(kept)
        if tight not in self._runs:
            self._runs[tight] = self._windows(tight, look)
        runs, mark = self._runs[tight], bytes([tight])
        outside = kept.keep[max(0, min(pivot, len(problem.leak) - 2)) :]
        outer = mark + outside.tobytes() + kept.room.tobytes()
        bounds = self._outside.get(outer, lambda: self._tails(kept, runs, look))
        inner = mark + kept.keep[:pivot].tobytes()
        inside = self._inside.get(inner, lambda: self._heads(kept, bounds, runs, look))
        return runs, bounds.replace(head=inside.head), inside.least

    def tables(self, kept: arrays.Kept, look: Look) -> Tables:
        """Return all tables of a choice."""
        return self._tables.get(kept.keep.tobytes(), lambda: self._made(kept, look))

    def union_bounds(self, kept: arrays.Kept, aim: arrays.Aim, look: Look) -> FloatArray:
        """Return float64[n]: no mapping whose union at the pivot is a tile has a smaller value."""
        known = self.tables(kept, look)
        bound = np.empty(len(known.cycles))
        unions.value_unions(aim, known.energy, known.cycles, bound)
        return bound

    def _made(self, kept: arrays.Kept, look: Look) -> Tables:
        problem = self.problem
        runs, bounds, inside = self.of(kept, look)
        if self._share is None:
            self._share = np.empty(len(problem.packed))
            unions.fill_shares(problem, self._share)
        feed = np.empty((2, len(problem.packed)))
        energy, cycles = np.empty_like(inside), np.empty(len(problem.packed))
        unions.fill_feeds(problem, kept, bounds, feed)
        for first, end in pieces(len(cycles), 5 * len(problem.saved), look):
            unions.bound_unions(
                problem, kept, bounds, runs, self._share, feed, inside, energy, cycles, first, end
            )
        return Tables(runs, bounds, energy, cycles, _new_memo(problem))

    def _windows(self, tight: bool, look: Look) -> arrays.Runs:
        """Return the tables of sliding windows, which machines of as many levels share."""
        problem, lattice = self.problem, self.lattice
        key = (lattice, len(problem.leak) - problem.pivot, tight)
        known = _WINDOWS.find(key)
        if known is None:
            known = _window_tables(problem, tight, look)
            if len(lattice) <= SHARED_TILES:
                _WINDOWS.keep(key, known)
        return known

    def _runs_stay_together(self, kept: arrays.Kept) -> bool:
        """Return whether no spread and no tile of a window stands between the loops of a run."""
        problem = self.problem
        inner = kept.keep[: max(0, problem.pivot - 1)]
        flat = all(_flat(problem, level) for level in range(problem.pivot + 1, len(problem.leak)))
        return flat and not bool(inner[:, problem.sliding].any())

    def _tails(self, kept: arrays.Kept, runs: arrays.Runs, look: Look) -> arrays.Bounds:
        """Return the tables of what happens outside each tile, with room for the heads."""
        problem = self.problem
        levels, n = problem.temporal_ok.shape
        outside, flat_top = _empty_bounds(problem), _flat(problem, levels - 1)
        open_axis = self._axes_that_open()
        tables.open_bounds(problem, outside)
        for level in range(levels - 1, problem.pivot - 1, -1):
            if level < levels - 1:
                spreads = int(problem.spread_start[level + 2] - problem.spread_start[level + 1])
                for first, end in pieces(n, 3 * len(problem.saved) * spreads, look):
                    tables.fill_tails(problem, kept, outside, runs, level, first, end, flat_top)
            look()
            tables.close_level(problem, outside, level, open_axis[level])
            look()
            good = np.flatnonzero(outside.tail[level] < np.inf)
            good = good[np.argsort(outside.tail_all[level, good], kind="stable")]
            outside.candidates[level, : len(good)] = good
            outside.candidate_tail[level, : len(good)] = outside.tail_all[level, good]
            outside.candidate_count[level] = len(good)
            if level == problem.pivot:
                outside.rank[good] = np.arange(len(good))
        return outside

    def _heads(
        self, kept: arrays.Kept, bounds: arrays.Bounds, runs: arrays.Runs, look: Look
    ) -> Inside:
        """Return the tables of what happens inside each tile."""
        problem, n = self.problem, len(self.problem.packed)
        inside = bounds.replace(head=np.zeros((problem.pivot + 1, n)))
        least = np.empty((len(problem.saved), n))
        for level in range(1, problem.pivot):
            for first, end in pieces(n, 3 * len(least), look):
                tables.fill_heads(problem, kept, inside, runs, level, first, end)
            tiles.close_inside(inside.head[level], problem.strides, problem.lengths)
        for first, end in pieces(n, 3 * len(least), look):
            unions.fill_insides(problem, kept, inside, runs, least, first, end)
        for of_class in least if problem.pivot > 0 else ():
            tiles.close_inside(of_class, problem.strides, problem.lengths)
        return Inside(inside.head, least)

    def _axes_that_open(self) -> BoolArray:
        """Return bool[L, axes]: whether factors of a level can turn or spread along an axis."""
        if self._open_axis is None:
            problem, lattice = self.problem, self.lattice
            self._open_axis = np.ones((len(problem.leak), len(lattice.strides)), dtype=bool)
            for level, turns in enumerate(problem.temporal_ok):
                spreads = problem.spread_id[
                    problem.spread_start[level] : problem.spread_start[level + 1]
                ]
                turning = problem.extent[-1:] if turns[-1] else problem.extent[turns]
                able = turning.max(axis=0, initial=1) > 1
                able |= problem.extent[spreads].max(axis=0, initial=1) > 1
                self._open_axis[level] = able[lattice.axis_dim]
        return self._open_axis


def _flat(problem: Problem, level: int) -> bool:
    """Return whether a level spreads nothing over space."""
    return not problem.spread_id[
        problem.spread_start[level] : problem.spread_start[level + 1]
    ].any()


def _new_memo(problem: Problem) -> arrays.Memo:
    """Return a memo with room for the spatial factors of one union at least."""
    n, classes = len(problem.packed), len(problem.saved)
    spreads = int(problem.spread_start[problem.pivot + 1] - problem.spread_start[problem.pivot])
    rows = max(MEMO, spreads)
    return arrays.Memo(
        begin=np.full(n, -1, dtype=np.int64),
        end=np.zeros(n, dtype=np.int64),
        entry=np.empty(rows, dtype=np.int64),
        bound=np.empty((rows, 2 * classes)),
        base=np.empty((rows, 3)),
        used=np.zeros(1, dtype=np.int64),
    )


def _empty_bounds(problem: Problem) -> arrays.Bounds:
    levels, n = problem.temporal_ok.shape
    return arrays.Bounds(
        head=np.zeros((0, n)),
        tail=np.zeros((levels, n)),
        out=np.zeros((levels, n)),
        tail_all=np.zeros((levels, n)),
        out_all=np.zeros((levels, n)),
        tail_cycles=np.zeros((levels, n)),
        out_cycles=np.zeros((levels, n)),
        tail_spread=np.zeros((levels, n)),
        out_spread=np.zeros((levels, n)),
        candidates=np.zeros((levels, n), dtype=np.int64),
        candidate_tail=np.zeros((levels, n)),
        candidate_count=np.zeros(levels, dtype=np.int64),
        rank=np.full(n, -1, dtype=np.int64),
        reach=np.ones((problem.axis.shape[0], levels)),
        spread=np.ones(levels),
    )


def _divisors(n: int) -> IntArray:
    """Return the divisors of a number, ascending."""
    small = [d for d in range(1, math.isqrt(n) + 1) if n % d == 0]
    return np.unique([*small, *(n // d for d in small)])


def _places(extent: IntArray, values: list[IntArray], look: Look) -> IntArray:
    """Return int64[n, D], the place of each extent among the divisors of its dimension."""
    places = np.empty_like(extent)
    for d, divisors in enumerate(values):
        look()
        places[:, d] = np.searchsorted(divisors, extent[:, d])
    return places


def _window_tables(problem: Problem, tight: bool, look: Look) -> arrays.Runs:
    """Return the tables of sliding windows.

    Args:
        problem: the problem.
        tight: whether nothing stands between the loops of a run; see `windows.fill_runs`.
        look: called between pieces.
    """
    values = [_divisors(int(problem.extent[-1, d])) for d in range(problem.extent.shape[1])]
    counts = np.array([len(v) for v in values], dtype=np.int64)
    table = problem.sliders
    pairs = np.array([counts[d] * counts[e] for _, d, e in table], dtype=np.int64)
    runs = arrays.Runs(
        tensor=np.ascontiguousarray(table[:, 0]),
        first=np.ascontiguousarray(table[:, 1]),
        second=np.ascontiguousarray(table[:, 2]),
        start=np.concatenate([[0], np.cumsum(pairs**2)]).astype(np.int64),
        least=np.ones(int((pairs**2).sum())),
        least_top=np.ones(int((pairs**2).sum())),
        any_start=np.concatenate([[0], np.cumsum(pairs)]).astype(np.int64),
        least_any=np.ones(int(pairs.sum())),
        lone=np.ones((4, int(pairs.sum()))),
        union_start=np.concatenate([[0], np.cumsum(pairs)]).astype(np.int64),
        union_words=np.zeros(int(pairs.sum())),
        union_least=np.zeros(int(pairs.sum())),
        divisor=_places(problem.extent, values, look),
        divisors=counts,
    )
    levels = len(problem.leak) - problem.pivot
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    for s, (_, d, e) in enumerate(table):
        terms = int(counts[d] * counts[e] ** 2) * (8 if tight else 1)
        for first, end in pieces(int(counts[d]), terms, look):
            windows.fill_runs(
                problem,
                runs,
                np.concatenate(values).astype(np.float64),
                starts,
                levels,
                tight,
                s,
                first,
                end,
            )
    return runs
