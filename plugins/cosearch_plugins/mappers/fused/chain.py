"""The best groups of a chain of layers, for a weighted sum: a shortest path.

A weighted sum adds up over groups, so that the best groups of a chain are a shortest path over its
layers. Equal groups are searched once, and groups that cannot be on the path not at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from attrs import define, evolve, field, frozen

from cosearch.errors import CosearchError
from cosearch.loopnest.group import FusedGroup
from cosearch.loopnest.model.fused import refuse_unfusable
from cosearch.machine.architecture import Architecture
from cosearch.machine.widths import mixed, mode
from cosearch.mapping.outline import Weights
from cosearch.quantities import added
from cosearch.workload.einsum import Einsum
from cosearch.workload.link import Link
from cosearch_plugins.mappers.exact.arrays import MARGIN
from cosearch_plugins.mappers.fused.envelope import Envelope
from cosearch_plugins.mappers.fused.group import GroupFound, GroupSearch
from cosearch_plugins.mappers.fused.path import Piece, Span, shortest


@frozen
class Chain:
    """Layers, each linked to the next.

    Attributes:
        layers: in order.
        links: numbered within the chain.
    """

    layers: tuple[Einsum, ...]
    links: tuple[Link, ...] = ()

    def part(self, first: int, end: int) -> Chain:
        """Return some of its layers."""
        links = tuple(link.moved(-first) for link in self.links[first : end - 1])
        return Chain(self.layers[first:end], links)


@frozen(eq=False)
class ChainFound:
    """The best groups of a chain.

    Attributes:
        groups: in order, each with mappings.
        energy_pj, cycles: of one run.
        least: no groups have a smaller weighted sum.
        gap: how far below their weighted sum another choice's can be at most, relative.
    """

    groups: tuple[FusedGroup, ...]
    energy_pj: float
    cycles: float
    least: float
    gap: float


CLAIM = 1e-9
"""How far the energy of a group's bodies may be from the readable model's, relative."""

Alone = Callable[[Einsum, Weights], GroupFound]
"""Maps a layer alone."""


def multiplying(architecture: Architecture, layers: Sequence[Einsum]) -> tuple[float, float]:
    """Return energy (pJ) and cycles that layers take at least, however they run together."""
    works = [(layer.macs, mode(architecture, layer)) for layer in layers]
    energy = added(macs * how.energy_pj for macs, how in works)
    steps = added(macs * how.cycles for macs, how in works)
    return energy * (1 - CLAIM), steps / architecture.compute.instances


def _proven(found: GroupFound) -> bool:
    return found.least >= found.value * (1 - 2 * MARGIN)


@define(eq=False)
class ChainSearch:
    """Searches chains.

    Args:
        search: of groups.
        alone: maps a layer alone.
        most: layers in a group.
    """

    search: GroupSearch
    alone: Alone
    most: int = 4
    _known: dict[tuple[Chain, Weights], GroupFound] = field(init=False, factory=dict)
    _tried: dict[Chain, list[GroupFound]] = field(init=False, factory=dict)
    _bounds: dict[tuple[Chain, Weights], float] = field(init=False, factory=dict)
    _envelopes: dict[Chain, Envelope[GroupFound]] = field(init=False, factory=dict)

    def best(self, chain: Chain, weights: Weights) -> ChainFound:
        """Return the best groups of a chain for a weighted sum."""
        n = len(chain.layers)
        pieces = {
            (first, end): self._piece(chain.part(first, end), weights)
            for first in range(n)
            for end in range(first + 1, min(n, first + self.most) + 1)
        }

        def ask(span: Span, below: float) -> GroupFound:
            return self._group(chain.part(*span), weights, below)

        path = shortest(n, pieces, ask)
        energy = added(found.energy_pj for found in path.groups)
        cycles = added(found.cycles for found in path.groups)
        total = weights[0] * energy + weights[1] * cycles
        gap = 0.0 if path.least >= total * (1 - 2 * MARGIN) else 1 - path.least / total
        groups = tuple(found.group for found in path.groups if found.group is not None)
        return ChainFound(groups, energy, cycles, path.least, gap)

    def _piece(self, part: Chain, weights: Weights) -> Piece:
        """Return what is known of some layers as one group: of a layer alone all there is."""
        if len(part.layers) == 1 or (part, weights) in self._known:
            found = self._group(part, weights, math.inf)
            return Piece(found.least, found, open=False)
        least = self._least_unsearched(part, weights)
        if least is not None:
            return Piece(least, open=False)
        envelope = self._envelopes.get(part)
        others = 0.0 if envelope is None else envelope.least(weights)
        least = max(others, self.search.least(part.layers, part.links, weights))
        return Piece(least, self._tried_best(part, weights))

    def _tried_best(self, part: Chain, weights: Weights) -> GroupFound | None:
        """Return the best that searches cut short have found, for whatever weights."""
        tried = [
            evolve(found, value=weights[0] * found.energy_pj + weights[1] * found.cycles, least=0.0)
            for found in self._tried.get(part, ())
        ]
        return min(tried, key=lambda found: found.value, default=None)

    def _group(self, part: Chain, weights: Weights, below: float) -> GroupFound:
        """Return the best way to run some layers as one group, if it is below a value."""
        key = (part, weights)
        nothing = GroupFound(None, math.inf, math.inf, math.inf, below)
        if key in self._known:
            return self._known[key]
        if self._bounds.get(key, -math.inf) >= below:
            return evolve(nothing, least=self._bounds[key])
        if len(part.layers) == 1:
            self._known[key] = self.alone(part.layers[0], weights)
            return self._known[key]
        found = self._between(part, weights, below)
        if found is None:
            found = self.search.best(part.layers, part.links, weights, below)
            self._envelopes.setdefault(part, Envelope()).learn(weights, found.least, found)
        if found.group is None or found.cut_short:
            self._bounds[key] = max(found.least, self._bounds.get(key, 0.0))
        else:
            self._known[key] = found
        if found.group is not None and found.cut_short:
            self._tried.setdefault(part, []).append(found)
        return found

    def _least_unsearched(self, part: Chain, weights: Weights) -> float | None:
        """Return what a group takes at least that is not searched; None of one that is.

        Nothing runs as a group that is forbidden. One of tensors that are not a word wide each
        might, but groups are counted in words: what it would reach stays open.
        """
        architecture = self.search.bodies.architecture
        if any(self._refused(part)):
            return math.inf
        if not any(mixed(architecture, layer) for layer in part.layers):
            return None
        energy, cycles = multiplying(architecture, part.layers)
        return weights[0] * energy + weights[1] * cycles

    def _between(self, part: Chain, weights: Weights, below: float) -> GroupFound | None:
        """Return what other weights tell of a group, where that is enough; else None."""
        envelope = self._envelopes.get(part)
        if envelope is None:
            return None
        least, around = envelope.least(weights), envelope.around(weights)
        if least >= below:
            return GroupFound(None, math.inf, math.inf, math.inf, least)
        if around is None or around[0].group is None or not all(map(_proven, around)):
            return None
        first, second = around
        if (first.energy_pj, first.cycles) != (second.energy_pj, second.cycles):
            return None
        value = weights[0] * first.energy_pj + weights[1] * first.cycles
        return evolve(first, value=value, least=value)

    def _refused(self, part: Chain) -> Iterator[bool]:
        """Yield whether something forbids that layers run as one group."""
        bodies = self.search.bodies
        try:
            refuse_unfusable(bodies.architecture)
        except CosearchError:
            yield True
            return
        yield any(map(bodies.loops_prescribed, part.layers))
        for link in part.links:
            producer, consumer = part.layers[link.producer], part.layers[link.consumer]
            yield not bodies.keeps(producer, producer.output.name)
            yield not bodies.keeps(consumer, link.operand)
