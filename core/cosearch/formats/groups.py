"""Groups of layers that run together, in a file that `cosearch evaluate` prices again, version 1.

`cosearch map NETWORK --fuse --output FILE` writes one. Its parts are `architecture`, as in the
specification of a mapped layer, and `groups`. Levels and the loops inside a level stand inner to
outer, the loops of a prefix outermost first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from attrs import asdict, frozen

from cosearch.errors import CosearchError, InputError
from cosearch.formats.fields import FLAG, TEXT, WHOLE, Check, Fields, Problems
from cosearch.formats.layer import read_layer
from cosearch.formats.spec import ACCESSES, NAMES, VERSION, read_architecture, read_mapping
from cosearch.formats.yaml_source import read_yaml_document
from cosearch.loopnest.group import FusedGroup, Held, PrefixLoop, refuse_ill_formed
from cosearch.loopnest.mapping import Mapping
from cosearch.machine.architecture import AccessEnergy, Architecture, Memory, Partition
from cosearch.mapping.fused import FusedRun
from cosearch.mapping.groups import levels_of
from cosearch.workload.einsum import Einsum
from cosearch.workload.language import format_einsum
from cosearch.workload.link import Link, refuse_broken

GROUPS = "groups"


@frozen
class FileGroup:
    """A group in a file, with mappings, and how often it runs."""

    group: FusedGroup
    runs: int

    @property
    def names(self) -> tuple[str, ...]:
        """Of its members."""
        return tuple(layer.name for layer in self.group.layers)


@frozen
class GroupFile:
    """What a file of groups holds."""

    architecture: Architecture
    groups: tuple[FileGroup, ...]
    source: str


def holds_groups(path: Path) -> bool:
    """Return whether a file is one of groups."""
    data = read_yaml_document(path).data
    return isinstance(data, dict) and GROUPS in data


def read_groups(path: Path) -> GroupFile:
    """Read a file of groups.

    Raises:
        InputError: with every problem, each with line and field.
    """
    document = read_yaml_document(path)
    problems = Problems(document)
    top = Fields(problems, (), document.data)
    if (version := top.need("version", WHOLE)) != VERSION:
        problems.add(("version",), f"is {version}; this cosearch reads version {VERSION}")
    architecture = read_architecture(top.inner("architecture"))
    groups = [_group(fields) for fields in top.each(GROUPS)]
    top.refuse_left()
    problems.raise_if_any()
    whole = tuple(group for group in groups if group is not None)
    if architecture is None or len(whole) < len(groups):
        raise InputError(str(path), ["cannot be read"])
    return GroupFile(architecture, whole, str(path))


def _group(fields: Fields) -> FileGroup | None:
    before = len(fields.problems.found)
    runs = fields.get("runs", WHOLE, 1, "how often the network runs it")
    members = fields.each("members", "layers, each handing its output to the next")
    layers: list[Einsum | None] = []
    mappings: list[Mapping] = []
    links: list[Link] = []
    for i, member in enumerate(members):
        layers.append(read_layer(member.inner("layer")))
        mappings.append(read_mapping(member))
        if i:
            links.append(_link(member.inner("reads", "what it has of the layer before"), i))
        member.refuse_left()
    prefix = _each(fields, "prefix", _prefix_loop)
    held = _each(fields, "held", _held)
    fields.refuse_left()
    known = tuple(layer for layer in layers if layer is not None)
    if len(fields.problems.found) > before or len(known) < len(layers):
        return None
    group = FusedGroup(known, tuple(links), tuple(prefix), tuple(held), tuple(mappings))
    try:
        refuse_broken("group", [(layer, 1) for layer in known], links)
        if len(known) > 1 or prefix or held:
            refuse_ill_formed(group)
    except CosearchError as error:
        fields.problems.add(fields.place, str(error))
    return FileGroup(group, runs)


def _each(fields: Fields, name: str, read: Any) -> list[Any]:  # noqa: ANN401 - what it reads
    return [read(entry) for entry in fields.each(name)] if name in fields else []


def _prefix_loop(fields: Fields) -> PrefixLoop:
    loop = PrefixLoop(fields.need("bound", WHOLE), tuple(fields.need("dims", NAMES)))
    fields.refuse_left()
    return loop


def _held(fields: Fields) -> Held:
    held = Held(
        fields.need("member", PLACE), fields.need("tensor", TEXT), fields.need("depth", PLACE)
    )
    fields.refuse_left()
    return held


def _link(fields: Fields, consumer: int) -> Link:
    axes = fields.need("axes", AXES)
    whole = frozenset(axis for axis in fields.get("whole", AXES, ()) if axis is not None)
    written = fields.get("written", FLAG, False, "whether other groups read it too")
    link = Link(consumer - 1, consumer, fields.need("operand", TEXT), axes, whole, written)
    fields.refuse_left()
    return link


def _place(value: Any) -> int:  # noqa: ANN401
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"{value!r} is not a whole number of at least 0")


def _axes(value: Any) -> tuple[int | None, ...]:  # noqa: ANN401
    if isinstance(value, list):
        return tuple(None if axis is None else _place(axis) for axis in value)
    raise ValueError(f"{value!r} is not a list of axes")


NO_AXES: tuple[int | None, ...] = ()
PLACE = Check(_place, 0)
AXES = Check(_axes, NO_AXES)


def groups_text(architecture: Architecture, runs: Sequence[FusedRun]) -> str:
    """Return a machine and the groups that run on it as a file.

    Raises:
        CosearchError: the format cannot say what the machine is.
    """
    facts = {
        "version": VERSION,
        "architecture": architecture_facts(architecture),
        GROUPS: [_group_facts(run) for run in runs],
    }
    text: str = yaml.safe_dump(facts, sort_keys=False, default_flow_style=None, width=100)
    return text


def _group_facts(run: FusedRun) -> dict[str, Any]:
    group = run.group
    members: list[dict[str, Any]] = []
    for j, (name, layer) in enumerate(zip(run.layers, group.layers, strict=True)):
        member: dict[str, Any] = {"layer": _layer_facts(name, layer)}
        for link in group.links:
            if link.consumer == j:
                member["reads"] = {
                    "operand": link.operand,
                    "axes": list(link.axes),
                    "whole": sorted(link.whole),
                    **({"written": True} if link.written else {}),
                }
        member["mapping"] = list(levels_of(group.mappings[j]))
        members.append(member)
    prefix = [{"bound": loop.bound, "dims": list(loop.dims)} for loop in group.prefix]
    told = {"prefix": prefix, "held": [asdict(held) for held in group.held]}
    return {"runs": run.count, **{k: v for k, v in told.items() if v}, "members": members}


def _layer_facts(name: str, layer: Einsum) -> dict[str, Any]:
    facts = {"name": name, "einsum": format_einsum(layer), "sizes": layer.bounds}
    weights = [t.name for t in layer.operands if t.role == "Weights"]
    return {**facts, "weights": weights[0]} if weights else facts


def architecture_facts(architecture: Architecture) -> dict[str, Any]:
    """Return a machine as the part `architecture` of a specification has it.

    Raises:
        CosearchError: instances share a physical memory, which the format cannot say.
    """
    if any(level.cluster_size > 1 for level in architecture.levels):
        raise CosearchError(
            f"{architecture.name!r} has memories that several instances share; files cannot say so"
        )
    compute = architecture.compute
    return {
        "name": architecture.name,
        "clock_mhz": architecture.clock_mhz,
        "levels": [_memory_facts(level) for level in architecture.levels],
        "compute": {
            "name": compute.name,
            "energy_pj": compute.energy_pj,
            "mesh": [compute.mesh_x, compute.mesh_y],
            "word_bits": compute.word_bits,
            "area_um2": compute.area_um2,
            **({"modes": [asdict(way) for way in compute.modes]} if compute.modes else {}),
        },
        **({"widths": dict(architecture.widths)} if architecture.widths else {}),
        "rules": asdict(architecture.rules),
        "sources": dict(architecture.sources),
    }


SAME = (
    *("name", "entries", "word_bits", "block_size"),
    *("read_bandwidth", "write_bandwidth", "shared_bandwidth"),
    *("multiple_buffering", "leak_pj_per_cycle", "area_um2", "is_dram"),
)
"""Fields of a memory that a file has under the same name."""


def _memory_facts(memory: Memory) -> dict[str, Any]:
    facts = {name: getattr(memory, name) for name in SAME}
    return {
        **facts,
        "energy_pj": _energy_facts(memory.energy),
        "mesh": [memory.mesh_x, memory.mesh_y],
        "keeps": sorted(memory.keeps),
        "may_keep": sorted(memory.may_keep),
        "partitions": {
            role: {
                "entries": part.entries,
                "energy_pj": _energy_facts(part.energy),
                **({"word_bits": part.word_bits} if part.word_bits else {}),
                **_packing(part),
            }
            for role, part in sorted(memory.partitions.items())
        },
        "network_below": asdict(memory.network_below),
        **_packing(memory),
        **({"whole_words": True} if memory.whole_words else {}),
    }


def _packing(place: Memory | Partition) -> dict[str, list[int]]:
    return {"packs": list(place.packs)} if place.packs else {}


def _energy_facts(energy: AccessEnergy) -> dict[str, float]:
    return {kind: float(getattr(energy, kind)) for kind in ACCESSES}
