"""The best way to run a group, for a weighted sum: a heap of options, refined as far as needed.

A prefix's bound is the sum of its members': whole layers with everything at home, and what passes
the outermost level in the best way for each tensor by itself. The prefix that comes first is
unfolded into its choices of what is held, which are options. An option's members are refined one by
one: by what other weights tell of the body; the body with its tensors at home and all of the level
as room; with the room there is and the held words, which is exact. An option that comes first with
all members exact is the best.

Coarser dominates finer: where an option was solved without the room binding, every option with the
same loops in the same order, all as fine or finer, that holds no more, is no better. Its further
loops could as well turn inside the bodies.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from attrs import define, evolve, field, frozen

from cosearch.loopnest.group import FusedGroup
from cosearch.mapping.outline import Weights
from cosearch.quantities import added
from cosearch.typing import FloatArray, IntArray
from cosearch.workload.einsum import Einsum
from cosearch.workload.link import Link
from cosearch_plugins.mappers.exact.arrays import MARGIN
from cosearch_plugins.mappers.fused.bodies import UNLIMITED, Bodies
from cosearch_plugins.mappers.fused.body import Body, Demand, Question
from cosearch_plugins.mappers.fused.options import THROUGH, Choice, Cut, Option, cuts, once

COARSE, GUESSED, ROOMY, EXACT = 0, 1, 2, 3
"""Stages of a member's bound."""


@frozen(eq=False)
class GroupFound:
    """The best way to run a group.

    Attributes:
        group: with mappings; None where none below the limit was found.
        energy_pj, cycles: of one run.
        value: the weighted sum.
        least: no way is below; `value` where it is proven.
    """

    group: FusedGroup | None
    energy_pj: float
    cycles: float
    value: float
    least: float


@define(eq=False)
class _Entry:
    """A prefix with its holds; bounds, stages and bodies are its members'."""

    option: Option
    bounds: list[float]
    stages: list[int]
    bodies: list[Body | None]
    fixed: float

    @property
    def bound(self) -> float:
        """The sum of its members' bounds and of what is held."""
        return self.fixed + added(self.bounds)


@define(eq=False)
class _Unfolded:
    """The options of a prefix, by their bounds.

    Attributes:
        cut: the prefix.
        held: of each member, the choices of what it holds.
        bounds: of each member, of each choice, what is held included.
        fixed: of each member, of each choice, the part of its bound that is held.
        order: options that leave room and are below the limit, numbered over all members' choices.
        least: their bounds, rising.
        at: how many have been taken.
    """

    cut: Cut
    held: list[list[tuple[Choice, ...]]]
    bounds: list[FloatArray]
    fixed: list[FloatArray]
    order: IntArray
    least: FloatArray
    at: int = 0

    def entry(self) -> _Entry:
        """Return the next option."""
        places = np.unravel_index(int(self.order[self.at]), [len(h) for h in self.held])
        self.at += 1
        fixed = [float(f[i]) for f, i in zip(self.fixed, places, strict=True)]
        bounds = [float(b[i]) for b, i in zip(self.bounds, places, strict=True)]
        choices = [h[i] for h, i in zip(self.held, places, strict=True)]
        apart = [b - f for b, f in zip(bounds, fixed, strict=True)]
        members = len(choices)
        option = self.cut.option(tuple(itertools.chain.from_iterable(choices)))
        return _Entry(option, apart, [COARSE] * members, [None] * members, added(fixed))


