"""Timeloop's architecture files as machines, with energies and areas from Accelergy's tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, field, frozen

from cosearch.errors import CosearchError
from cosearch.formats.fields import TABLE, Fields, Problems
from cosearch.formats.yaml_source import YamlDocument
from cosearch.machine.architecture import Architecture, Memory
from cosearch.machine.technology import StorageKind, Technology, priced
from cosearch.workload.einsum import ROLES
from cosearch_plugins.formats.timeloop.components import Components, computes, is_free, stores
from cosearch_plugins.formats.timeloop.directives import Directive
from cosearch_plugins.formats.timeloop.nodes import Flat, Node, flatten
from cosearch_plugins.formats.timeloop.sparse import PART as SPARSE_PART
from cosearch_plugins.formats.timeloop.sparse import SPARSE, compressing
from cosearch_plugins.formats.timeloop.tables import EnergyTable
from cosearch_plugins.formats.timeloop.yaml import read_timeloop_yaml

PARTS = ("architecture", "arch")
"""What Timeloop calls the part, now and in its first versions."""


@frozen
class TimeloopMachine:
    """What an architecture file says.

    Attributes:
        architecture: the machine.
        fanouts: name of a container or component to the level, named as Timeloop's front end
            names it (`inter_NAME_spatial`), that stands for the fanout above it.
        notes: what the file holds and this model has no use for.
        passing: levels that store nothing: fanouts, and memories without room.
        directives: constraints that stand inside components.
        disabled: components that are switched off.
        unpriced: memories and multipliers whose energy nothing states; it is NaN in the
            architecture, and so is every sum that it is part of.
        unsized: those whose area nothing states; it counts as 0.
        kinds: memory to how it is built, for a technology to price.
        compressing: memories that store something compressed.
    """

    architecture: Architecture
    fanouts: Mapping[str, str]
    notes: tuple[str, ...]
    passing: frozenset[str] = frozenset()
    directives: tuple[Directive, ...] = ()
    disabled: tuple[str, ...] = ()
    unpriced: tuple[str, ...] = ()
    unsized: tuple[str, ...] = ()
    kinds: Mapping[str, StorageKind] = field(factory=dict)
    compressing: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """The notes, and which areas are not known."""
        if not self.unsized:
            return self.notes
        names = ", ".join(self.unsized)
        return (*self.notes, f"no area is known for {names}: it counts as 0")


def read_architecture(
    path: Path,
    energies: EnergyTable | None = None,
    areas: Mapping[str, float] | None = None,
) -> TimeloopMachine:
    """Read an architecture file of version 0.2, 0.3 or 0.4, or of the first style.

    Args:
        path: the file.
        energies: the energy reference table; what a component states itself
            (`vector_access_energy` of a memory, `energy` of a multiplier) goes before it.
        areas: um^2 of one instance by component; 0 where missing, and noted.

    Raises:
        InputError: with everything that is wrong or not understood, each with its line.
    """
    return architecture_of(read_timeloop_yaml(path), energies, areas)


def has_architecture(document: YamlDocument) -> bool:
    """Return whether a document describes a machine."""
    return isinstance(document.data, dict) and any(document.data.get(part) for part in PARTS)


def architecture_of(
    document: YamlDocument,
    energies: EnergyTable | None = None,
    areas: Mapping[str, float] | None = None,
) -> TimeloopMachine:
    """Return the machine in a document that has an `architecture`."""
    problems = Problems(document)
    top = Fields(problems, (), document.data)
    part = next((name for name in PARTS if top.data.get(name)), PARTS[0])
    variables = top.get("variables", TABLE, {})
    flat = flatten(problems, top.inner(part), variables)
    problems.raise_if_any()
    if top.data.get(SPARSE_PART):
        flat.notes.append(SPARSE)
        flat.compressing += compressing(document)
    parts = Components(problems, energies or EnergyTable({}), areas or {})
    machine = _machine(parts, flat, part)
    problems.raise_if_any()
    if machine is None:
        raise CosearchError(f"{document.source} holds no machine")
    return machine


def _machine(parts: Components, flat: Flat, part: str) -> TimeloopMachine | None:
    nodes = _levels(parts, flat)
    if len(nodes) < 2 or not computes(nodes[-1]):
        last = f"the innermost component is {nodes[-1].name!r}" if nodes else "no component"
        parts.problems.add((part,), f"needs memories and a multiplier; {last}")
        return None
    levels = [parts.fanout(n) if n.spreads else parts.memory(n) for n in nodes[:-1]]
    levels[0] = evolve(levels[0], keeps=frozenset(ROLES), may_keep=frozenset())
    compute = parts.compute(nodes[-1])
    if parts.problems.found:
        return None
    try:
        machine = Architecture("timeloop", tuple(reversed(levels)), compute)
    except CosearchError as error:
        parts.problems.add((part,), str(error))
        return None
    return TimeloopMachine(
        machine,
        {n.spreads_for: n.name for n in nodes if n.spreads},
        (*flat.notes, *parts.told()),
        frozenset(
            level.name
            for node, level in zip(nodes, levels, strict=False)
            if level.entries == 0 or _stands_for_a_fanout(node)
        ),
        tuple(flat.directives),
        tuple(flat.disabled),
        tuple(parts.unpriced),
        tuple(parts.unsized),
        parts.kinds,
        tuple(flat.compressing),
    )


def _levels(parts: Components, flat: Flat) -> list[Node]:
    """Return the fanouts, the memories and the multipliers; anything else is not counted.

    A machine may name address generators, networks and adders beside them, which Timeloop's own
    topology passes over too.
    """
    last = max((i for i, node in enumerate(flat.nodes) if computes(node)), default=-1)
    kept: list[Node] = []
    for i, node in enumerate(flat.nodes):
        if i == last or node.spreads or stores(node) or not node.kind:
            kept.append(node)
        else:
            what = f"{node.name} ({node.kind})"
            parts.notes.append(f"{what}: neither memory nor multiplier, not counted")
    return [node for node in kept if not node.spreads or _leads_somewhere(node, kept)]


def _leads_somewhere(node: Node, kept: list[Node]) -> bool:
    """Return whether something stands inside a fanout."""
    return kept.index(node) < len(kept) - 1


def _stands_for_a_fanout(node: Node) -> bool:
    """Return whether a memory is one that Timeloop's front end puts where a container spreads."""
    return is_free(node) and node.name.startswith("inter_") and node.name.endswith("_spatial")


