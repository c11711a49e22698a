"""A study's names resolved: the machine family, the network, the mapper, the objectives."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from typing import TypeAlias

from attrs import evolve, field, frozen

from cosearch.lately import Lately
from cosearch.machine.building import build
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.mapping.mapper import Mapper
from cosearch.search.objective import Constraint, Objective
from cosearch.search.parameters import ParameterSpace
from cosearch.trials.spec import StudySpec
from cosearch.typing import Configuration, Value
from cosearch.workload.network import Network

REMEMBERED_MACHINES = 16
"""Machines kept for designs that come back to them: at a higher fidelity, or mapped otherwise."""

MapperOf: TypeAlias = Callable[[Mapper, ParameterSpace, Configuration], Mapper]
"""The study's mapper, the searched space and a design, to what maps the layers of that design."""


@frozen(eq=False)
class Problem:
    """What is searched, and what counts.

    Attributes:
        spec: from which all the rest was made.
        hardware: the family of machines.
        space: its design space, with the fixed parameters left one choice; what the strategy
            searches.
        network: the layers to run; what the machines leave out stands in its `unmodelled`.
        mapper: finds each layer's mapping.
        objectives: to be made small.
        mapper_objective: what a single layer's mapping makes small.
        constraints: limits on the results.
        known: every objective by name: a constraint may name any of them.
        mapper_of: what maps the layers of one design, as the study's scheme has it.
        built: the last machines, by their parameters.
    """

    spec: StudySpec
    hardware: HardwareModel
    space: ParameterSpace
    network: Network
    mapper: Mapper
    objectives: tuple[Objective, ...]
    mapper_objective: Objective
    constraints: tuple[Constraint, ...]
    known: Mapping[str, Objective]
    mapper_of: MapperOf
    built: Lately[frozenset[tuple[str, Value]], Accelerator] = field(
        factory=lambda: Lately(REMEMBERED_MACHINES), repr=False
    )

    def for_design(self, configuration: Mapping[str, Value]) -> Problem:
        """Return the problem with the mapper of one design: its own where it names its mappings."""
        mapper = self.mapper_of(self.mapper, self.space, configuration)
        return self if mapper is self.mapper else evolve(self, mapper=mapper)

    def machine(self, configuration: Mapping[str, Value]) -> Accelerator:
        """Return the machine of a design, an old one with all its mapspaces where it was built.

        Raises:
            Infeasible: it cannot be built.
            PluginError: the hardware model breaks down.
        """
        key = frozenset(self.parameters_of(configuration).items())
        return self.built.get(key, lambda: build(self.hardware, configuration))

    def parameters_of(self, configuration: Mapping[str, Value]) -> dict[str, Value]:
        """Return the hardware parameters of a design, without its choices of mappings."""
        return {
            name: configuration[name] for name in self.hardware.space.names if name in configuration
        }

    @property
    def mapper_purpose(self) -> str:
        """What a layer's own best mapping on a machine depends on besides these two."""
        return self.purpose_of(self.mapper_objective)

    def purpose_of(self, objective: Objective) -> str:
        """What a mapping found for some objective depends on besides the layer and the machine."""
        budget = self.spec.mapper_budget
        seed = self.spec.seed if self.mapper.uses_rng else "any"
        limits = f"evaluations={budget.evaluations} seconds={budget.seconds} seed={seed}"
        words = (self.spec.mapper, objective.name, limits, self.mapper.bound_to)
        return " ".join(filter(None, words))

    @property
    def cache_purpose(self) -> str:
        """What a layer's own best mapping is remembered by; empty where none is worth it."""
        return self.remembered_by(self.mapper_objective)

    def remembered_by(self, objective: Objective) -> str:
        """What a result for some objective is remembered by: a newer version may find a better.

        Empty where none is worth it.
        """
        if not self.mapper.remembered:
            return ""
        return f"cosearch {_version()} {self.purpose_of(objective)}"

    @property
    def network_key(self) -> str:
        """A digest of the layers and their counts."""
        facts = [(layer.einsum.key, layer.count) for layer in self.network.unique]
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


@cache
def _version() -> str:
    """Return the installed version; finding it parses a file, too slow for every layer."""
    return version("cosearch")
