"""A network mapped in groups of layers that run together: the result, whoever finds it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from cosearch.loopnest.group import FusedGroup
from cosearch.loopnest.model.fused import GroupCost
from cosearch.quantities import added
from cosearch.search.objective import Objective


@frozen(eq=False)
class FusedRun:
    """A group of a network, or a layer alone, and how often the network runs it.

    Attributes:
        layers: names of its members.
        places: of its members in the network's `layers`, where it first runs.
        count: runs of this group, and of others that equal it.
        group: with the mappings of its members; one member is a layer alone.
        cost: of one run, by the readable model.
        unfused_words: that its members alone pass to and from the outermost level, one run.
    """

    layers: tuple[str, ...]
    places: tuple[int, ...]
    count: int
    group: FusedGroup
    cost: GroupCost
    unfused_words: int

    @property
    def fused(self) -> bool:
        """Whether several layers run together."""
        return len(self.layers) > 1


@frozen(eq=False)
class FusedMapping:
    """The best way to run a network in groups.

    Attributes:
        objective: of the network.
        runs: its groups and single layers, equal ones once, in order of first execution.
        unfused: energy (pJ) and cycles of the best mapping layer by layer.
        gap: how far below the network's objective another choice can be at most, relative.
        seconds: spent.
        solves: bodies searched.
        options: ways to run a group that were bounded.
    """

    objective: Objective
    runs: tuple[FusedRun, ...]
    unfused: tuple[float, float]
    gap: float
    seconds: float
    solves: int
    options: int

    @property
    def energy_pj(self) -> float:
        """Of the network, runs counted."""
        return added(run.count * run.cost.energy_pj for run in self.runs)

    @property
    def cycles(self) -> float:
        """Of the network, runs counted."""
        return float(added(run.count * run.cost.cycles for run in self.runs))

    @property
    def outermost_words(self) -> int:
        """Words that pass to and from the outermost level."""
        return added(run.count * run.cost.outermost_words for run in self.runs)

    @property
    def unfused_words(self) -> int:
        """The same, layer by layer."""
        return added(run.count * run.unfused_words for run in self.runs)

    @property
    def value(self) -> float:
        """The network's objective."""
        return value_of(self.objective, (self.energy_pj, self.cycles))

    @property
    def unfused_value(self) -> float:
        """The same, layer by layer."""
        return value_of(self.objective, self.unfused)


def value_of(objective: Objective, sums: Sequence[float]) -> float:
    """Return an objective of energy (pJ) and cycles."""
    columns = {"energy_pj": np.array([sums[0]]), "cycles": np.array([sums[1]])}
    return float(objective.of(columns)[0])
