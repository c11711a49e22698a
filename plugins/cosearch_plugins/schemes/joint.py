"""One loop: a strategy chooses the machine and a mapping of every layer at once.

The baseline that co-design papers compare with: what two nested loops search one after the other
is one long row of choices here, and each of them is priced once.

Which mappings there are depends on the machine, so a choice about a mapping is a *key*: it names a
column of the mapspace and how far along its choices to look, and any machine reads it in its own
mapspace. Keys are read one after the other, as in random-key decoders (J. C. Bean, *Genetic
Algorithms and Random Keys for Sequencing and Optimization*, ORSA Journal on Computing 6(2), 1994):
each gets the choice that it names, or the nearest that known constraints leave it, the columns not
read yet at their first choice, which holds the least on chip. So keys that were good on one machine
mean something alike on another, and nearly every machine that can be built can also be run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError, Infeasible
from cosearch.machine.building import build
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.mapping.mapper import Budget, Mapped, Mapper, Unmappable
from cosearch.mapping.priced import priced
from cosearch.mapping.result import NAMED
from cosearch.search.objective import Objective
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.search.seeds import stream
from cosearch.study.scheme import Scheme
from cosearch.typing import Configuration, Rows
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Network

DRAWS = 10_000
"""Mappings drawn at random for one to begin with, where the first choices of all cannot be run."""


@frozen
class Place:
    """What a key of a joint space is about.

    Attributes:
        name: of the key, among the space's parameters.
        layer: digest of the layer.
        column: of the layer's mapspaces.
        values: that the key can have.
    """

    name: str
    layer: str
    column: str
    values: int


@frozen
class JointSpace(ParameterSpace):
    """Machines with a mapping of every layer.

    Attributes:
        places: of the keys, which stand after the machines' own parameters.
    """

    places: tuple[Place, ...] = ()

    __hash__ = object.__hash__


def joint_space(hardware: HardwareModel, space: ParameterSpace, network: Network) -> JointSpace:
    """Return a space of machines with the keys of every layer's mapping beside the parameters.

    A key has as many values as its column has choices on any of the reference machines: the
    baseline, and the baseline with one parameter at its first or its last choice.

    Args:
        hardware: the family of machines.
        space: its parameters, some of them perhaps fixed.
        network: whose layers are mapped.

    Raises:
        CosearchError: no reference machine can be built and can run a layer.
    """
    machines = list(_reference_machines(hardware, space))
    places: list[Place] = []
    for name, layer in _names(network).items():
        columns = _columns(machines, layer)
        if not columns:
            raise CosearchError(
                f"the scheme joint needs a machine near the baseline of {hardware.name!r} that "
                f"can run layer {layer.name!r}, to learn which choices a mapping has",
                "use the scheme nested",
            )
        places += [
            Place(f"{name}: {column}", layer.key, column, choices)
            for column, choices in columns.items()
            if choices > 1
        ]
    keys = [Parameter(place.name, range(place.values)) for place in places]
    return JointSpace((*space.parameters, *keys), space.rules, places=tuple(places))


def _reference_machines(hardware: HardwareModel, space: ParameterSpace) -> Iterator[Accelerator]:
    fixed = {p.name: p.default for p in space.parameters if len(p.choices) == 1}
    middle = hardware.space.complete(hardware.baseline) | fixed
    ends = [{p.name: p.choices[end]} for p in space.parameters for end in (0, -1)]
    for change in ({}, *ends):
        try:
            yield build(hardware, middle | change)
        except Infeasible:
            continue


def _names(network: Network) -> dict[str, Einsum]:
    """Return the unique layers by name; a second layer of a name gets a number."""
    named: dict[str, Einsum] = {}
    for layer in network.unique:
        name, number = layer.name, 1
        while name in named:
            name, number = f"{layer.name} {number + 1}", number + 1
        named[name] = layer.einsum
    return named


def _columns(machines: Sequence[Accelerator], layer: Einsum) -> dict[str, int]:
    """Return each column of a layer's mapspaces with the most choices it has."""
    columns: dict[str, int] = {}
    for machine in machines:
        try:
            space = machine.mapspace(layer)
        except Infeasible:
            continue
        for name, choices in zip(space.names, space.cardinalities.tolist(), strict=True):
            columns[name] = max(choices, columns.get(name, 0))
    return columns


