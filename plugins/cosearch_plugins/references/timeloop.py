"""Timeloop's printed figures, in a directory of `archs.json` and `points_*.jsonl` (or `.gz`).

Energies are published with six digits after the point, the total with three. An energy agrees
within 1e-9 of its value or half a unit of its last published digit, whichever is more: a small
one carries fewer than nine digits. The energy-delay product is the product of two numbers that
are compared, so it is not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from attrs import evolve

from cosearch.errors import CosearchError, InputError
from cosearch.loopnest.mapping import LevelMapping, Loop
from cosearch.loopnest.mapping import Mapping as LoopMapping
from cosearch.loopnest.validity import Rule, refuse_misfits
from cosearch.machine.architecture import (
    AccessEnergy,
    Architecture,
    Compute,
    CostRules,
    Link,
    Memory,
)
from cosearch.validate.compare import Figure, Point, Rejected
from cosearch.validate.figures import COUNTS, MappedLayer, reason_of, reference_model
from cosearch.validate.files import json_lines, json_object, reading
from cosearch.validate.reference import Reference, Section
from cosearch.workload.einsum import Einsum, conv

Json: TypeAlias = Mapping[str, Any]

NAME = "Timeloop"

LINKED = "result_link_transfers_on"
"""Where a point has the figures of Timeloop's default setting, if they are others."""

RELATIVE = 1e-9
"""How much of an energy a right model may miss."""


class Timeloop(Reference):
    """Points of `archs.json` and every `points_*.jsonl`; those of other files apart."""

    def read(self, path: Path) -> tuple[Section, ...]:
        """Read a directory, or one file of points that stands beside its `archs.json`."""
        folder, files = _files(path)
        architectures = _architectures(_unpacked_or_not(folder / "archs.json"))
        plain: dict[str, list[Point[MappedLayer]]] = {NAME: [], f"{NAME}, its mapper's best": []}
        linked: list[Point[MappedLayer]] = []
        for file in files:
            name = NAME if file.name.startswith("points") or len(files) == 1 else [*plain][1]
            for line, record in json_lines(file):
                place = f"{file}:{line}"
                with reading(place):
                    case = _case(record, architectures)
                    plain[name].append(_point(record, case, place, "result"))
                    if isinstance(record.get(LINKED), dict):
                        linked.append(_point(record, _linked(case), place, LINKED))
        by_name = {**plain, f"{NAME}, link transfers on": linked}
        sections = tuple(Section(n, p, reference_model) for n, p in by_name.items() if p)
        if not sections:
            raise InputError(str(path), ["holds no points"])
        return sections


def _files(path: Path) -> tuple[Path, list[Path]]:
    if path.is_file():
        return path.parent, [path]
    if not path.is_dir():
        raise InputError(str(path), ["there is no such directory"])
    files = sorted([*path.glob("*.jsonl"), *path.glob("*.jsonl.gz")])
    if not files:
        raise InputError(str(path), ["holds no points_*.jsonl"])
    return path, files


def _unpacked_or_not(file: Path) -> Path:
    packed = file.with_name(f"{file.name}.gz")
    return packed if packed.exists() and not file.exists() else file


def _architectures(file: Path) -> dict[str, Architecture]:
    out = {}
    for name, facts in json_object(file).items():
        with reading(f"{file}: {name}"):
            out[name] = architecture(name, facts)
    return out


def architecture(name: str, facts: Json) -> Architecture:
    """Return the machine that one entry of `archs.json` describes."""
    mac = facts["arithmetic"]
    return Architecture(
        name,
        [_memory(level) for level in facts["levels"]],
        Compute(
            mac["energy_per_compute_pj"],
            mac["meshX"],
            mac["meshY"],
            mac["word_bits"],
            mac["area_um2"],
            mac["name"],
        ),
    )


def _memory(level: Json) -> Memory:
    energy, network = level["energy_per_vector_access_pj"], level["network_below"]
    return Memory(
        level["name"],
        level["entries"],
        AccessEnergy(energy["read"], energy["fill"], energy["update"]),
        word_bits=level["word_bits"],
        block_size=level["block_size"],
        mesh_x=level["meshX"],
        mesh_y=level["meshY"],
        read_bandwidth=level["read_bandwidth"],
        write_bandwidth=level["write_bandwidth"],
        shared_bandwidth=level["shared_bandwidth"],
        multiple_buffering=level["multiple_buffering"],
        leak_pj_per_cycle=level["leak_pj_per_instance_cycle"],
        area_um2=level["area_um2"],
        is_dram=level["technology"] == "DRAM",
        network_below=Link(network["energy_per_hop_pj"], network["router_energy_pj"]),
    )


def problem(facts: Json) -> Einsum:
    """Return the layer that a point's `problem` describes.

    It has the dimension of groups even where there is one group: a mapping may name it wrongly.
    """
    layer = conv(
        facts.get("name", "layer"),
        **{dim: facts[dim] for dim in "KCPQRSN"},
        G=max(2, facts["G"]),
        stride=(facts["Wstride"], facts["Hstride"]),
        dilation=(facts["Wdilation"], facts["Hdilation"]),
    )
    return evolve(layer, sizes=tuple(facts[dim] for dim in layer.dims))


