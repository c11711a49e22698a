"""Drives the compiled search: one problem per choice of what is kept, one incumbent for all."""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from attrs import define, evolve, field, frozen

from cosearch.compiling.parts import prepare
from cosearch.lately import Lately
from cosearch.loopnest.kernel.pack import ALWAYS, MAYBE, NEVER
from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.mappers.exact import arrays
from cosearch_plugins.mappers.exact.branch import Branch, kept_of, new_net, new_state
from cosearch_plugins.mappers.exact.lattice import Lattice
from cosearch_plugins.mappers.exact.parts import needed
from cosearch_plugins.mappers.exact.problem import OrderTables, Problem, fits, lay_out
from cosearch_plugins.mappers.exact.shared_tables import Look, SharedTables
from cosearch_plugins.mappers.exact.space import Space, deep_enough
from cosearch_plugins.mappers.exact.tree import search

if TYPE_CHECKING:
    from cosearch.loopnest.space.mapspace import MapSpace


class OutOfTime(Exception):  # noqa: N818 - not an error, the search ends with what it has
    """The time ended while tables were made."""


GRACE = 0.05
"""Seconds after the deadline in which a first mapping may still be found."""

MOST_CHOICES = 64
"""Of what is kept, whose room is remembered: a byte a tile and level each."""

MOST_FOUND = 32
"""Mappings that searches of one solver ended at, remembered."""

NEAR = 1e-9
"""A search that knows a mapping looks for values up to this much above its own, relative, so that
it meets the mapping which it returns without that knowledge, and in the same order."""

QUOTA = 10_000
"""Nodes between two looks at the clock: a few milliseconds."""


@frozen
class Limits:
    """When a search ends without a proof.

    Attributes:
        deadline: by `time.perf_counter`.
        evaluations: mappings priced.
        nodes: partial mappings bounded, once a mapping was found; unlike time, the same on every
            machine.
    """

    deadline: float = np.inf
    evaluations: float = np.inf
    nodes: float = np.inf

    @classmethod
    def starting(
        cls,
        now: float,
        seconds: float | None = None,
        evaluations: int | None = None,
        nodes: int | None = None,
    ) -> Limits:
        """Return limits counted from a moment; None is without limit."""
        return cls(
            np.inf if seconds is None else now + seconds,
            np.inf if evaluations is None else float(evaluations),
            np.inf if nodes is None else float(nodes),
        )

    def look(self, grace: float = GRACE) -> None:
        """Raise OutOfTime some grace after the deadline: called between pieces of work."""
        if time.perf_counter() >= self.deadline + grace:
            raise OutOfTime

    def reached(self, evaluations: int, grace: float = 0.0) -> bool:
        """Return whether it is time to stop, some seconds of grace after the deadline."""
        late = time.perf_counter() >= self.deadline + grace
        return evaluations >= self.evaluations or late


NO_LIMITS = Limits()


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
            better,
            proven=self.proven and other.proven,
            gap=self.gap,
            nodes=self.nodes + other.nodes,
            evaluations=self.evaluations + other.evaluations,
            seconds=self.seconds + other.seconds,
        )


NOTHING = Certificate(None, np.inf, np.inf, False, None, 0, 0, 0.0)
"""What is known where the time ended before a search began."""


@define
class Tally:
    """What a search has found so far."""

    value: float = np.inf
    state: arrays.State | None = None
    branch: Branch | None = None
    open_bound: float = np.inf
    nodes: int = 0
    evaluations: int = 0

    def add(self, state: arrays.State, branch: Branch) -> None:
        """Add what one branch found."""
        self.nodes += int(state.register[arrays.NODES])
        self.evaluations += int(state.register[arrays.PRICED])
        if state.best[0] < self.value:
            self.value, self.state, self.branch = float(state.best[0]), state, branch

    def certificate(self, solver: Solver, seconds: float) -> Certificate:
        """Return the result."""
        proven = self.open_bound >= self.value * (1 - arrays.MARGIN)
        if self.state is None or self.branch is None:
            return Certificate(
                None, np.inf, np.inf, proven, None, self.nodes, self.evaluations, seconds
            )
        gap = 0.0 if proven else 1 - max(self.open_bound, 0.0) / self.value
        return Certificate(
            solver.mapping_of(self.state, self.branch.keep),
            float(self.state.best[1]),
            float(self.state.best[2]),
            proven,
            gap,
            self.nodes,
            self.evaluations,
            seconds,
        )


class InLine(NamedTuple):
    """A choice of what is kept: no mapping of it is better than `least`.

    `bound`, of all its unions, is held for the first in line alone.
    """

    least: float
    keep: BoolArray
    bound: FloatArray | None = None


