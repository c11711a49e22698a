"""Timeloop's architecture files as machines, with energies and areas from Accelergy's tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from cosearch.errors import CosearchError
from cosearch.formats.fields import NUMBER, POSITIVE, WHOLE, Check, Fields, Problems
from cosearch.formats.timeloop.nodes import Node, flatten
from cosearch.formats.timeloop.tables import COMPUTE, LEAK, EnergyTable
from cosearch.formats.timeloop.yaml import read_timeloop_yaml
from cosearch.formats.yaml_source import YamlDocument
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Link, Memory
from cosearch.workload.einsum import ROLES, Role

MULTIPLIERS = ("mac", "compute", "mult", "alu")
"""Words in the class of a component that computes."""

NO_ENERGY = AccessEnergy.uniform(0.0)

ELSEWHERE = ("technology", "type", "version", "meshX", "meshY", "instances")
"""Attributes that are read elsewhere, or that the energy tables have turned into numbers."""


@frozen
class TimeloopMachine:
    """What an architecture file says.

    Attributes:
        architecture: the machine.
        fanouts: name of a container or component to the level, named as Timeloop's front end
            names it (`inter_NAME_spatial`), that stands for the fanout above it.
        notes: what the file holds and this model has no use for.
    """

    architecture: Architecture
    fanouts: Mapping[str, str]
    notes: tuple[str, ...]


def read_architecture(
    path: Path,
    energies: EnergyTable | None = None,
    areas: Mapping[str, float] | None = None,
) -> TimeloopMachine:
    """Read an architecture file of version 0.2, 0.3 or 0.4.

    Args:
        path: the file.
        energies: the energy reference table; without it every component states its own energy
            (`vector_access_energy` of a memory, `energy` of a multiplier).
        areas: um^2 of one instance by component; 0 where missing, and noted.

    Raises:
        InputError: with everything that is wrong or not understood, each with its line.
    """
    return architecture_of(read_timeloop_yaml(path), energies, areas)


def architecture_of(
    document: YamlDocument,
    energies: EnergyTable | None = None,
    areas: Mapping[str, float] | None = None,
) -> TimeloopMachine:
    """Return the machine in a document that has an `architecture`."""
    problems = Problems(document)
    top = Fields(problems, (), document.data)
    nodes = flatten(problems, top.inner("architecture"))
    problems.raise_if_any()
    reader = _Reader(problems, energies or EnergyTable({}), areas or {})
    machine = reader.machine(nodes)
    problems.raise_if_any()
    if machine is None:
        raise CosearchError(f"{document.source} holds no machine")
    return machine


class _Reader:
    """Turns flattened nodes into levels."""

    def __init__(
        self, problems: Problems, energies: EnergyTable, areas: Mapping[str, float]
    ) -> None:
        self.problems, self.energies, self.areas = problems, energies, areas
        self.notes: list[str] = []

    def machine(self, nodes: list[Node]) -> TimeloopMachine | None:
        if len(nodes) < 2 or not _computes(nodes[-1]):
            last = f"the innermost component is {nodes[-1].name!r}" if nodes else "no component"
            self.problems.add(("architecture",), f"needs memories and a multiplier; {last}")
            return None
        levels = [self._fanout(n) if n.spreads else self._memory(n) for n in nodes[:-1]]
        levels[0] = evolve(levels[0], keeps=levels[0].keeps | levels[0].may_keep, may_keep=())
        compute = self._compute(nodes[-1])
        if self.problems.found:
            return None
        try:
            machine = Architecture("timeloop", tuple(reversed(levels)), compute)
        except CosearchError as error:
            self.problems.add(("architecture",), str(error))
            return None
        spreads = {n.spreads_for: n.name for n in nodes if n.spreads}
        return TimeloopMachine(machine, spreads, tuple(self.notes))

    def _fanout(self, node: Node) -> Memory:
        """Return a level that stores nothing and spreads what is inside it."""
        x, y = self._mesh(node)
        return Memory(node.name, 0, NO_ENERGY, mesh_x=x, mesh_y=y, keeps=frozenset())

    def _memory(self, node: Node) -> Memory:
        fields = Fields(self.problems, (*node.place, "attributes"), dict(node.attributes))
        word_bits = _either(fields, ("word_bits", "word_width", "datawidth"), WHOLE, 16)
        width = _either(fields, ("width", "memory_width"), WHOLE, None)
        cluster = fields.get("cluster_size", WHOLE, 1)
        block = _either(fields, ("block_size", "n_words"), WHOLE, None)
        if block is None:
            block = max(1, width // (word_bits * cluster)) if width else 1
        x, y = self._mesh(node)
        keeps, may_keep = self._kept(node)
        memory = Memory(
            node.name,
            self._entries(fields, node, block, word_bits),
            self._energy(node, fields),
            word_bits=word_bits,
            block_size=block,
            mesh_x=x,
            mesh_y=y,
            read_bandwidth=fields.get("read_bandwidth", POSITIVE, None),
            write_bandwidth=fields.get("write_bandwidth", POSITIVE, None),
            shared_bandwidth=fields.get("shared_bandwidth", POSITIVE, None),
            multiple_buffering=fields.get("multiple_buffering", POSITIVE, 1.0),
            leak_pj_per_cycle=self.energies.first(node.name, LEAK) or 0.0,
            area_um2=self._area(node, fields),
            is_dram="DRAM" in node.kind or node.attributes.get("technology") == "DRAM",
            keeps=keeps,
            may_keep=may_keep,
            network_below=Link(
                fields.get("energy_per_hop", NUMBER, 0.0), fields.get("router_energy", NUMBER, 0.0)
            ),
        )
        self._leave(node, fields)
        return memory

    def _entries(self, fields: Fields, node: Node, block: int, word_bits: int) -> int | None:
        entries: int | None = fields.get("entries", WHOLE, None)
        depth: int | None = _either(fields, ("depth", "memory_depth"), WHOLE, None)
        kilobytes: int | None = fields.get("sizeKB", WHOLE, None)
        if entries is not None:
            return entries
        if depth is not None:
            return depth * block
        if kilobytes is not None:
            return kilobytes * 1024 * 8 // word_bits
        if "DRAM" not in node.kind:
            self.notes.append(f"{node.name}: no depth is given, so its capacity is unlimited")
        return None

    def _mesh(self, node: Node) -> tuple[int, int]:
        """Return the mesh; what is missing follows from the instances, X first, as in Timeloop."""
        x, y = node.mesh
        if x is None and y is None:
            x, y = node.instances, 1
        elif x is None and y is not None:
            x = node.instances // y
        elif y is None and x is not None:
            y = node.instances // x
        x, y = x or 0, y or 0
        if x * y != node.instances:
            text = f"{node.instances} instances of {node.name} do not fill a mesh of {x} x {y}"
            self.problems.add(node.place, text)
        return x, y

    def _energy(self, node: Node, fields: Fields) -> AccessEnergy:
        stated = fields.get("vector_access_energy", NUMBER, None)
        found = self.energies.access(node.name)
        if found is not None:
            return found
        if stated is None:
            self.problems.add(
                node.place,
                f"no energy is known for reads, writes and updates of {node.name}: "
                "name an energy reference table with --ert, or state vector_access_energy",
            )
        return AccessEnergy.uniform(stated or 0.0)

    def _area(self, node: Node, fields: Fields) -> float:
        cluster_area = fields.get("cluster_area", NUMBER, None)
        if node.name in self.areas:
            return self.areas[node.name]
        if cluster_area is None:
            self.notes.append(f"{node.name}: no area is known, so it counts as 0")
        return cluster_area or 0.0

    def _compute(self, node: Node) -> Compute:
        fields = Fields(self.problems, (*node.place, "attributes"), dict(node.attributes))
        x, y = self._mesh(node)
        stated = fields.get("energy", NUMBER, None)
        energy = self.energies.first(node.name, COMPUTE)
        if energy is None and stated is None:
            text = f"no energy is known for a computation of {node.name}: name a table with --ert"
            self.problems.add(node.place, text)
        area = fields.get("area", NUMBER, None)
        area = self.areas.get(node.name, area)
        if area is None:
            self.notes.append(f"{node.name}: no area is known, so it counts as 0")
        word_bits = _either(fields, ("word_bits", "datawidth"), WHOLE, 16)
        if (leak := self.energies.first(node.name, LEAK)) is not None and leak > 0:
            self.notes.append(f"{node.name}: leakage of multipliers is not modelled ({leak} pJ)")
        self._leave(node, fields)
        used = energy if energy is not None else stated or 0.0
        return Compute(used, x, y, word_bits, area or 0.0, node.name)

    def _kept(self, node: Node) -> tuple[frozenset[Role], frozenset[Role]]:
        """Return which roles a level keeps, and which it may, from its data-space constraints."""
        given: Any = node.constraints.get("dataspace") or {}
        only = given.get("keep_only")
        keep = frozenset(role for role in ROLES if role in (only or given.get("keep") or ()))
        bypass = frozenset(role for role in ROLES if role in (given.get("bypass") or ()))
        if only:
            bypass = frozenset(ROLES) - keep
        return keep, frozenset(ROLES) - keep - bypass

    def _leave(self, node: Node, fields: Fields) -> None:
        left = [name for name in fields.left if name not in ELSEWHERE]
        if left:
            names = ", ".join(f"{name}: {fields.data[name]}" for name in left)
            self.notes.append(f"{node.name}: not used: {names}")
        others = [name for name in node.constraints if name != "dataspace"]
        if others:
            self.notes.append(f"{node.name}: constraints not used: {', '.join(others)}")


def _computes(node: Node) -> bool:
    return not node.spreads and any(word in node.kind.lower() for word in MULTIPLIERS)


def _either(fields: Fields, names: tuple[str, ...], check: Check[int], default: Any) -> Any:  # noqa: ANN401
    """Return the first of several spellings of a field."""
    found = [fields.get(name, check, None) for name in names]
    return next((value for value in found if value is not None), default)