@frozen
class Key:
    """Where along the choices of a column to look.

    Attributes:
        value: from 0, below `values`.
        values: that it can have.
    """

    value: int
    values: int

    def choice(self, choices: int) -> int:
        """Return the choice out of so many; with as many choices as values, the value itself."""
        return (2 * self.value + 1) * choices // (2 * self.values)


class Joint(Scheme):
    """A design is a machine and a mapping of every layer."""

    names_mappings: ClassVar[bool] = True

    def space(
        self, hardware: HardwareModel, space: ParameterSpace, network: Network
    ) -> ParameterSpace:
        """Return the machines with the keys of every layer's mapping."""
        return joint_space(hardware, space, network)

    def mapper_of(
        self, mapper: Mapper, space: ParameterSpace, configuration: Configuration
    ) -> Mapper:
        """Return the mapper that reads the design's keys; the study's own for the baseline."""
        if not isinstance(space, JointSpace):
            raise TypeError("the scheme joint searches a JointSpace")
        return KeyedMapper.of(space, configuration) or mapper


class KeyedMapper(Mapper):
    """Reads each layer's mapping from the keys of one design.

    Args:
        keys: by layer digest and column.
    """

    uses_rng: ClassVar[bool] = False
    remembered: ClassVar[bool] = False

    def __init__(self, keys: Mapping[str, Mapping[str, Key]]) -> None:
        self.keys = keys

    @classmethod
    def of(cls, space: JointSpace, configuration: Configuration) -> KeyedMapper | None:
        """Return the mapper of a design; None for one without keys, such as the baseline."""
        if not all(place.name in configuration for place in space.places):
            return None
        keys: dict[str, dict[str, Key]] = {}
        for place in space.places:
            key = Key(int(configuration[place.name]), place.values)
            keys.setdefault(place.layer, {})[place.column] = key
        return cls(keys)

    def map(
        self,
        accelerator: Accelerator,
        layer: Einsum,
        objective: Objective,  # noqa: ARG002 - the strategy minds it
        budget: Budget,  # noqa: ARG002 - one mapping
        rng: np.random.Generator,  # noqa: ARG002 - nothing is left to chance
    ) -> Mapped:
        """Return the mapping that the keys name; raises Unmappable where it cannot be run."""
        space = accelerator.mapspace(layer)
        row = read(self.keys.get(layer.key, {}), space)
        if row is None:
            raise Unmappable(f"layer {layer.name!r}: no mapping meets the known constraints", {}, 0)
        costs = priced(accelerator, layer, row[None, :])
        if not costs.feasible[0]:
            reason = costs.reasons[int(costs.reason[0])]
            raise Unmappable(
                f"layer {layer.name!r}: the mapping cannot be run: {reason}",
                {reason: float(costs.excess[0])},
                1,
            )
        energy, cycles = float(costs.energy_pj[0]), float(costs.cycles[0])
        return Mapped(row, energy, cycles, evaluations=1, mapper=NAMED)


def read(keys: Mapping[str, Key], space: Space) -> Rows | None:
    """Return the mapping that keys name in a mapspace, int64[d], repaired column by column.

    A column without a key keeps its first choice. None where no mapping to begin with is found.
    """
    row: Rows | None = _beginning(space)
    if row is None:
        return None
    for column, (name, choices) in enumerate(
        zip(space.names, space.cardinalities.tolist(), strict=True)
    ):
        if name not in keys:
            continue
        tried = np.repeat(row[None, :], choices, axis=0)
        tried[:, column] = np.arange(choices)
        allowed = np.flatnonzero(space.feasible(tried))
        wanted = keys[name].choice(choices)
        row[column] = allowed[np.abs(allowed - wanted).argmin()]
    return row


def _beginning(space: Space) -> Rows | None:
    """Return a mapping that meets the known constraints, int64[d], the same for every design."""
    rows: Rows = np.zeros((1, len(space.names)), dtype=np.int64)
    if not space.feasible(rows)[0]:
        rows, _ = space.sample_feasible(1, stream(0, "joint"), DRAWS)
    return np.array(rows[0]) if len(rows) else None
