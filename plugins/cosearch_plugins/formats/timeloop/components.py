"""One component of Timeloop's as a memory or as the multipliers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field

from cosearch.formats.fields import NUMBER, POSITIVE, WHOLE, Check, Fields, Problems
from cosearch.machine.architecture import AccessEnergy, Compute, Link, Memory
from cosearch.machine.technology import StorageKind
from cosearch.workload.einsum import ROLES
from cosearch_plugins.formats.timeloop.nodes import Node
from cosearch_plugins.formats.timeloop.tables import COMPUTE, LEAK, EnergyTable

MULTIPLIERS = ("mac", "compute", "mult", "alu")
"""Words in the class of a component that computes."""

MEMORIES = ("dram", "sram", "regfile", "smartbuffer", "storage", "memory", "buffer", "register")
"""Words in the class of a component that stores: Timeloop's, and what others call it."""

DEPTHS = ("depth", "memory_depth", "data_storage_depth")
"""Spellings of a memory's rows; the last is that of memories with metadata beside their data."""

ROW_WIDTHS = ("width", "memory_width", "data_storage_width")
"""Spellings of the bits of a row."""

SIZED = (*DEPTHS, "entries", "sizeKB", "block_size", "n_words")
"""Attributes that only a memory has."""

FREE = ("dummy",)
"""Words in the class of a component that stands for something which costs nothing."""

UNKNOWN = AccessEnergy.uniform(math.nan)
"""The energy of a memory that no source prices."""

NO_ENERGY = AccessEnergy.uniform(0.0)

ELSEWHERE = (
    "technology",
    "type",
    "version",
    "meshX",
    "meshY",
    "instances",
    "num_ports",
    "num_banks",
    "global_cycle_seconds",
    "cycle_seconds",
    "power_gated_at",
    "has_power_gating",
)
"""Attributes that are read elsewhere, or that the energy tables have turned into numbers."""

DEFAULTS: Mapping[str, Any] = {
    "reduction_supported": True,
    "min_utilization": 0,
    "allow_overbooking": False,
}
"""What the front end writes into every component, and what says nothing unless it is changed."""


def _count(value: Any) -> int:  # noqa: ANN401
    return 0 if value == 0 and not isinstance(value, bool) else WHOLE.read(value)


COUNT = Check(_count, 0)
"""A whole number, or none."""


