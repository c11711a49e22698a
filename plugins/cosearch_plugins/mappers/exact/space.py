"""What the search knows of a mapspace; a machine of one memory is searched as one of two.

The search chooses tiles between levels, and one memory has nothing between. A level that stores
nothing, spreads nothing and runs no loops, right above the multipliers, changes no mapping's cost
where no network lies between, whose hops are counted otherwise at the multipliers.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from attrs import evolve, field, frozen

from cosearch.errors import CosearchError
from cosearch.loopnest.kernel.pack import NEVER
from cosearch.loopnest.mapping import Constraints, LevelConstraint
from cosearch.machine.architecture import AccessEnergy, Architecture, Link, Memory
from cosearch.typing import IntArray
from cosearch.workload.einsum import Einsum

IDLE = "(idle)"
"""The level's name, which no user's machine has: it never leaves the search."""


class Space(Protocol):
    """What a solver knows of a mapspace.

    A tensor at home in a fused group is kept at the second outermost level and never at the
    outermost.
    """

    @property
    def architecture(self) -> Architecture:
        """The machine."""

    @property
    def layer(self) -> Einsum:
        """What is mapped."""

    @property
    def constraints(self) -> Constraints:
        """What a mapping may do."""

    @property
    def keep_modes(self) -> IntArray:
        """What each level keeps."""


@frozen(eq=False)
class Underlaid:
    """A mapspace with an idle level inside.

    Attributes:
        architecture, layer, constraints, keep_modes: see `Space`.
    """

    architecture: Architecture
    layer: Einsum
    constraints: Constraints
    keep_modes: IntArray = field()


def deep_enough(space: Space) -> Space:
    """Return a space of the same mappings on a machine of two levels or more.

    Raises:
        CosearchError: the machine has one memory and a network to its multipliers.
    """
    machine, layer = space.architecture, space.layer
    if len(machine.levels) > 1:
        return space
    (memory,) = machine.levels
    if memory.network_below != Link():
        raise CosearchError(
            f"the exact mapper has no proof for one memory with a network: {memory.name}",
            "name another mapper: -m annealing, -m random",
        )
    mesh = machine.compute.mesh_x, machine.compute.mesh_y
    idle = Memory(
        IDLE, 0, AccessEnergy.uniform(0.0), mesh_x=mesh[0], mesh_y=mesh[1], keeps=frozenset()
    )
    ones = dict.fromkeys(layer.dims, 1)
    return Underlaid(
        evolve(machine, levels=(idle, *machine.levels)),
        layer,
        {**space.constraints, IDLE: LevelConstraint(temporal=ones, spatial=ones)},
        np.vstack([np.full_like(space.keep_modes, NEVER), space.keep_modes]),
    )
