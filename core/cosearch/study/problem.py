"""A study's names resolved: the machine family, the network, the mapper, the objectives."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version

from attrs import evolve, field, frozen

from cosearch.errors import InputError
from cosearch.machine.building import build
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.mapping.mapper import Mapper
from cosearch.registry.registry import Registry
from cosearch.search.objective import Constraint, Objective
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.study.building import make_hardware, make_mapper
from cosearch.trials.spec import JOINT, SEMI_DECOUPLED, StudySpec
from cosearch.typing import Value
from cosearch.workload.network import Network
from cosearch.workload.source import resolve

REMEMBERED_MACHINES = 16
"""Machines kept for designs that come back to them: at a higher fidelity, or mapped otherwise."""


@frozen(eq=False)
class Problem:
    """What is searched, and what counts.

    Attributes:
        spec: from which all the rest was made.
        hardware: the family of machines.
        space: its design space, with the fixed parameters left one choice; what the strategy
            searches.
        network: the layers to run.
        mapper: finds each layer's mapping.
        objectives: to be made small.
        mapper_objective: what a single layer's mapping makes small.
        constraints: limits on the results.
        known: every objective by name: a constraint may name any of them.
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
    built: dict[frozenset[tuple[str, Value]], Accelerator] = field(factory=dict, repr=False)

    @classmethod
    def of(cls, spec: StudySpec, registry: Registry) -> Problem:
        """Resolve every name, or raise UnknownNameError, InputError or PluginError."""
        hardware = make_hardware(spec.hardware, registry)
        objectives = tuple(registry.objective(name) for name in spec.objectives)
        mapper = make_mapper(spec.mapper, registry)
        network = resolve(spec.workload, registry)
        return cls(
            spec,
            hardware,
            space_of_scheme(spec.scheme, hardware, restricted(hardware.space, spec.fixed), network),
            network,
            mapper_of_scheme(spec.scheme, mapper, hardware),
            objectives,
            _mapper_objective(objectives, registry.objectives),
            tuple(Constraint.parse(text, registry.objectives) for text in spec.constraints),
            registry.objectives,
        )

    def for_design(self, configuration: Mapping[str, Value]) -> Problem:
        """Return the problem with the mapper of one design: its own where it names its mappings."""
        if self.spec.scheme != JOINT:
            return self
        from cosearch.schemes.joint import JointSpace, KeyedMapper

        if not isinstance(self.space, JointSpace):
            raise TypeError("the scheme joint searches a JointSpace")
        keyed = KeyedMapper.of(self.space, configuration)
        return self if keyed is None else evolve(self, mapper=keyed)

    def machine(self, configuration: Mapping[str, Value]) -> Accelerator:
        """Return the machine of a design, an old one with all its mapspaces where it was built.

        Raises:
            Infeasible: it cannot be built.
            PluginError: the hardware model breaks down.
        """
        key = frozenset(self.parameters_of(configuration).items())
        if key not in self.built:
            machine = build(self.hardware, configuration)
            while len(self.built) >= REMEMBERED_MACHINES:
                del self.built[next(iter(self.built))]
            self.built[key] = machine
        return self.built[key]

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


def space_of_scheme(
    scheme: str, hardware: HardwareModel, space: ParameterSpace, network: Network
) -> ParameterSpace:
    """Return the space itself, or one with the choices of mappings beside the parameters."""
    if scheme != JOINT:
        return space
    from cosearch.schemes.joint import joint_space

    return joint_space(hardware, space, network)


def mapper_of_scheme(scheme: str, mapper: Mapper, hardware: HardwareModel) -> Mapper:
    """Return the mapper itself, or one that is bound to what it finds on the baseline."""
    if scheme != SEMI_DECOUPLED:
        return mapper
    from cosearch.schemes.semi_decoupled import ProxyMapper

    return ProxyMapper(mapper, build(hardware, hardware.baseline))


def restricted(space: ParameterSpace, fixed: Mapping[str, Value]) -> ParameterSpace:
    """Return the space with some parameters fixed; raises InputError for an impossible value."""
    values = {name: space[name].check(value) for name, value in fixed.items()}

    def restrict(parameter: Parameter) -> Parameter:
        if parameter.name not in values:
            return parameter
        value = values[parameter.name]
        return evolve(parameter, choices=(value,), default=value)

    return evolve(space, parameters=tuple(map(restrict, space.parameters)))


def parse_objectives(text: str, registry: Registry) -> tuple[str, ...]:
    """Return the names in `edp` or `energy,latency`; raises UnknownNameError or InputError."""
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        registry.objective(name)
    if len(set(names)) != len(names):
        raise InputError(f"--objective {text}", ["names an objective twice"])
    return names


def parse_constraints(texts: Sequence[str], registry: Registry) -> tuple[str, ...]:
    """Return the canonical texts of constraints; raises InputError for a malformed one."""
    return tuple(str(Constraint.parse(text, registry.objectives)) for text in texts)


def _mapper_objective(
    objectives: tuple[Objective, ...], known: Mapping[str, Objective]
) -> Objective:
    """Return the objective itself where a mapping decides it, the energy-delay product if not."""
    mine = [o for o in objectives if set(o.needs) <= {"energy_pj", "cycles"}]
    return mine[0] if len(mine) == 1 else known["edp"]