@define
class Components:
    """Turns nodes into parts of a machine; what is wrong or has no meaning is collected.

    Attributes:
        problems: where problems go.
        energies, areas: the tables.
        notes: what has no meaning here.
        unused: attributes that are not used, and the components that have each.
        unpriced: memories and multipliers whose energy no source states.
        unsized: those whose area no source states; it counts as 0.
        kinds: how each memory is built.
        outer: the mesh of the component last read, which is around the next.
    """

    problems: Problems
    energies: EnergyTable
    areas: Mapping[str, float]
    notes: list[str] = field(factory=list)
    unused: dict[str, list[str]] = field(factory=dict)
    unpriced: list[str] = field(factory=list)
    unsized: list[str] = field(factory=list)
    kinds: dict[str, StorageKind] = field(factory=dict)
    outer: tuple[int, int] = (1, 1)

    def fanout(self, node: Node) -> Memory:
        """Return a level that stores nothing and spreads what is inside it."""
        x, y = self._mesh(node)
        return Memory(node.name, 0, NO_ENERGY, mesh_x=x, mesh_y=y, keeps=frozenset())

    def memory(self, node: Node) -> Memory:
        """Return a memory; one without room lets everything pass."""
        fields = Fields(self.problems, (*node.place, "attributes"), dict(node.attributes))
        word_bits = _either(fields, ("word_bits", "word_width", "datawidth"), WHOLE, 16)
        width = _either(fields, ROW_WIDTHS, WHOLE, None)
        block = _either(fields, ("block_size", "n_words"), WHOLE, None)
        cluster = fields.get("cluster_size", WHOLE, None)
        is_dram = "dram" in node.kind.lower() or node.attributes.get("technology") == "DRAM"
        if block is None:
            block = max(1, width // (word_bits * (cluster or 1))) if width else 1
        elif cluster is None and width and not is_dram:
            cluster = max(1, width // (word_bits * block))
        x, y = self._mesh(node)
        entries = self._entries(fields, node, block, word_bits, is_dram=is_dram)
        self.kinds[node.name] = _built_as(node, is_dram=is_dram)
        memory = Memory(
            node.name,
            entries,
            self._energy(node, fields, stores=entries != 0),
            word_bits=word_bits,
            block_size=block,
            mesh_x=x,
            mesh_y=y,
            shared_bandwidth=fields.get("shared_bandwidth", POSITIVE, None),
            multiple_buffering=fields.get("multiple_buffering", POSITIVE, 1.0),
            leak_pj_per_cycle=self.energies.first(node.name, LEAK) or 0.0,
            area_um2=self._area(node, fields, cluster or 1),
            is_dram=is_dram,
            keeps=frozenset(),
            may_keep=frozenset(ROLES) if entries != 0 else frozenset(),
            network_below=Link(
                fields.get("energy_per_hop", NUMBER, 0.0), fields.get("router_energy", NUMBER, 0.0)
            ),
            cluster_size=cluster or 1,
            whole_words=True,
        )
        memory = self._paced(memory, fields)
        self._leave(node, fields)
        return memory

    def compute(self, node: Node) -> Compute:
        """Return the multipliers."""
        fields = Fields(self.problems, (*node.place, "attributes"), dict(node.attributes))
        x, y = self._mesh(node)
        energy = _either(fields, ("energy", "energy_per_op"), NUMBER, None)
        if energy is None:
            energy = self.energies.first(node.name, COMPUTE)
        if energy is None:
            self.unpriced.append(node.name)
        area = self.areas.get(node.name, fields.get("area", NUMBER, None))
        if area is None:
            self.unsized.append(node.name)
        word_bits = _either(fields, ("word_bits", "datawidth"), WHOLE, 16)
        if (leak := self.energies.first(node.name, LEAK)) is not None and leak > 0:
            self.notes.append(f"{node.name}: leakage of multipliers is not modelled ({leak} pJ)")
        self._leave(node, fields)
        used = math.nan if energy is None else energy
        return Compute(used, x, y, word_bits, area or 0.0, node.name)

    def _entries(
        self, fields: Fields, node: Node, block: int, word_bits: int, *, is_dram: bool
    ) -> int | None:
        entries: int | None = fields.get("entries", COUNT, None)
        depth: int | None = _either(fields, DEPTHS, COUNT, None)
        kilobytes: int | None = fields.get("sizeKB", COUNT, None)
        if entries is not None:
            return entries
        if depth is not None:
            return depth * block
        if kilobytes is not None:
            return kilobytes * 1024 * 8 // word_bits
        if not is_dram:
            self.notes.append(f"{node.name}: no depth is given, so its capacity is unlimited")
        return None

    def _paced(self, memory: Memory, fields: Fields) -> Memory:
        """Return the memory with its bandwidths; `bandwidth` alone is half for each direction."""
        both = fields.get("bandwidth", POSITIVE, None)
        half = both / 2 if both is not None else None
        return evolve(
            memory,
            read_bandwidth=fields.get("read_bandwidth", POSITIVE, half),
            write_bandwidth=fields.get("write_bandwidth", POSITIVE, half),
        )

    def _mesh(self, node: Node) -> tuple[int, int]:
        """Return the mesh; what is missing follows from the instances, X first, as in Timeloop."""
        x, y = node.mesh
        if x is None and y is None:
            x, y = self._unstated(node)
        elif x is None and y is not None:
            x = node.instances // y
        elif y is None and x is not None:
            y = node.instances // x
        x, y = x or 0, y or 0
        self.outer = max(1, x), max(1, y)
        if x * y != node.instances:
            text = f"{node.instances} instances of {node.name} do not fill a mesh of {x} x {y}"
            self.problems.add(node.place, text)
        return self.outer

    def _unstated(self, node: Node) -> tuple[int, int]:
        """Return the mesh of a component that states none: along X, or as the one above it has it.

        The latter where the former is no multiple of it, which Timeloop refuses.
        """
        across, down = self.outer
        if down == 1 or node.instances % (across * down):
            return node.instances, 1
        return across, node.instances // across

    def _energy(self, node: Node, fields: Fields, *, stores: bool) -> AccessEnergy:
        """Return the energy that the file states, else the table's; a dummy costs nothing."""
        stated = fields.get("vector_access_energy", NUMBER, None)
        if stated is not None:
            return AccessEnergy.uniform(stated)
        found = self.energies.access(node.name)
        if found is not None:
            return found
        if not stores or is_free(node):
            return NO_ENERGY
        self.unpriced.append(node.name)
        return UNKNOWN

    def _area(self, node: Node, fields: Fields, cluster: int) -> float:
        stated = fields.get("cluster_area", NUMBER, None)
        if node.name in self.areas:
            return self.areas[node.name] / cluster
        if stated is None and not is_free(node):
            self.unsized.append(node.name)
        return (stated or 0.0) / cluster

    def _leave(self, node: Node, fields: Fields) -> None:
        for name in fields.left:
            value = fields.data[name]
            known = name in ELSEWHERE or (name in DEFAULTS and value == DEFAULTS[name])
            if not (known or is_free(node)):
                self.unused.setdefault(f"{name}: {value}", []).append(node.name)

    def told(self) -> tuple[str, ...]:
        """Return all notes; components that share what is not used share a line."""
        by_owners: dict[str, list[str]] = {}
        for attribute, owners in self.unused.items():
            by_owners.setdefault(", ".join(owners), []).append(attribute)
        unused = (f"{who}: not used: {', '.join(what)}" for who, what in by_owners.items())
        return (*self.notes, *unused)


def is_free(node: Node) -> bool:
    """Return whether a component stands for something that costs nothing."""
    return any(word in node.kind.lower() for word in FREE)


def computes(node: Node) -> bool:
    """Return whether a component is the multipliers."""
    kind = node.kind.lower()
    named = any(word in kind for word in MULTIPLIERS)
    stored = any(word in kind for word in MEMORIES)
    return not node.spreads and (node.computes or (named and not stored))


def stores(node: Node) -> bool:
    """Return whether a component is a memory, by its class or by what only memories have."""
    kind = node.kind.lower()
    return any(word in kind for word in MEMORIES) or any(name in node.attributes for name in SIZED)


def _built_as(node: Node, *, is_dram: bool) -> StorageKind:
    if is_dram:
        return "dram"
    return "regfile" if "reg" in node.kind.lower() else "sram"


def _either(fields: Fields, names: tuple[str, ...], check: Check[Any], default: Any) -> Any:  # noqa: ANN401
    """Return the first of several spellings of a field."""
    found = [fields.get(name, check, None) for name in names]
    return next((value for value in found if value is not None), default)