@define(eq=False)
class GroupSearch:
    """Searches groups on one machine.

    Args:
        bodies: answers for members.
        deadline: by `time.perf_counter`.
        dominance: whether finer options are dropped for coarser ones; for tests.
    """

    bodies: Bodies
    deadline: float = math.inf
    dominance: bool = True
    entries: int = field(init=False, default=0)
    _cuts: dict[tuple[object, ...], list[Cut]] = field(init=False, factory=dict)
    _once: dict[tuple[object, ...], list[Choice]] = field(init=False, factory=dict)
    _tick: Iterator[int] = field(init=False, factory=itertools.count)

    def best(
        self,
        layers: tuple[Einsum, ...],
        links: tuple[Link, ...],
        weights: Weights,
        below: float = math.inf,
    ) -> GroupFound:
        """Return the best way to run layers as one group, if it is below a value."""
        cheap = self._whole(layers, links, (1.0, 0.0))
        inside = self._whole(layers, links, weights)
        limit = below * (1 - MARGIN)
        if added(inside) * (1 - MARGIN) >= limit:
            return GroupFound(None, math.inf, math.inf, math.inf, below)
        heap = [self._opened(cut, weights, inside, cheap) for cut in self._all_cuts(layers, links)]
        heapq.heapify(heap)
        settled: list[_Entry] = []
        while heap:
            bound, *_, item = heapq.heappop(heap)
            if bound >= limit:
                break
            if isinstance(item, _Entry) and min(item.stages) == EXACT:
                return self._found(item, weights, bound)
            if time.perf_counter() >= self.deadline:
                return self._so_far(heap, weights, bound)
            if isinstance(item, Cut):
                self._push(heap, self._unfolded(item, weights, (inside, cheap), limit))
                continue
            if isinstance(item, _Unfolded):
                unfolded, item = item, item.entry()
                self._push(heap, unfolded)
            if self.dominance and any(_dominates(s.option, item.option) for s in settled):
                continue
            if self._refine(item, weights):
                if self.dominance and min(item.stages) == EXACT and self._roomy(item):
                    settled.append(item)
                heapq.heappush(heap, self._queued(item))
        return GroupFound(None, math.inf, math.inf, math.inf, below)

    def least(self, layers: tuple[Einsum, ...], links: tuple[Link, ...], weights: Weights) -> float:
        """Return what no way to run layers as one group undercuts: each word passes once."""
        key = (tuple(layer.key for layer in layers), links)
        if key not in self._once:
            kept = tuple(self.bodies.kept(layer) for layer in layers)
            whole = FusedGroup(layers, links)
            self._once[key] = once(self.bodies.architecture, whole, kept)
        inside = self._whole(layers, links, weights)
        cheap = self._whole(layers, links, (1.0, 0.0))
        return added(
            self._coarse([c for c in self._once[key] if c.member == j], weights, a, b)
            for j, (a, b) in enumerate(zip(inside, cheap, strict=True))
        )

    def _all_cuts(self, layers: tuple[Einsum, ...], links: tuple[Link, ...]) -> list[Cut]:
        key = (tuple(layer.key for layer in layers), links)
        if key not in self._cuts:
            kept = tuple(self.bodies.kept(layer) for layer in layers)
            self._cuts[key] = list(cuts(self.bodies.architecture, layers, links, kept))
        return self._cuts[key]

    def _whole(
        self, layers: tuple[Einsum, ...], links: tuple[Link, ...], weights: Weights
    ) -> list[float]:
        """Return the least weighted sums of whole layers with everything at home."""
        group = FusedGroup(layers, links)
        out = []
        for j, layer in enumerate(layers):
            home = self.bodies.kept(layer) | frozenset(group.intermediates(j))
            out.append(self.bodies.best(Question(layer, layer, home, UNLIMITED), weights).least)
        return out

    def _opened(self, cut: Cut, weights: Weights, inside: list[float], cheap: list[float]) -> _Item:
        """Return a prefix for the heap: with the best of every tensor's ways."""
        bound = 0.0
        for j in range(len(inside)):
            least = [
                Choice(
                    j,
                    way[0].tensor,
                    None,
                    0,
                    min(c.read for c in way),
                    min(c.write for c in way),
                    min(c.energy_pj for c in way),
                )
                for way in cut.ways
                if way[0].member == j
            ]
            bound += self._coarse(least, weights, inside[j], cheap[j])
        return bound, 0, cut.group.bodies, next(self._tick), cut

    def _queued(self, entry: _Entry) -> _Item:
        """Return an option for the heap: of equal bounds the most refined first."""
        bodies = entry.option.group.bodies
        return entry.bound, -1 - added(entry.stages), bodies, next(self._tick), entry

    def _push(self, heap: list[_Item], options: _Unfolded) -> None:
        """Push the next option of a prefix, if there is one."""
        if options.at < len(options.least):
            bound, bodies = float(options.least[options.at]), options.cut.group.bodies
            heapq.heappush(heap, (bound, -1, bodies, next(self._tick), options))

    def _unfolded(
        self, cut: Cut, weights: Weights, known: tuple[list[float], list[float]], limit: float
    ) -> _Unfolded:
        """Return the options of a prefix that are below a limit.

        Args:
            cut: the prefix.
            weights: of energy and cycles.
            known: of each member, what `_coarse` is told.
            limit: of no use are those not below.
        """
        held, bounds, fixed = [], [], []
        total, taken = np.zeros(1), np.zeros(1, dtype=np.int64)
        for j, (inside, cheap) in enumerate(zip(*known, strict=True)):
            ways = cut.of_member(j)
            energy = [added(c.energy_pj for c in w if c.depth is not None) for w in ways]
            fixed.append(weights[0] * np.array(energy, dtype=np.float64))
            coarse = [self._coarse(list(w), weights, inside, cheap) for w in ways]
            held_at = [frozenset(c.tensor for c in w if c.depth is not None) for w in ways]
            told = {h: self._guess(cut, j, h, weights) for h in set(held_at)}
            guess = [told[h] for h in held_at]
            bounds.append(fixed[-1] + np.maximum(coarse, guess))
            held.append(ways)
            rooms = np.array([added(c.room for c in w) for w in ways], dtype=np.int64)
            total = np.add.outer(total, bounds[-1]).ravel()
            taken = np.add.outer(taken, rooms).ravel()
        fits = taken <= min(cut.free)
        self.entries += int(fits.sum())
        order = np.flatnonzero(fits & (total < limit))
        order = order[np.argsort(total[order], kind="stable")]
        return _Unfolded(cut, held, bounds, fixed, order, total[order])

    def _guess(self, cut: Cut, member: int, held: frozenset[str], weights: Weights) -> float:
        """Return what all bodies of a member cost at least, as known from others."""
        group = cut.group
        home = frozenset((*group.intermediates(member), *held))
        layer, body = group.layers[member], cut.bodies[member]
        asked = Question(layer, body, home, UNLIMITED, Demand(), group.bodies, group.visits(member))
        return group.bodies * self.bodies.least(asked, weights)

    def _coarse(
        self, choices: list[Choice], weights: Weights, inside: float, cheap: float
    ) -> float:
        """Return the least weighted sum of a member, what it holds left out.

        Args:
            choices: its own.
            weights: of energy and cycles.
            inside: the least with everything at home.
            cheap: the least energy with everything at home.
        """
        streamed = added(c.energy_pj for c in choices if c.depth is None)
        reads, writes = added(c.read for c in choices), added(c.write for c in choices)
        outermost = self.bodies.architecture.levels[-1]
        cycles = max(
            reads / (outermost.read_bandwidth or math.inf),
            writes / (outermost.write_bandwidth or math.inf),
            (reads + writes) / (outermost.shared_bandwidth or math.inf),
        )
        first = inside + weights[0] * streamed
        return max(first, weights[0] * (cheap + streamed) + weights[1] * cycles) * (1 - MARGIN)

    def _refine(self, entry: _Entry, weights: Weights) -> bool:
        """Refine the least refined member; return whether the option can be run still."""
        member = entry.stages.index(min(entry.stages))
        question = self._question(entry.option, member)
        bodies = entry.option.group.bodies
        if entry.stages[member] < ROOMY:
            guess = bodies * self.bodies.least(question, weights)
            if entry.stages[member] == COARSE or guess > entry.bounds[member]:
                entry.stages[member] = GUESSED
                entry.bounds[member] = max(entry.bounds[member], guess)
                return True
        entry.stages[member] += 1
        if entry.stages[member] == ROOMY:
            room = self.bodies.architecture.levels[-2].usable_entries
            question = evolve(question, room=UNLIMITED if room is None else room, demand=Demand())
        body = self.bodies.best(question, weights)
        entry.bodies[member] = body
        entry.bounds[member] = max(entry.bounds[member], bodies * body.least)
        if entry.stages[member] == EXACT and body.mapping is not None:
            entry.bounds[member] = bodies * body.least
        return body.mapping is not None

    def _question(self, option: Option, member: int) -> Question:
        group = option.group
        held = [c for c in option.choices if c.member == member and c.depth is not None]
        reads, writes = added(c.read for c in held), added(c.write for c in held)
        return Question(
            group.layers[member],
            option.bodies[member],
            group.at_home(member),
            option.room[member],
            Demand(reads / group.bodies, writes / group.bodies),
            group.bodies,
            group.visits(member),
        )

    def _roomy(self, entry: _Entry) -> bool:
        """Return whether all members would be solved so with all of the level as room."""
        room = self.bodies.architecture.levels[-2].usable_entries
        most = UNLIMITED if room is None else room
        return all(b is not None and b.proven and b.question.room >= most for b in entry.bodies)

    def _so_far(self, heap: list[_Item], weights: Weights, bound: float) -> GroupFound:
        """Return the best option that is known when the time ends, if there is one."""
        known = [e for *_, e in heap if isinstance(e, _Entry) and min(e.stages) == EXACT]
        if not known:
            return GroupFound(None, math.inf, math.inf, math.inf, bound)
        return self._found(min(known, key=lambda entry: entry.bound), weights, bound)

    def _found(self, entry: _Entry, weights: Weights, bound: float) -> GroupFound:
        bodies, option = entry.option.group.bodies, entry.option
        solved = [b for b in entry.bodies if b is not None]
        energy = option.held_pj + bodies * added(b.energy_pj for b in solved)
        levels = self.bodies.architecture.levels
        cycles = bodies * added(
            b.cycles_at(self._question(option, j).demand, levels) for j, b in enumerate(solved)
        )
        mappings = tuple(b.mapping for b in solved if b.mapping is not None)
        value = weights[0] * energy + weights[1] * cycles
        return GroupFound(
            evolve(option.group, mappings=mappings), energy, cycles, value, min(bound, value)
        )


_Item: TypeAlias = tuple[float, int, int, int, Cut | _Unfolded | _Entry]
"""Bound, rank among equals, bodies, a number, and what it is of."""


def _dominates(coarse: Option, fine: Option) -> bool:
    """Return whether one option's loops are as coarse, in the same order, and it holds as much."""
    places, at = [], 0
    for loop in coarse.group.prefix:
        while at < len(fine.group.prefix) and fine.group.prefix[at].dims != loop.dims:
            at += 1
        if at == len(fine.group.prefix) or fine.group.prefix[at].bound % loop.bound:
            return False
        at += 1
        places.append(at)
    for a, b in zip(coarse.choices, fine.choices, strict=True):
        if b.depth in {None, THROUGH}:
            continue
        if a.depth is None or (places[a.depth - 1] if a.depth else 0) > b.depth:
            return False
    return True
