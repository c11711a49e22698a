"""What is asked of a mapper: all that decides a mapping besides the machine and the layer."""

from __future__ import annotations

from functools import cache, cached_property
from importlib.metadata import version

import numpy as np
from attrs import field, frozen

from cosearch.mapping.mapper import Budget, Mapper
from cosearch.search.objective import Objective
from cosearch.search.seeds import stream

NETWORK = "network"
"""Mappings are chosen together, for the objective of the whole network."""

LAYERS = "layers"
"""Every layer has the mapping that is best for itself, as studies had before there was a choice."""

COMBINATIONS = (NETWORK, LAYERS)


@frozen(eq=False)
class MappingTask:
    """How layers are mapped, the same for a design of a study and for a machine by itself.

    Attributes:
        mapper: finds each layer's mapping.
        name: of the mapper, with its options, in canonical form.
        objective: of the network, for which each layer is mapped first.
        budget: what the mapper may spend on one search of a layer.
        seed: of the random streams, where the mapper has a use for them.
        combine: one of COMBINATIONS.
        rests_on: what code a result rests on besides cosearch's version, see
            `cosearch.origin.made_by`.
    """

    mapper: Mapper
    name: str
    objective: Objective
    budget: Budget = field(factory=Budget)
    seed: int = 0
    combine: str = NETWORK
    rests_on: str = ""

    def purpose(self, objective: Objective | None = None) -> str:
        """Return what a mapping depends on besides the layer and the machine.

        Args:
            objective: of the search; None is the task's own.
        """
        aim, seed = objective or self.objective, self.seed if self.mapper.uses_rng else "any"
        limits = f"evaluations={self.budget.evaluations} seconds={self.budget.seconds} seed={seed}"
        return " ".join(filter(None, (self.name, aim.name, limits, self.mapper.bound_to)))

    def remembered_by(self, objective: Objective | None = None) -> str:
        """Return what a result is remembered by: a newer version may find a better one.

        Empty where none is worth it.

        Args:
            objective: of the search; None is the task's own.
        """
        return self._own if objective in (None, self.objective) else self._remembered_by(objective)

    @cached_property
    def _own(self) -> str:
        return self._remembered_by(None)

    def _remembered_by(self, objective: Objective | None) -> str:
        if not self.mapper.remembered:
            return ""
        code = filter(None, (f"cosearch {_version()}", self.rests_on, self.purpose(objective)))
        return " ".join(code)

    def rng(self, machine: str, layer: str, objective: Objective) -> np.random.Generator:
        """Return the random stream of one search, which depends on nothing that came before it.

        Mappers that say they use none all get the same.

        Args:
            machine: its key.
            layer: its digest.
            objective: of the search.
        """
        if not self.mapper.uses_rng:
            return np.random.Generator(np.random.PCG64(0))
        return stream(self.seed, "mapper", machine, layer, self.purpose(objective))


@cache
def _version() -> str:
    """Return the installed version; finding it parses a file, too slow for every layer."""
    return version("cosearch")
