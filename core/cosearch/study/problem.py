"""A study's names resolved: the machine family, the network, the mapper, the objectives."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

from attrs import evolve, field, frozen

from cosearch.errors import CosearchError
from cosearch.lately import Lately
from cosearch.machine.building import build, network_for
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.mapping.layer import Cache
from cosearch.mapping.mapper import Mapper
from cosearch.mapping.task import MappingTask
from cosearch.mapping.threads import ThreadPool, Worker
from cosearch.origin import made_by
from cosearch.search.objective import Constraint, Objective
from cosearch.search.parameters import ParameterSpace
from cosearch.trials.spec import StudySpec
from cosearch.trials.trial import Outcome, Trial
from cosearch.typing import Configuration, Rows, Value
from cosearch.workload.einsum import Einsum
from cosearch.workload.measure import NetworkObjective
from cosearch.workload.network import Network, NetworkSpace

REMEMBERED_MACHINES = 16
"""Machines kept for designs that come back to them: at a higher fidelity, or mapped otherwise."""

REMEMBERED_NETWORKS = 64
"""Networks kept for designs that come back to them."""

MapperOf: TypeAlias = Callable[[Mapper, ParameterSpace, Configuration], Mapper]
"""The study's mapper, the searched space and a design, to what maps the layers of that design."""


Inside: TypeAlias = "Callable[[Problem, ThreadPool, Outcome, Cache | None], Outcome]"
"""A machine's problem, who maps its layers, what is known so far, and results of mappers, to what
the machine is worth with the network found for it."""