@define
class Solver:
    """Finds the best mappings of one layer on one machine.

    Args:
        space: all mappings of the layer.
        tables: order classes, shared between layers.
        open_bypass: search every choice the space leaves open, instead of keeping all that may be.
        limits: on laying the problem out; a search has its own.

    Raises:
        OutOfTime: the deadline passed before the problem was laid out.
        CosearchError: the layer or the machine's rules are beyond the exact mapper.
        Infeasible: constraints leave no factorization.
    """

    space: Space
    tables: OrderTables = field(factory=OrderTables)
    open_bypass: bool = True
    limits: Limits = NO_LIMITS
    searched: Space = field(init=False)
    lattice: Lattice = field(init=False)
    problem: Problem = field(init=False)
    net: arrays.Net = field(init=False)
    _shared: SharedTables = field(init=False)
    _choices: Lately[bytes, arrays.Kept] = field(init=False)
    _found: Lately[bytes, Mapping] = field(init=False)
    _rows: Lately[Mapping, Rows] = field(init=False)

    def __attrs_post_init__(self) -> None:
        prepare(*needed(self.space.architecture, self.space.layer))
        self.searched = deep_enough(self.space)
        space, look = self.searched, partial(self.limits.look, grace=0.0)
        self.lattice, self.problem = lay_out(
            space.architecture, space.layer, space.constraints, self.tables, look
        )
        self.net = new_net(self.problem, look)
        self._shared = SharedTables(self.problem, self.lattice)
        self._choices = Lately(MOST_CHOICES)
        self.forget_found()

    def forget_found(self) -> None:
        """Begin the memory of mappings anew, as a copy for other prices or room has to."""
        self._found, self._rows = Lately(MOST_FOUND), Lately(MOST_FOUND)

    @property
    def narrowed(self) -> bool:
        """Whether open choices of what to keep are left out of the search."""
        return not self.open_bypass and bool((self.space.keep_modes == MAYBE).any())

    def repriced(self, problem: Problem) -> Solver:
        """Return a solver of the same mappings at other prices."""
        other = copy.copy(self)
        other.problem, other.net = problem, new_net(problem, NO_LIMITS.look)
        other._shared = SharedTables(problem, self.lattice)  # noqa: SLF001 - of its own class
        other.forget_found()
        return other

    def of_bodies(
        self, space: Space, demand: FloatArray, bodies: int, visits: int, *, same_room: bool
    ) -> Solver:
        """Return a solver of the same layer as a member of a fused group.

        Args:
            space: the same layer on a machine that differs in room alone.
            demand: see `Problem`.
            bodies: see `Problem`.
            visits: see `Problem`.
            same_room: whether the room is this solver's, so that its tables hold.
        """
        other = copy.copy(self)
        other.space = other.searched = space
        other.problem = self.problem.replace(
            demand=demand, bodies=float(bodies), visits=float(visits)
        )
        if not same_room:
            other._shared = SharedTables(other.problem, self.lattice)  # noqa: SLF001 - own class
            other._choices = Lately(MOST_CHOICES)  # noqa: SLF001 - likewise
        other.forget_found()
        return other

    def solve(
        self,
        aim: arrays.Aim,
        limits: Limits = NO_LIMITS,
        below: float = np.inf,
        known: float = np.inf,
    ) -> Certificate:
        """Return the best mapping, proven unless a limit ended the search first.

        Args:
            aim: what is minimized.
            limits: when to end without a proof.
            below: only mappings of a smaller value count; the proof is then that there are none.
            known: the value of some mapping: it saves work, and never changes what is found.
        """
        if known < np.inf and limits.deadline == limits.evaluations == np.inf:
            found = self._solved(aim, limits, min(below, known * (1 + NEAR)))
            if found.proven and found.mapping is not None:
                return found
        return self._solved(aim, limits, below)

    def _solved(self, aim: arrays.Aim, limits: Limits, below: float) -> Certificate:
        started = time.perf_counter()
        tally = Tally(below)
        line, all_listed = self._in_line(aim, limits)
        for i, (least, keep, bound) in enumerate(line):
            if least >= tally.value * (1 - arrays.MARGIN):
                break
            rest = line[i + 1].least if i + 1 < len(line) else np.inf
            try:
                branch = self._branch(keep, aim, limits.look, tally.value, bound)
            except OutOfTime:
                tally.open_bound = least
                break
            if not self._search(branch, aim, limits, tally, rest):
                break
        if not all_listed:
            tally.open_bound = -np.inf
        return tally.certificate(self, time.perf_counter() - started)

    def _in_line(self, aim: arrays.Aim, limits: Limits) -> tuple[list[InLine], bool]:
        """Return the choices of what is kept, best bound first, and whether time was for all."""
        line: list[InLine] = []
        first = InLine(np.inf, np.zeros(0, dtype=bool))
        all_listed = True
        for keep in self.choices():
            try:
                if line:
                    limits.look(grace=0.0)
                bound = self._shared.union_bounds(self._kept(keep), aim, limits.look)
            except OutOfTime:
                all_listed = False
                break
            line.append(InLine(float(bound.min()), keep))
            if line[-1].least < first.least:
                first = line[-1]._replace(bound=bound)
        line.sort(key=attrgetter("least"))
        return [first, *line[1:]] if np.isfinite(first.least) else [], all_listed

    def _search(
        self, branch: Branch, aim: arrays.Aim, limits: Limits, tally: Tally, rest: float
    ) -> bool:
        """Search one branch; return whether there was time to finish it."""
        state = new_state(self.problem, branch)
        state.best[0] = tally.value
        done = False
        while not done:
            spent = tally.evaluations + int(state.register[arrays.PRICED])
            none_yet = np.isinf(state.best[0])
            if limits.reached(spent, GRACE if none_yet else 0.0):
                break
            expanded = tally.nodes + int(state.register[arrays.NODES])
            if expanded >= limits.nodes and not none_yet:
                break
            status = search(
                self.problem,
                branch.kept,
                branch.bounds,
                branch.runs,
                aim,
                state,
                self.net,
                branch.memo,
                branch.unions,
                branch.bound,
                QUOTA,
            )
            done = status == arrays.DONE
        tally.add(state, branch)
        if not done:
            tally.open_bound = min(tally.open_bound, float(state.best[3]), rest)
        return done

    def choices(self) -> Iterator[BoolArray]:
        """Yield every choice of what each level keeps, bool[L, T]."""
        modes = self.searched.keep_modes
        maybe = np.argwhere(modes == MAYBE)
        if not self.open_bypass:
            yield modes != NEVER
            return
        for choice in itertools.product((True, False), repeat=len(maybe)):
            keep = modes == ALWAYS
            keep[maybe[:, 0], maybe[:, 1]] = choice
            yield keep

    def _branch(
        self, keep: BoolArray, aim: arrays.Aim, look: Look, below: float, bound: FloatArray | None
    ) -> Branch:
        """Return the tables of one choice, its unions of a bound below a value in line."""
        kept = self._kept(keep)
        if bound is None:
            bound = self._shared.union_bounds(kept, aim, look)
        tables = self._shared.tables(kept, look)
        unions = np.flatnonzero(bound < below)
        unions = unions[np.argsort(bound[unions], kind="stable")]
        return Branch(keep, kept, tables.bounds, tables.runs, tables.memo, unions, bound)

    def _kept(self, keep: BoolArray) -> arrays.Kept:
        def made() -> arrays.Kept:
            space = self.searched
            fit = fits(space.architecture, space.layer, self.problem, keep)
            return kept_of(self.problem, keep, fit)

        return self._choices.get(keep.tobytes(), made)

    def row_in(self, space: MapSpace, mapping: Mapping) -> Rows:
        """Return the row of a mapping in the mapspace searched, int64[d]."""
        return self._rows.get(mapping, lambda: space.row_of(mapping))

    def mapping_of(self, state: arrays.State, keep: BoolArray) -> Mapping:
        """Return the best mapping of a search; searches in several directions often agree."""
        best = (state.best_spread, state.best_order, state.best_tile, state.best_union, keep)
        same = b"".join(part.tobytes() for part in best)
        return self._found.get(same, lambda: self._mapping_of(state, keep))

    def _mapping_of(self, state: arrays.State, keep: BoolArray) -> Mapping:
        problem = self.problem
        entries = []
        for level, memory in enumerate(self.searched.architecture.levels):
            spread = int(state.best_spread[level])
            order = [int(d) for d in problem.orders[state.best_order[level]] if d >= 0]
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
                    self._loops(int(problem.spread_x[spread]), range(len(self.lattice.dims))),
                    self._loops(int(problem.spread_y[spread]), range(len(self.lattice.dims))),
                )
            )
        return Mapping(entries[-len(self.space.architecture.levels) :])

    def _loops(self, factors: int, order: list[int] | range) -> list[Loop]:
        extent = self.problem.extent[factors]
        return [Loop(self.lattice.dims[d], int(extent[d])) for d in order if extent[d] > 1]
