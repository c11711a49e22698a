"""A body of a fused group: what is asked of it, and its best mapping."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

from attrs import frozen

from cosearch.errors import PluginError
from cosearch.loopnest.mapping import Mapping
from cosearch.loopnest.model.analysis import Analysis, LevelAnalysis
from cosearch.loopnest.model.reference import analyse, throttling
from cosearch.loopnest.nest import Nest
from cosearch.machine.architecture import Architecture, Memory
from cosearch.quantities import added
from cosearch.workload.einsum import Einsum


@frozen
class Demand:
    """Words of held tensors that one body moves: read and written outside, written on chip."""

    read: float = 0.0
    write: float = 0.0

    def within(self, other: Demand) -> bool:
        """Return whether it is no more than another."""
        return self.read <= other.read and self.write <= other.write


NO_DEMAND = Demand()


@frozen
class Question:
    """A body.

    Attributes:
        member: the layer it is a part of, whose rules of keeping hold for it.
        layer: its size.
        home: names of the tensors at home.
        room: words of the fusion level that are left for what is streamed.
        demand: of held words.
        bodies: how often it runs.
        visits: how many bodies add to one result.
    """

    member: Einsum
    layer: Einsum
    home: frozenset[str]
    room: int
    demand: Demand = NO_DEMAND
    bodies: int = 1
    visits: int = 1


@frozen(eq=False)
class Body:
    """The best mapping of a body; None where nothing fits.

    Attributes:
        question: that it was found for.
        mapping: itself.
        energy_pj, cycles: of one body.
        least: the weighted sum that no mapping undercuts.
        proven: whether that is the mapping's own, but for rounding.
        architecture: as the body finds it.
    """

    question: Question
    mapping: Mapping | None = None
    energy_pj: float = math.inf
    cycles: float = math.inf
    least: float = math.inf
    proven: bool = True
    architecture: Architecture | None = None

    def answers(self, question: Question, levels: Sequence[Memory]) -> bool:
        """Return whether no other mapping is better for another question of the same body."""
        own = self.question
        if own.room < question.room or not own.demand.within(question.demand):
            return False
        if self.mapping is None:
            return True
        fits = self.words <= question.room
        return fits and (
            own.demand == question.demand or self.cycles_at(question.demand, levels) == self.cycles
        )

    @cached_property
    def words(self) -> int:
        """Words of the fusion level that it streams through."""
        if self.mapping is None:
            return 0
        nest, top = Nest.of(self.question.layer, self.mapping), len(self.mapping.levels) - 1
        kept = self.mapping.levels[-2].keep
        return added(
            math.prod(nest.box(t, top - 1))
            for t in self.question.layer.tensors
            if t.name in kept and t.name not in self.question.home
        )

    @cached_property
    def _seen(self) -> Analysis:
        """What happens at each level, only ever needed under another demand."""
        if self.mapping is None or self.architecture is None:
            raise PluginError("nothing is known of a body that has no mapping")
        return analyse(self.architecture, self.question.layer, self.mapping)

    @cached_property
    def _moving(self) -> tuple[tuple[tuple[float, float], ...], ...]:
        """Words read and written at the fusion level and the outermost, by tensor."""
        (inner, outer), visits = self._seen.levels[-2:], self.question.visits
        outside = {t.tensor for t in outer.tensors}
        return _moved(inner, visits, outside), _moved(outer, visits, set())

    def cycles_at(self, demand: Demand, levels: Sequence[Memory]) -> int:
        """Return the cycles under another demand."""
        steps = self._seen.steps
        inside, outside = self._moving
        inner = throttling(levels[-2], [(0.0, demand.read), *inside], steps)
        outer = throttling(levels[-1], [(demand.read, demand.write), *outside], steps)
        waits = max((level.cycles for level in self._seen.levels[:-2]), default=0)
        return max(waits, math.ceil(steps / inner), math.ceil(steps / outer), steps)


def _moved(level: LevelAnalysis, visits: int, outside: set[str]) -> tuple[tuple[float, float], ...]:
    """Return the words read and written of each tensor, first visits credited once in `visits`."""
    out: list[tuple[float, float]] = []
    for t in level.tensors:
        if t.updates and visits > 1:
            first, filled = t.partition_size, t.partition_size if t.tensor in outside else 0
            reads = t.reads + first - first / visits
            out.append((reads, t.fills + filled - filled / visits + t.updates))
        else:
            out.append((t.reads, t.fills + t.updates))
    return tuple(out)