@frozen(eq=False)
class Problem:
    """What is searched, and what counts.

    Attributes:
        spec: from which all the rest was made.
        hardware: the family of machines.
        space: its design space, with the fixed parameters left one choice; what the strategy
            searches.
        network: the layers to run; what the machines leave out stands in its `unmodelled`. Of a
            space of networks, the baseline; see `for_design`.
        mapper: finds each layer's mapping.
        objectives: to be made small.
        mapper_objective: what a single layer's mapping makes small.
        constraints: limits on the results.
        known: every objective by name: a constraint may name any of them.
        mapper_of: what maps the layers of one design, as the study's scheme has it.
        networks: the space of networks, where the workload is one; None for one network.
        inside: evaluates a machine and finds its network, where the scheme does that; None where a
            design names its network.
        others: mappers like `mapper`, one for each further thread that maps layers.
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
    networks: NetworkSpace | None = None
    inside: Inside | None = None
    others: tuple[Mapper, ...] = ()
    built: Lately[frozenset[tuple[str, Value]], Accelerator] = field(
        factory=lambda: Lately(REMEMBERED_MACHINES), repr=False
    )
    networks_built: Lately[tuple[Value, ...], Network] = field(
        factory=lambda: Lately(REMEMBERED_NETWORKS), repr=False
    )

    def for_design(self, configuration: Mapping[str, Value]) -> Problem:
        """Return the problem of one design: its network, and its mapper if it names mappings."""
        network = self.network_of(configuration)
        mapper, *others = (
            self.mapper_of(m, self.space, configuration) for m in (self.mapper, *self.others)
        )
        if mapper is self.mapper and network is self.network:
            return self
        return evolve(self, network=network, mapper=mapper, others=tuple(others))

    def network_of(self, configuration: Mapping[str, Value]) -> Network:
        """Return the network of a design as its machine runs it.

        The problem's own network where the design names none.
        """
        spaces, chosen = self.networks, self.network_parameters(configuration)
        if spaces is None or not chosen:
            network = self.network
        else:
            network = self.networks_built.get(
                tuple(chosen.values()),
                lambda: network_for(self.hardware, spaces.build(spaces.space.index(chosen))),
            )
        return self.hardware.placed(network, self.parameters_of(configuration))

    def accuracy_of(self, configuration: Mapping[str, Value]) -> float | None:
        """Return the accuracy of a design's network in per cent; None where none is known."""
        chosen = self.network_parameters(configuration)
        if self.networks is None or not chosen:
            return None
        known = float(self.networks.accuracy(self.networks.space.index(chosen)[None, :])[0])
        return None if math.isnan(known) else known

    def known_of_network(self, configuration: Mapping[str, Value]) -> dict[str, float]:
        """Return what is known of a design's network without a machine, as metrics.

        The accuracy, and those scores of the space that an objective or a limit asks for.
        """
        accuracy, spaces = self.accuracy_of(configuration), self.networks
        chosen = self.network_parameters(configuration)
        named = {limit.name for limit in self.constraints}
        asked = [*self.objectives, *(self.known[name] for name in named if name in self.known)]
        if spaces is None:
            return self._measured(asked, configuration)
        if not chosen:
            return {}
        row = spaces.space.index(chosen)[None, :]
        wanted = named | {need for objective in asked for need in objective.needs}
        scores = [name for name in spaces.scores if name in wanted]
        known = {} if accuracy is None else {"accuracy": accuracy}
        known |= {s: float(spaces.score(s, row)[0]) for s in scores}
        return known | self._measured(asked, configuration)

    def _measured(
        self, asked: Sequence[Objective], configuration: Mapping[str, Value]
    ) -> dict[str, float]:
        measures = [o for o in asked if isinstance(o, NetworkObjective)]
        network = self.network_of(configuration) if measures else self.network
        return {o.name: o.measure(network) for o in measures}

    def network_parameters(self, configuration: Mapping[str, Value]) -> dict[str, Value]:
        """Return the network's parameters of a design; empty where it names none."""
        names = () if self.networks is None else self.networks.space.names
        if not all(name in configuration for name in names):
            return {}
        return {name: configuration[name] for name in names}

    @property
    def baseline(self) -> dict[str, Value]:
        """The design that others are compared with: the default machine, the default network."""
        networks = {} if self.networks is None else self.networks.baseline
        return {**networks, **self.hardware.space.complete(self.hardware.baseline)}

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

    def row_told(self, baseline: Trial) -> Rows | None:
        """Return the row, int64[d], of a baseline that the strategy is told of; None of others."""
        space = self.space
        if not self.spec.warm or not baseline.ok:
            return None
        if set(baseline.configuration) != set(space.names):
            return None  # its mappings were searched for, and are no choices of this space
        try:
            row = space.index(baseline.configuration)
        except (CosearchError, ValueError):
            return None  # a fixed parameter, or a value that is no choice, sets them apart
        return row if space.feasible(row[None, :])[0] else None

    @cached_property
    def task(self) -> MappingTask:
        """What is asked of the mapper."""
        spec, aim = self.spec, self.mapper_objective
        kinds = (type(self.hardware), type(self.mapper), *self.mapper.rests_on)
        code = " ".join(dict.fromkeys(filter(None, map(made_by, kinds))))
        return MappingTask(
            self.mapper, spec.mapper, aim, spec.mapper_budget, spec.seed, spec.combine, code
        )

    def pool(self, machine: Accelerator, configuration: Mapping[str, Value]) -> ThreadPool:
        """Return who maps the layers of a design: as many threads as there are mappers.

        Args:
            machine: of the design, for the first thread.
            configuration: of the design, from which the others get machines of their own.
        """
        task = self.task
        others = [
            Worker(evolve(task, mapper=mapper), build(self.hardware, configuration))
            for mapper in self.others
        ]
        return ThreadPool((Worker(task, machine), *others))

    def floor(self, machine: Accelerator, layer: Einsum) -> tuple[float, float]:
        """Return energy (pJ) and cycles that a layer takes at least, alone or in a group."""
        bound = self.mapper.floor_in_groups if self.spec.fuse else self.mapper.tight_floor
        return bound(machine, layer)

    @property
    def space_key(self) -> str:
        """A digest of what a row of the searched space means."""
        facts = [(p.name, tuple(p.choices)) for p in self.space.parameters]
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]

    @property
    def network_key(self) -> str:
        """A digest of the layers and their counts."""
        facts = [(layer.einsum.key, layer.count) for layer in self.network.unique]
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
