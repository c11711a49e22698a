"""Drives the compiled search: one problem per choice of what is kept, one incumbent for all."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import numpy as np
from attrs import define, evolve, field, frozen

from cosearch.loopnest.exact import tree
from cosearch.loopnest.exact.lattice import Lattice
from cosearch.loopnest.exact.problem import OrderTables, Problem, fits, lay_out
from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.loopnest.mapspace import ALWAYS, MAYBE, NEVER, MapSpace
from cosearch.typing import BoolArray, FloatArray, IntArray

QUOTA = 10_000
"""Nodes between two looks at the clock: a few milliseconds."""


@frozen
class Limits:
    """When a search ends without a proof.

    Attributes:
        deadline: by `time.perf_counter`.
        evaluations: mappings priced.
    """

    deadline: float = np.inf
    evaluations: float = np.inf

    @classmethod
    def starting(
        cls, now: float, seconds: float | None = None, evaluations: int | None = None
    ) -> Limits:
        """Return limits counted from a moment; None is without limit."""
        return cls(
            np.inf if seconds is None else now + seconds,
            np.inf if evaluations is None else float(evaluations),
        )

    def reached(self, evaluations: int) -> bool:
        """Return whether it is time to stop."""
        return evaluations >= self.evaluations or time.perf_counter() >= self.deadline


NO_LIMITS = Limits()

MOST_REMEMBERED = 8
"""Choices of what is kept whose tables are held at once (a hundred bytes a tile and level)."""


@frozen(eq=False)
class Certificate:
    """The mapping found, and what is known about how good it is.

    Attributes:
        mapping: the best found; None when none exists within the limits.
        energy_pj, cycles: by the compiled model.
        proven: no mapping is better by more than 1e-12 relative.
        gap: (best - bound) / best, 0 where proven; None where nothing is known.
        nodes: partial mappings bounded.
        evaluations: mappings priced.
        seconds: spent.
    """

    mapping: Mapping | None
    energy_pj: float
    cycles: float
    proven: bool
    gap: float | None
    nodes: int
    evaluations: int
    seconds: float

    def then(self, other: Certificate) -> Certificate:
        """Return what a further search among equals adds; it may have found nothing in time."""
        better = other if other.mapping is not None else self
        return evolve(
            better, proven=self.proven and other.proven, gap=self.gap,
            nodes=self.nodes + other.nodes, evaluations=self.evaluations + other.evaluations,
            seconds=self.seconds + other.seconds,
        )  # fmt: skip


@define
class Tally:
    """What a search has found so far."""

    value: float = np.inf
    state: tree.State | None = None
    branch: Branch | None = None
    open_bound: float = np.inf
    nodes: int = 0
    evaluations: int = 0

    def add(self, state: tree.State, branch: Branch) -> None:
        """Add what one branch found."""
        self.nodes += int(state.register[tree.NODES])
        self.evaluations += int(state.register[tree.PRICED])
        if state.best[0] < self.value:
            self.value, self.state, self.branch = float(state.best[0]), state, branch

    def certificate(self, solver: Solver, seconds: float) -> Certificate:
        """Return the result."""
        proven = self.open_bound >= self.value * (1 - tree.MARGIN)
        if self.state is None or self.branch is None:
            return Certificate(
                None, np.inf, np.inf, proven, None, self.nodes, self.evaluations, seconds
            )
        gap = 0.0 if proven else 1 - max(self.open_bound, 0.0) / self.value
        return Certificate(
            solver.mapping_of(self.state, self.branch.keep), float(self.state.best[1]),
            float(self.state.best[2]), proven, gap, self.nodes, self.evaluations, seconds,
        )  # fmt: skip


@frozen(eq=False)
class Branch:
    """The search under one choice of what each level keeps."""

    keep: BoolArray
    kept: tree.Kept
    bounds: tree.Bounds
    runs: tree.Runs
    unions: IntArray
    bound: FloatArray

    @property
    def least(self) -> float:
        """No mapping of this branch is better."""
        return float(self.bound[self.unions[0]]) if len(self.unions) else np.inf


@define
class Solver:
    """Finds the best mappings of one layer on one machine.

    Args:
        space: all mappings of the layer.
        tables: order classes, shared between layers.
        open_bypass: search every choice the space leaves open, instead of keeping all that may be.
    """

    space: MapSpace
    tables: OrderTables = field(factory=OrderTables)
    open_bypass: bool = True
    lattice: Lattice = field(init=False)
    problem: Problem = field(init=False)
    net: tree.Net = field(init=False)
    _known: dict[bytes, tuple[tree.Kept, tree.Runs, tree.Bounds]] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        space = self.space
        self.lattice, self.problem = lay_out(
            space.architecture, space.layer, space.constraints, self.tables
        )
        self.net = new_net(self.problem)
        if self.net.any:
            tree.fill_travel(self.problem, self.net)

    @property
    def narrowed(self) -> bool:
        """Whether open choices of what to keep are left out of the search."""
        return not self.open_bypass and bool((self.space.keep_modes == MAYBE).any())

    def solve(
        self, aim: tree.Aim, limits: Limits = NO_LIMITS, below: float = np.inf
    ) -> Certificate:
        """Return the best mapping, proven unless a limit ended the search first.

        Args:
            aim: what is minimized.
            limits: when to end without a proof.
            below: only mappings of a smaller value count; the proof is then that there are none.
        """
        started = time.perf_counter()
        tally = Tally(below)
        branches: list[Branch] = []
        for keep in self.choices():
            if branches and limits.reached(0):
                tally.open_bound = -np.inf
                break
            branches.append(self.branch(keep, aim))
        branches.sort(key=lambda branch: branch.least)
        for i, branch in enumerate(branches):
            if branch.least >= tally.value * (1 - tree.MARGIN):
                break
            rest = branches[i + 1].least if i + 1 < len(branches) else np.inf
            if not self._search(branch, aim, limits, tally, rest):
                break
        return tally.certificate(self, time.perf_counter() - started)

    def _search(
        self, branch: Branch, aim: tree.Aim, limits: Limits, tally: Tally, rest: float
    ) -> bool:
        """Search one branch; return whether there was time to finish it."""
        state = new_state(self.problem, branch)
        state.best[0] = tally.value
        done = False
        first = tally.state is None
        while not done and (
            first or not limits.reached(tally.evaluations + int(state.register[tree.PRICED]))
        ):
            first = False
            status = tree.search(
                self.problem, branch.kept, branch.bounds, branch.runs, aim, state, self.net,
                branch.unions, branch.bound, QUOTA,
            )  # fmt: skip
            done = status == tree.DONE
        tally.add(state, branch)
        if not done:
            tally.open_bound = min(tally.open_bound, float(state.best[3]), rest)
        return done

    def choices(self) -> Iterator[BoolArray]:
        """Yield every choice of what each level keeps, bool[L, T]."""
        modes = self.space.keep_modes
        maybe = np.argwhere(modes == MAYBE)
        if not self.open_bypass:
            yield modes != NEVER
            return
        for choice in itertools.product((True, False), repeat=len(maybe)):
            keep = modes == ALWAYS
            keep[maybe[:, 0], maybe[:, 1]] = choice
            yield keep

    def branch(self, keep: BoolArray, aim: tree.Aim) -> Branch:
        """Return the tables of one choice."""
        p = self.problem
        kept, runs, bounds = self._tables_of(keep)
        bound = np.empty(len(p.packed))
        tree.bound_unions(
            p, kept, bounds, runs, aim, self.lattice.strides, self.lattice.lengths, bound
        )
        unions = np.flatnonzero(bound < np.inf)
        unions = unions[np.argsort(bound[unions], kind="stable")]
        return Branch(keep, kept, bounds, runs, unions, bound)

    def _tables_of(self, keep: BoolArray) -> tuple[tree.Kept, tree.Runs, tree.Bounds]:
        """Return the tables that do not depend on what is minimized, made once."""
        key = keep.tobytes()
        if key not in self._known:
            while len(self._known) >= MOST_REMEMBERED:
                del self._known[next(iter(self._known))]
            space = self.space
            kept = kept_of(keep, fits(space.architecture, space.layer, self.problem, keep))
            runs = self.runs(kept)
            self._known[key] = kept, runs, self.bounds(kept, runs)
        return self._known[key]

    def runs(self, kept: tree.Kept) -> tree.Runs:
        """Return the tables of sliding windows."""
        p = self.problem
        values = [np.unique(p.extent[:, d]) for d in range(p.extent.shape[1])]
        counts = np.array([len(v) for v in values], dtype=np.int64)
        table = p.sliders
        pairs = np.array([counts[d] * counts[e] for _, d, e in table], dtype=np.int64)
        runs = tree.Runs(
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
            flat = all(self._flat(level) for level in range(p.pivot + 1, top + 1))
            shallow = not any(
                kept.keep[level, t] for t in range(p.axis.shape[0]) if p.sliding[t]
                for level in range(p.pivot - 1)
            )  # fmt: skip
            starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
            tree.fill_runs(
                p, runs, np.concatenate(values).astype(np.float64), starts,
                top - p.pivot + 1, flat and shallow,
            )  # fmt: skip
        return runs

    def _flat(self, level: int) -> bool:
        entries = self.problem.spread_id[
            self.problem.spread_start[level] : self.problem.spread_start[level + 1]
        ]
        return bool((entries == 0).all())

    def bounds(self, kept: tree.Kept, runs: tree.Runs) -> tree.Bounds:
        """Return the tables of what happens inside and outside each tile."""
        p = self.problem
        levels, n = p.temporal_ok.shape
        tensors = p.axis.shape[0]
        b = tree.Bounds(
            head=np.zeros((levels, n)), tail=np.zeros((levels, n)), out=np.zeros((levels, n)),
            tail_cycles=np.zeros((levels, n)), out_cycles=np.zeros((levels, n)),
            candidates=np.zeros((levels, n), dtype=np.int64),
            candidate_tail=np.zeros((levels, n)),
            candidate_count=np.zeros(levels, dtype=np.int64),
            reach=np.ones((tensors, levels)), spread=np.ones(levels),
        )  # fmt: skip
        open_axis = np.ones((levels, len(self.lattice.strides)), dtype=bool)
        for level in range(levels):
            entries = np.unique(p.spread_id[p.spread_start[level] : p.spread_start[level + 1]])
            for axis, d in enumerate(self.lattice.axis_dim):
                able = bool((p.extent[p.temporal_ok[level], d] > 1).any())
                open_axis[level, axis] = able or bool((p.extent[entries, d] > 1).any())
        tree.fill_bounds(
            p, kept, b, runs, self.lattice.strides, self.lattice.lengths, open_axis,
            self._flat(levels - 1),
        )  # fmt: skip
        for level in range(p.pivot, levels):
            good = np.flatnonzero(b.tail[level] < np.inf)
            good = good[np.argsort(b.tail[level, good], kind="stable")]
            b.candidates[level, : len(good)] = good
            b.candidate_tail[level, : len(good)] = b.tail[level, good]
            b.candidate_count[level] = len(good)
        return b

    def mapping_of(self, state: tree.State, keep: BoolArray) -> Mapping:
        """Return the best mapping of a search."""
        p = self.problem
        entries = []
        for level, memory in enumerate(self.space.architecture.levels):
            spread = int(state.best_spread[level])
            order = [int(d) for d in p.orders[state.best_order[level]] if d >= 0]
            times = int(state.best_tile[level] - state.best_union[level])
            entries.append(
                LevelMapping(
                    memory.name,
                    [
                        t.name
                        for t, kept in zip(self.space.layer.tensors, keep[level], strict=True)
                        if kept
                    ],
                    self._loops(times, order),
                    self._loops(int(p.spread_x[spread]), range(len(self.lattice.dims))),
                    self._loops(int(p.spread_y[spread]), range(len(self.lattice.dims))),
                )
            )
        return Mapping(entries)

    def _loops(self, factors: int, order: "list[int] | range") -> list[Loop]:
        extent = self.problem.extent[factors]
        return [Loop(self.lattice.dims[d], int(extent[d])) for d in order if extent[d] > 1]


def kept_of(keep: BoolArray, fit: BoolArray) -> tree.Kept:
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
    return tree.Kept(
        keep, fit, np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1]),
        np.ascontiguousarray(table[:, 2]), below, above,
    )  # fmt: skip


def new_state(p: Problem, branch: Branch) -> tree.State:
    """Return the start of a search."""
    levels = len(p.block)
    queue = int(p.spread_start[p.pivot + 1] - p.spread_start[p.pivot])
    register = np.zeros(8, dtype=np.int64)
    register[tree.DEPTH] = -1
    best = np.array([np.inf, np.inf, np.inf, branch.least])
    ids = [np.zeros(levels, dtype=np.int64) for _ in range(9)]
    return tree.State(
        ids[0], ids[1], ids[2], np.zeros((2 * levels + 8, 2), dtype=np.int64),
        np.zeros((levels + 4, 2)), np.zeros(queue), np.zeros(queue, dtype=np.int64), register,
        np.zeros(len(p.packed), dtype=np.int64), np.zeros(len(p.packed)),
        best, ids[3], ids[4], ids[5], ids[6], ids[7], ids[8],
        np.zeros((levels, len(branch.kept.tensor), 6)), np.zeros((4, levels, max(3, p.axis.shape[0]))),
    )  # fmt: skip


def new_net(p: Problem) -> tree.Net:
    """Return scratch for the networks, large enough for the widest; a token when none costs."""
    costs = bool((p.hop != 0).any() or (p.router != 0).any())
    children = int(p.spread_used.prod(axis=1).max()) if costs else 1
    width = int(max(p.fan[:, 0].max(), p.spread_used[:, 0].max())) if costs else 1
    count = [np.zeros(children + 1, dtype=np.int64) for _ in range(5)]
    return tree.Net(
        costs,
        np.zeros((len(p.spread_id), p.axis.shape[0])),
        np.zeros(p.axis.shape[1], dtype=np.int64),
        count[0], count[1], count[2], np.zeros((children + 1, width, 2), dtype=np.int64),
        count[3], count[4], np.zeros(6),
    )  # fmt: skip