def mapping(entries: list[Json]) -> LoopMapping:
    """Return the mapping that a point's `mapping` describes."""

    def loops(entry: Json, kind: str) -> tuple[Loop, ...]:
        return tuple(Loop(dim, bound) for dim, bound in entry.get(kind, ()))

    levels = tuple(
        LevelMapping(
            entry["level"],
            frozenset(entry["keep"]),
            temporal=loops(entry, "temporal"),
            spatial_x=loops(entry, "spatial_x"),
            spatial_y=loops(entry, "spatial_y"),
        )
        for entry in entries
    )
    return LoopMapping(levels)


def _case(record: Json, architectures: Mapping[str, Architecture]) -> MappedLayer:
    if record["arch"] not in architectures:
        raise CosearchError(f"arch: archs.json has no architecture {record['arch']!r}")
    case = MappedLayer(
        architectures[record["arch"]], problem(record["problem"]), mapping(record["mapping"])
    )
    refuse_misfits(case.architecture, case.layer, case.mapping)
    return case


def _linked(case: MappedLayer) -> MappedLayer:
    rules = CostRules(link_transfers=True)
    return evolve(case, architecture=evolve(case.architecture, rules=rules))


def _point(record: Json, case: MappedLayer, source: str, key: str) -> Point[MappedLayer]:
    if not record["valid"]:
        return Point(record["id"], source, case, rejection(record["reason"]))
    return Point(record["id"], source, case, dict(_figures(record[key])))


REASONS: tuple[tuple[str, Rule], ...] = (
    (r"product of all factors of dimension \w+ is", Rule.FACTORS),
    (r"one of the tensors is bypassed in all storage levels", Rule.KEPT_NOWHERE),
    (r"couldn't map level (\S+): mapped (?:max Arithmetic )?X expansion", Rule.SPATIAL_X),
    (r"couldn't map level (\S+): mapped (?:max Arithmetic )?Y expansion", Rule.SPATIAL_Y),
    (r"couldn't map level (\S+): mapped (?:max Arithmetic )?instances", Rule.INSTANCES),
    (r"couldn't map level (\S+): mapped tile size", Rule.CAPACITY),
)
"""What Timeloop says, and the rule that it means."""


def rejection(message: str) -> Rejected:
    """Return the class of reason in one of Timeloop's messages; the message itself if unknown."""
    for pattern, rule in REASONS:
        if found := re.search(pattern, message):
            return Rejected(reason_of(rule, *found.groups()), message)
    return Rejected(message, message)


def _figures(result: Json) -> Iterator[tuple[str, Figure]]:
    yield "cycles", Figure("cycles", result["cycles"])
    yield "energy_pj", _energy(result["energy_pj"], digits=3)
    yield "computes", Figure("count", result["computes"])
    yield "utilized_macs", Figure("count", result["utilized_macs"])
    yield "utilization", _ratio(result["utilization"])
    yield "compute_energy_pj", _energy(result["compute_energy_pj"])
    for name, level in result["levels"].items():
        yield from _level(name, level)
    for name, tensors in result["networks_below"].items():
        for tensor, facts in tensors.items():
            yield from _network(f"below {name}/{tensor}", facts)


def _level(name: str, level: Json) -> Iterator[tuple[str, Figure]]:
    yield f"{name}/cycles", Figure("cycles", level["cycles"])
    yield f"{name}/throttling", _ratio(level["throttling"], 0.5e-9)
    yield f"{name}/energy_pj", _energy(level["energy_pj"])
    yield f"{name}/leakage_energy_pj", _energy(level["leakage_energy_pj"])
    for tensor, facts in level["tensors"].items():
        for count in COUNTS:
            yield f"{name}/{tensor}/{count}", Figure("count", facts[count])
        yield f"{name}/{tensor}/energy_pj", _energy(facts["energy_pj"])


def _network(name: str, facts: Json) -> Iterator[tuple[str, Figure]]:
    for count in ("fanout", "multicast_factor", "spatial_reductions", "link_transfers"):
        yield f"{name}/{count}", Figure("count", facts[count])
    yield f"{name}/ingresses", _words(facts["ingresses"])
    yield f"{name}/records", Figure("count", len(facts["by_multicast_scatter"]))
    for size, groups, words in facts["by_multicast_scatter"]:
        yield f"{name}/words to {groups} groups of {size}", _words(words)
    yield f"{name}/avg_hops", _ratio(facts["avg_hops"])
    yield f"{name}/energy_pj", _energy(facts["energy_pj"])
    yield f"{name}/link_transfer_energy_pj", _energy(facts["link_transfer_energy_pj"])


def _words(value: float) -> Figure:
    """Words behind a bypass need not be whole with link transfers on; six digits are published."""
    return Figure("count", value, 0.0 if float(value).is_integer() else 0.5e-6 + math.ulp(value))


def _energy(value: float, digits: int = 6) -> Figure:
    rounding = 0.5 * 10.0**-digits + 4 * math.ulp(value)
    return Figure("energy", value, max(RELATIVE * abs(value), rounding), rounding)


def _ratio(value: float, rounding: float = 0.5e-6) -> Figure:
    return Figure("ratio", value, rounding + 4 * math.ulp(value), rounding)
