"""Bodies: members of fused groups as the exact search solves them, each question once.

A body's best mapping for a weighted sum depends on its size, on what is at home, on the room left
and on the constant demand of held words. A solution answers many more questions than its own: less
room is no better, nor is more demand, so while it still fits and still takes as many cycles it is
still the best.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from attrs import define, evolve, field, frozen

from cosearch.errors import Infeasible
from cosearch.lately import Lately
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.kernel.pack import ALWAYS, NEVER
from cosearch.loopnest.mapping import Constraints
from cosearch.machine.architecture import Architecture, Partition
from cosearch.mapping.outline import Weights
from cosearch.typing import IntArray
from cosearch.workload.einsum import Einsum
from cosearch_plugins.mappers.exact.arrays import MARGIN, Aim
from cosearch_plugins.mappers.exact.problem import OrderTables
from cosearch_plugins.mappers.exact.solve import Certificate, Limits, Solver
from cosearch_plugins.mappers.fused.body import NO_DEMAND, Body, Question
from cosearch_plugins.mappers.fused.coarser import Coarser
from cosearch_plugins.mappers.fused.envelope import Envelope

REMEMBERED = 8192
"""Bodies kept at once, of all machines."""

MOST_SOLVERS = 64
"""Solvers whose tables are kept at once, up to some megabytes each."""

UNLIMITED = 2**60
"""Words of room where a level has no end."""


def _apart(question: Question) -> tuple[object, ...]:
    """Return what a body is apart from room and held words: with neither it is no dearer."""
    return (
        question.layer.key,
        question.member.key,
        question.home,
        question.bodies,
        question.visits,
    )


@frozen(eq=False)
class _Place:
    """A body on a machine with some room, as a solver knows a mapspace."""

    architecture: Architecture
    layer: Einsum
    constraints: Constraints
    keep_modes: IntArray


@define(eq=False, slots=False)
class Bodies:
    """Answers questions about bodies on one machine.

    Args:
        machine: which.
        tables: order classes, shared with others.
        open_bypass: whether open choices of what to keep are searched.
        limits: on each search.
        memory: of bodies searched, by all that they depend on: also those of other machines.

    Attributes:
        solves: searches so far.
        nodes: partial mappings bounded.
    """

    machine: SpatialAccelerator
    tables: OrderTables = field(factory=OrderTables)
    open_bypass: bool = True
    limits: Limits = field(factory=Limits)
    memory: Lately[tuple[object, ...], Body] = field(factory=lambda: Lately(REMEMBERED))
    solves: int = 0
    nodes: int = 0
    _found: dict[tuple[object, ...], list[Body]] = field(init=False, factory=dict)
    _envelopes: dict[tuple[object, ...], Envelope[Body]] = field(init=False, factory=dict)
    _solvers: dict[tuple[object, ...], Solver | None] = field(init=False, factory=dict)
    _roomy: Lately[tuple[object, ...], Solver] = field(
        init=False, factory=lambda: Lately(MOST_SOLVERS)
    )
    _sizes: dict[tuple[str, Weights], Coarser] = field(init=False, factory=dict)

    @property
    def architecture(self) -> Architecture:
        """The machine's."""
        return self.machine.architecture

    def kept(self, layer: Einsum) -> frozenset[str]:
        """Return the names of the tensors that the fusion level keeps in any case."""
        modes = self.machine.mapspace(layer).keep_modes[-2]
        return frozenset(
            t.name for t, mode in zip(layer.tensors, modes, strict=True) if mode == ALWAYS
        )

    def keeps(self, layer: Einsum, name: str) -> bool:
        """Return whether the fusion level may keep a tensor, and no other has its role."""
        modes = self.machine.mapspace(layer).keep_modes[-2]
        roles = [t.role for t in layer.tensors]
        return any(
            t.name == name and mode != NEVER and roles.count(t.role) == 1
            for t, mode in zip(layer.tensors, modes, strict=True)
        )

    def loops_prescribed(self, layer: Einsum) -> bool:
        """Return whether a rule speaks of loops outside, where those of a prefix are."""
        rule = self.machine.constraints_for(layer).get(self.architecture.levels[-1].name)
        return rule is not None and bool(rule.temporal or rule.temporal_most or rule.order)

    def best(self, question: Question, weights: Weights) -> Body:
        """Return the best mapping of a body for a weighted sum; without one where nothing fits."""
        levels = self.architecture.levels
        question = self._plain(question, weights)
        known = self._found.setdefault(
            (
                question.layer.key,
                question.member.key,
                question.home,
                question.bodies,
                question.visits,
                weights,
            ),
            [],
        )
        for body in known:
            if body.answers(question, levels):
                return body
        found = self._asked(evolve(question, room=UNLIMITED), weights)
        if not found.answers(question, levels):
            found = self._asked(question, weights)
        known.append(found)
        return found

    def _plain(self, question: Question, weights: Weights) -> Question:
        """Return a question without what makes no difference on this machine."""
        levels = self.architecture.levels
        idle = weights[1] == 0 and all(m.leak_pj_per_cycle == 0 for m in levels)
        if question.demand != NO_DEMAND and (idle or not self._demand_counts()):
            question = evolve(question, demand=NO_DEMAND)
        plain = question.visits == 1 and all(m.block_size == 1 for m in levels)
        return evolve(question, bodies=1) if plain and question.bodies > 1 else question

    def _asked(self, question: Question, weights: Weights) -> Body:
        """Return the answer to this very question, whoever asked it before.

        It does not depend on what was asked before: machines that differ in the room of the fusion
        level alone have the same answers, in whatever order they come.
        """
        key = (
            self._roomless,
            self._rules(question.layer),
            self.machine.mapspace(question.member).keep_modes.tobytes(),
            question.layer.key,
            question.home,
            question.room,
            question.demand,
            question.bodies,
            question.visits,
            weights,
        )
        found = self.memory.get(key, lambda: self._solve(question, weights))
        if question.room == UNLIMITED and question.demand == NO_DEMAND:
            envelope = self._envelopes.setdefault(_apart(question), Envelope())
            envelope.learn(weights, found.least if found.least < math.inf else 0.0, found)
            if found.mapping is not None:
                self._coarser(question, weights).learn(question.layer, question.home, found.least)
        return found

    def _coarser(self, question: Question, weights: Weights) -> Coarser:
        key = question.member.key, weights
        if key not in self._sizes:
            self._sizes[key] = Coarser(question.member, self.kept(question.member))
        return self._sizes[key]

    def least(self, question: Question, weights: Weights) -> float:
        """Return what no mapping of a body undercuts, as known from others: maybe 0."""
        envelope = self._envelopes.get(_apart(self._plain(question, weights)))
        other_weights = 0.0 if envelope is None else envelope.least(weights)
        coarser = self._coarser(question, weights).least(question.layer, question.home)
        return max(other_weights, coarser) * (1 - MARGIN)

    @cached_property
    def _roomless(self) -> tuple[str, bool]:
        """A digest of all that a body depends on but its layer's rules and the room."""
        levels = self.architecture.levels
        endless = evolve(levels[-2], entries=None, area_um2=0.0)
        machine = evolve(
            self.architecture, levels=(*levels[:-2], endless, levels[-1]), clock_mhz=None
        )
        return machine.key, self.open_bypass

    def _rules(self, layer: Einsum) -> tuple[tuple[str, str], ...]:
        rules = self.machine.constraints_for(layer)
        return tuple(sorted((level, rule.key) for level, rule in rules.items()))

    def _demand_counts(self) -> bool:
        return any(
            w is not None
            for m in self.architecture.levels[-2:]
            for w in (m.read_bandwidth, m.write_bandwidth, m.shared_bandwidth)
        )

    def _solve(self, question: Question, weights: Weights) -> Body:
        solver = self._solver(question)
        if solver is None:
            return Body(question)
        self.solves += 1
        found = solver.solve(Aim.weighted(*weights), self.limits)
        self.nodes += found.nodes
        if found.mapping is None:
            return Body(question, least=math.inf if found.proven else 0.0)
        return self._body(question, solver, found, weights)

    def _body(
        self, question: Question, solver: Solver, found: Certificate, weights: Weights
    ) -> Body:
        mapping = found.mapping
        if mapping is None:
            return Body(question)
        value = weights[0] * found.energy_pj + weights[1] * found.cycles
        gap = 1.0 if found.gap is None or solver.narrowed else found.gap
        return Body(
            question,
            mapping,
            found.energy_pj,
            found.cycles,
            (1 - gap) * value,
            gap == 0,
            solver.space.architecture,
        )

    def _solver(self, question: Question) -> Solver | None:
        """Return a solver with the room and demand of a question; None where nothing fits."""
        size = (question.layer.key, question.member.key)
        if size not in self._solvers:
            self._solvers[size] = self._laid_out(question)
        first, key = self._solvers[size], (*size, question.home)
        if first is None:
            return None
        place = self._place(question)
        roomy = self._roomy.find((*key, question.room))
        demand = np.zeros((len(self.architecture.levels), 2))
        demand[-1] = question.demand.read, question.demand.write
        demand[-2, 1] = question.demand.read
        other = (roomy or first).of_bodies(
            place, demand, question.bodies, question.visits, same_room=roomy is not None
        )
        return self._roomy.keep((*key, question.room), other)

    def _laid_out(self, question: Question) -> Solver | None:
        try:
            return Solver(self._place(question), self.tables, self.open_bypass, self.limits)
        except Infeasible:
            return None

    def _place(self, question: Question) -> _Place:
        layer, home, levels = question.layer, question.home, self.architecture.levels
        roles = {t.role: 0 for t in layer.tensors if t.name in home}
        for tensor in layer.tensors:
            if tensor.role in roles:
                roles[tensor.role] += layer.words(tensor)
        level = levels[-2]
        copies = level.multiple_buffering
        aside = {r: Partition(math.ceil(n * copies), level.energy) for r, n in roles.items()}
        entries = None if level.entries is None else math.ceil(question.room * copies)
        machine = evolve(
            self.architecture,
            levels=(*levels[:-2], evolve(level, entries=entries, partitions=aside), levels[-1]),
        )
        modes = self.machine.mapspace(question.member).keep_modes.copy()
        for t, tensor in enumerate(layer.tensors):
            if tensor.name in home:
                modes[-2, t], modes[-1, t] = ALWAYS, NEVER
        return _Place(machine, layer, self.machine.constraints_for(layer), modes)
