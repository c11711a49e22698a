"""The best way to run a group, for a weighted sum: a heap of options, refined as far as needed.

An option's bound is the sum of its members', and each of these is at one of three stages: the whole
layer with everything at home, and what must pass the outermost level; the body with its tensors at
home and all of the level as room; the body with the room there is and the held words, which is
exact. The option with the least bound has its least refined member refined. One that comes first
with all members exact is the best.

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

from attrs import define, evolve, field, frozen

from cosearch.loopnest.group import FusedGroup
from cosearch.mapping.outline import Weights
from cosearch.workload.einsum import Einsum
from cosearch.workload.link import Link
from cosearch_plugins.mappers.exact.arrays import MARGIN
from cosearch_plugins.mappers.fused.bodies import Bodies, Body, Demand, Question
from cosearch_plugins.mappers.fused.options import UNLIMITED, Option, options, prefixes

COARSE, ROOMY, EXACT = 0, 1, 2
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
    option: Option
    bounds: list[float]
    stages: list[int]
    bodies: list[Body | None]
    fixed: float

    @property
    def bound(self) -> float:
        return self.fixed + sum(self.bounds)


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
    _options: dict[tuple[object, ...], list[Option]] = field(init=False, factory=dict)

    def best(
        self,
        layers: tuple[Einsum, ...],
        links: tuple[Link, ...],
        weights: Weights,
        below: float = math.inf,
    ) -> GroupFound:
        """Return the best way to run layers as one group, if it is below a value."""
        tick = itertools.count()
        heap = [self._item(entry, tick) for entry in self._entries(layers, links, weights)]
        heapq.heapify(heap)
        settled: list[_Entry] = []
        limit = below * (1 - MARGIN)
        while heap:
            bound, *_, entry = heapq.heappop(heap)
            if bound >= limit:
                break
            if time.perf_counter() >= self.deadline:
                return GroupFound(None, math.inf, math.inf, math.inf, bound)
            if min(entry.stages) == EXACT:
                return self._found(entry, weights, bound)
            if self.dominance and any(_dominates(s.option, entry.option) for s in settled):
                continue
            if self._refine(entry, weights):
                if self.dominance and min(entry.stages) == EXACT and self._roomy(entry):
                    settled.append(entry)
                heapq.heappush(heap, self._item(entry, tick))
        return GroupFound(None, math.inf, math.inf, math.inf, below)

    @staticmethod
    def _item(entry: _Entry, tick: Iterator[int]) -> tuple[float, int, int, int, _Entry]:
        return (
            entry.bound,
            -sum(entry.stages),
            entry.option.group.bodies,
            next(tick),
            entry,
        )

    def _entries(
        self, layers: tuple[Einsum, ...], links: tuple[Link, ...], weights: Weights
    ) -> Iterator[_Entry]:
        key = (tuple(layer.key for layer in layers), links)
        if key not in self._options:
            architecture = self.bodies.architecture
            kept = tuple(self.bodies.kept(layer) for layer in layers)
            self._options[key] = [
                o for group in prefixes(layers, links) for o in options(architecture, group, kept)
            ]
        alone = FusedGroup(layers, links)
        whole = [
            Question(
                layer,
                layer,
                self.bodies.kept(layer) | frozenset(alone.intermediates(j)),
                UNLIMITED,
            )
            for j, layer in enumerate(layers)
        ]
        both = [self.bodies.best(q, weights).least for q in whole]
        cheap = [self.bodies.best(q, (1.0, 0.0)).least for q in whole]
        for option in self._options[key]:
            self.entries += 1
            bounds = [
                self._coarse(option, j, weights, both[j], cheap[j]) for j in range(len(layers))
            ]
            yield _Entry(
                option,
                bounds,
                [COARSE] * len(layers),
                [None] * len(layers),
                weights[0] * option.held_pj,
            )

    def _coarse(
        self, option: Option, member: int, weights: Weights, both: float, cheap: float
    ) -> float:
        """Return the least weighted sum of a member, what it holds left out."""
        own = [c for c in option.choices if c.member == member]
        streamed = sum(c.energy_pj for c in own if c.depth is None)
        reads, writes = sum(c.read for c in own), sum(c.write for c in own)
        outermost = self.bodies.architecture.levels[-1]
        cycles = max(
            reads / (outermost.read_bandwidth or math.inf),
            writes / (outermost.write_bandwidth or math.inf),
            (reads + writes) / (outermost.shared_bandwidth or math.inf),
        )
        first = both + weights[0] * streamed
        return max(first, weights[0] * (cheap + streamed) + weights[1] * cycles) * (1 - MARGIN)

    def _refine(self, entry: _Entry, weights: Weights) -> bool:
        """Refine the least refined member; return whether the option can be run still."""
        member = entry.stages.index(min(entry.stages))
        entry.stages[member] += 1
        question = self._question(entry.option, member)
        bodies = entry.option.group.bodies
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
        reads, writes = sum(c.read for c in held), sum(c.write for c in held)
        return Question(
            group.layers[member],
            group.cut(member),
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

    def _found(self, entry: _Entry, weights: Weights, bound: float) -> GroupFound:
        bodies, option = entry.option.group.bodies, entry.option
        solved = [b for b in entry.bodies if b is not None]
        energy = option.held_pj + bodies * sum(b.energy_pj for b in solved)
        levels = self.bodies.architecture.levels
        cycles = bodies * sum(
            b.cycles_at(self._question(option, j).demand, levels) for j, b in enumerate(solved)
        )
        mappings = tuple(b.mapping for b in solved if b.mapping is not None)
        value = weights[0] * energy + weights[1] * cycles
        return GroupFound(
            evolve(option.group, mappings=mappings), energy, cycles, value, min(bound, value)
        )


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
        if b.depth is None:
            continue
        if a.depth is None or (places[a.depth - 1] if a.depth else 0) > b.depth:
            return False
    return True
