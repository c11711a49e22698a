"""Groups of layers that run together, as the JSON-able facts that the store and files keep."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from attrs import evolve, frozen

from cosearch.errors import CosearchError
from cosearch.loopnest.group import FusedGroup, Held, PrefixLoop
from cosearch.loopnest.mapping import LevelMapping, Loop
from cosearch.loopnest.mapping import Mapping as LoopMapping
from cosearch.mapping.fused import FusedMapping, FusedRun
from cosearch.workload.link import Link
from cosearch.workload.network import Network

Levels: TypeAlias = Sequence[Mapping[str, Any]]
"""A mapping: of each level, inner to outer, its name, what it keeps, and its loops."""


@frozen
class GroupResult:
    """A group of a network's layers, or a layer alone, and how it runs.

    Attributes:
        layers: names of its members.
        places: of the members in the network's `layers`, where it first runs.
        count: how often the network runs it, and others that equal it.
        prefix: its loops, outermost first: bound, and of each member the dimension.
        held: what is held: member, tensor, loops of the prefix outside its tile.
        mappings: of each member.
        energy_pj, cycles: of one run.
        room: words of the second outermost level in use at the fullest moment.
        outermost_words, unfused_words: that pass to and from the outermost level in one run, and
            would if each member ran alone.
    """

    layers: tuple[str, ...]
    places: tuple[int, ...]
    count: int
    prefix: tuple[tuple[int, tuple[str, ...]], ...]
    held: tuple[tuple[int, str, int], ...]
    mappings: tuple[Levels, ...]
    energy_pj: float
    cycles: float
    room: int
    outermost_words: int
    unfused_words: int

    @classmethod
    def of(cls, run: FusedRun) -> GroupResult:
        """Return a group that a mapper found."""
        group, cost = run.group, run.cost
        return cls(
            run.layers,
            run.places,
            run.count,
            tuple((loop.bound, loop.dims) for loop in group.prefix),
            tuple((held.member, held.tensor, held.depth) for held in group.held),
            tuple(levels_of(mapping) for mapping in group.mappings),
            cost.energy_pj,
            float(cost.cycles),
            cost.room,
            cost.outermost_words,
            run.unfused_words,
        )

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> GroupResult:
        """Return a group from its fields as JSON has them."""
        known = dict(facts)
        known["layers"], known["places"] = tuple(known["layers"]), tuple(known["places"])
        known["prefix"] = tuple((bound, tuple(dims)) for bound, dims in known["prefix"])
        known["held"] = tuple((member, name, depth) for member, name, depth in known["held"])
        known["mappings"] = tuple(tuple(levels) for levels in known["mappings"])
        return cls(**known)

    def group(self, network: Network) -> FusedGroup:
        """Return it as the model prices it.

        Args:
            network: whose layers it runs.

        Raises:
            CosearchError: the network does not link these layers.
        """
        return FusedGroup(
            tuple(network.layers[i].einsum for i in self.places),
            links_between(network, self.places),
            tuple(PrefixLoop(bound, dims) for bound, dims in self.prefix),
            tuple(Held(*held) for held in self.held),
            tuple(mapping_of(levels) for levels in self.mappings),
        )


def results_of(found: FusedMapping) -> tuple[GroupResult, ...]:
    """Return the groups of a network as facts."""
    return tuple(GroupResult.of(run) for run in found.runs)


def links_between(network: Network, places: Sequence[int]) -> tuple[Link, ...]:
    """Return the links from each layer to the next, numbered from 0; raises CosearchError."""
    links = []
    for new, (a, b) in enumerate(itertools.pairwise(places)):
        found = [link for link in network.links if (link.producer, link.consumer) == (a, b)]
        if not found:
            names = network.layers[a].name, network.layers[b].name
            raise CosearchError(f"{network.name} has no link from {names[0]!r} to {names[1]!r}")
        links.append(evolve(found[0], producer=new, consumer=new + 1))
    return tuple(links)


def levels_of(mapping: LoopMapping) -> Levels:
    """Return a mapping as facts."""
    return tuple(
        {
            "level": entry.level,
            "keep": sorted(entry.keep),
            "temporal": [[loop.dim, loop.bound] for loop in entry.temporal],
            "spatial_x": [[loop.dim, loop.bound] for loop in entry.spatial_x],
            "spatial_y": [[loop.dim, loop.bound] for loop in entry.spatial_y],
        }
        for entry in mapping.levels
    )


def mapping_of(levels: Levels) -> LoopMapping:
    """Return a mapping from its facts."""
    slots = ("temporal", "spatial_x", "spatial_y")
    return LoopMapping(
        [
            LevelMapping(
                entry["level"],
                entry["keep"],
                *(tuple(Loop(dim, bound) for dim, bound in entry[slot]) for slot in slots),
            )
            for entry in levels
        ]
    )