def with_technology(machine: TimeloopMachine, technology: Technology) -> TimeloopMachine:
    """Return the machine with everything priced that no file prices.

    Several instances that share one physical memory (a cluster) are priced as it: an access costs
    what a whole row does, and is counted once for all of them.

    Raises:
        CosearchError: the technology cannot price a component.
    """
    open_ones = set(machine.unpriced)
    architecture = machine.architecture
    unpriced = [m for m in architecture.levels if m.name in open_ones]
    found = {}
    sources = dict(architecture.sources)
    if unpriced:
        part = evolve(architecture, levels=unpriced)
        ganged = {m.name: m.cluster_size for m in unpriced}
        answer = priced(part, technology, kinds=machine.kinds, ganged=ganged)
        found = {m.name: _whole_row(m) for m in answer.levels}
        sources |= {name: text for name, text in answer.sources.items() if name in open_ones}
    compute = architecture.compute
    if compute.name in open_ones:
        price = technology.compute(compute.word_bits, compute.name)
        compute = evolve(compute, energy_pj=price.energy_pj, area_um2=price.area_um2)
        sources[compute.name] = price.energy_source
    levels = [found.get(m.name, m) for m in architecture.levels]
    whole = evolve(architecture, levels=levels, compute=compute, sources=sources)
    unsized = tuple(name for name in machine.unsized if name not in open_ones)
    return evolve(machine, architecture=whole, unpriced=(), unsized=unsized)


def _whole_row(memory: Memory) -> Memory:
    """Return the memory at the price of a whole row, where several instances share one."""
    size, energy = memory.cluster_size, memory.energy
    share = evolve(
        energy, read=energy.read * size, fill=energy.fill * size, update=energy.update * size
    )
    return evolve(memory, energy=share)
