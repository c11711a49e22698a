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
from cosearch.workload.einsum import Einsum
from cosearch.workload.link import Link
from cosearch_plugins.mappers.exact.arrays import MARGIN
from cosearch_plugins.mappers.fused.bodies import UNLIMITED, Bodies
from cosearch_plugins.mappers.fused.body import Demand, Question
from cosearch_plugins.mappers.fused.entries import (
    COARSE,
    EXACT,
    GUESSED,
    ROOMY,
    Drawn,
    Entry,
    Unfolded,
    dominates,
)
from cosearch_plugins.mappers.fused.options import Choice, Cut, Option, cuts, once

TRIED = 4
"""Options finished where the time of a group ended before any was."""


@frozen(eq=False)
class GroupFound:
    """The best way to run a group.

    Attributes:
        group: with mappings; None where none below the limit was found.
        energy_pj, cycles: of one run.
        value: the weighted sum.
        least: no way is below; `value` where it is proven.
        cut_short: whether the time ended, not the search.
    """

    group: FusedGroup | None
    energy_pj: float
    cycles: float
    value: float
    least: float
    cut_short: bool = False


def _nothing(least: float, *, cut_short: bool = False) -> GroupFound:
    return GroupFound(None, math.inf, math.inf, math.inf, least, cut_short)


@define(eq=False)
class GroupSearch:
    """Searches groups on one machine.

    Args:
        bodies: answers for members.
        deadline: by `time.perf_counter`.
        patience: seconds of one group's search at most.
        dominance: whether finer options are dropped for coarser ones; for tests.
    """

    bodies: Bodies
    deadline: float = math.inf
    patience: float = math.inf
    dominance: bool = True
    entries: int = field(init=False, default=0)
    _cuts: dict[tuple[object, ...], Drawn] = field(init=False, factory=dict)
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
        if added(inside) * (1 - MARGIN) >= below * (1 - MARGIN):
            return _nothing(below)
        if self.left <= 0:
            return _nothing(self.least(layers, links, weights), cut_short=True)
        now = time.perf_counter()
        drawn = self._drawn(layers, links, min(self.deadline, now + self.patience / 2))
        heap = [self._opened(cut, weights, inside, cheap) for cut in drawn.cuts]
        found = self._searched(heap, weights, (inside, cheap), below, now + self.patience)
        if drawn.complete:
            return found
        return evolve(found, least=self.least(layers, links, weights), cut_short=True)

    def _searched(
        self,
        heap: list[_Item],
        weights: Weights,
        known: tuple[list[float], list[float]],
        below: float,
        until: float,
    ) -> GroupFound:
        """Return the best option of some prefixes, or the best found until a time.

        Args:
            heap: of prefixes.
            weights: of energy and cycles.
            known: of each member, what `_coarse` is told.
            below: of no use are options that are not below.
            until: by `time.perf_counter`; the deadline may come first, and may be moved.
        """
        heapq.heapify(heap)
        limit, settled = below * (1 - MARGIN), list[Entry]()
        while heap:
            bound, *_, item = heap[0]
            if bound >= limit:
                break
            if isinstance(item, Entry) and min(item.stages) == EXACT:
                return self._found(item, weights, bound)
            if time.perf_counter() >= min(until, self.deadline):
                return self._so_far(heap, weights, bound)
            heapq.heappop(heap)
            if isinstance(item, Cut):
                self._push(heap, self._unfolded(item, weights, known, limit))
                continue
            if isinstance(item, Unfolded):
                unfolded, item = item, item.entry()
                self._push(heap, unfolded)
            if self.dominance and any(dominates(s.option, item.option) for s in settled):
                continue
            if self._refine(item, weights):
                if self.dominance and min(item.stages) == EXACT and self._roomy(item):
                    settled.append(item)
                heapq.heappush(heap, self._queued(item))
        return _nothing(below)

    @property
    def left(self) -> float:
        """Seconds to the deadline."""
        return self.deadline - time.perf_counter()

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

    def _drawn(self, layers: tuple[Einsum, ...], links: tuple[Link, ...], until: float) -> Drawn:
        """Return the prefixes of a group: all, or as many as there is time for."""
        key = (tuple(layer.key for layer in layers), links)
        if key not in self._cuts:
            kept = tuple(self.bodies.kept(layer) for layer in layers)
            self._cuts[key] = Drawn(cuts(self.bodies.architecture, layers, links, kept))
        self._cuts[key].draw(until)
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

    def _queued(self, entry: Entry) -> _Item:
        """Return an option for the heap: of equal bounds the most refined first."""
        bodies = entry.option.group.bodies
        return entry.bound, -1 - added(entry.stages), bodies, next(self._tick), entry

    def _push(self, heap: list[_Item], options: Unfolded) -> None:
        """Push the next option of a prefix, if there is one."""
        if options.at < len(options.least):
            bound, bodies = float(options.least[options.at]), options.cut.group.bodies
            heapq.heappush(heap, (bound, -1, bodies, next(self._tick), options))

    def _unfolded(
        self, cut: Cut, weights: Weights, known: tuple[list[float], list[float]], limit: float
    ) -> Unfolded:
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
        return Unfolded(cut, held, bounds, fixed, order, total[order])

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

    def _refine(self, entry: Entry, weights: Weights) -> bool:
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

    def _roomy(self, entry: Entry) -> bool:
        """Return whether all members would be solved so with all of the level as room."""
        room = self.bodies.architecture.levels[-2].usable_entries
        most = UNLIMITED if room is None else room
        return all(b is not None and b.proven and b.question.room >= most for b in entry.bodies)

    def _so_far(self, heap: list[_Item], weights: Weights, bound: float) -> GroupFound:
        """Return the best option that is known when the time ends, if there is one."""
        entries = [item for *_, item in heap if isinstance(item, Entry)]
        known = [entry for entry in entries if min(entry.stages) == EXACT]
        hopeful = heapq.nsmallest(TRIED, entries, key=lambda entry: entry.bound)
        for entry in hopeful if not known else ():
            if self._finish(entry, weights):
                known = [entry]
                break
        if not known:
            return _nothing(bound, cut_short=True)
        best = self._found(min(known, key=lambda entry: entry.bound), weights, bound)
        return evolve(best, cut_short=True)

    def _finish(self, entry: Entry, weights: Weights) -> bool:
        """Refine all members of an option; return whether it can be run, and was in time."""
        while min(entry.stages) < EXACT:
            if self.left <= 0 or not self._refine(entry, weights):
                return False
        return True

    def _found(self, entry: Entry, weights: Weights, bound: float) -> GroupFound:
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


_Item: TypeAlias = tuple[float, int, int, int, Cut | Unfolded | Entry]
"""Bound, rank among equals, bodies, a number, and what it is of."""
