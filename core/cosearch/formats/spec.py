"""The specification of a mapped layer: `cosearch evaluate SPEC.yaml`, version 1.

Three parts, in one file or in three: `architecture`, `layer`, `mapping`. Everything is ordered
inner to outer: levels, and the loops inside a level. `docs/evaluate.md` describes every field and
`spec.schema.json` beside this module is the format's JSON Schema.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import fields as attributes
from attrs import frozen

from cosearch.errors import CosearchError, InputError, near_names
from cosearch.formats.fields import (
    FLAG,
    NUMBER,
    POSITIVE,
    TEXT,
    WHOLE,
    Check,
    Fields,
    Problems,
    optional,
)
from cosearch.formats.layer import read_layer
from cosearch.formats.yaml_source import YamlDocument, read_yaml_document
from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.machine.architecture import (
    AccessEnergy,
    Architecture,
    Compute,
    CostRules,
    Link,
    Memory,
    Partition,
)
from cosearch.workload.einsum import ROLES, Einsum, Role

VERSION = 1
PARTS = ("architecture", "layer", "mapping")


@frozen
class Specification:
    """One layer, mapped on one machine.

    Attributes:
        sources: the files it was read from.
    """

    architecture: Architecture
    layer: Einsum
    mapping: Mapping
    sources: tuple[str, ...] = ()


def json_schema() -> dict[str, Any]:
    """Return the format's JSON Schema (draft 2020-12)."""
    text = Path(__file__).with_name("spec.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def read_specification(paths: Sequence[Path]) -> Specification:
    """Read the three parts from one or more files.

    Raises:
        InputError: with every problem of the first file that has one: line, field, and what is
            expected there; or naming the part that no file has, or two have.
    """
    parts: dict[str, tuple[Any, str]] = {}
    for path in paths:
        for name, part in _parts(read_yaml_document(path)).items():
            if name in parts:
                raise InputError(str(path), [f"has the part {name!r}, and so has {parts[name][1]}"])
            parts[name] = (part, str(path))
    missing = [name for name in PARTS if name not in parts]
    if missing:
        raise InputError(
            " ".join(map(str, paths)),
            [f"the part {name!r} is missing" for name in missing],
            "put the three parts into one file, or name up to three files",
        )
    architecture, layer, mapping = (parts[name][0] for name in PARTS)
    return Specification(architecture, layer, mapping, tuple(str(path) for path in paths))


def read_architecture_file(path: Path) -> Architecture:
    """Return the machine in a file whose other parts do not matter.

    Raises:
        InputError: with every problem of the file, or that it has no architecture.
    """
    found = _parts(read_yaml_document(path)).get("architecture")
    if not isinstance(found, Architecture):
        raise InputError(str(path), ["the part 'architecture' is missing"])
    return found


def _parts(document: YamlDocument) -> dict[str, Any]:
    problems = Problems(document)
    top = Fields(problems, (), document.data)
    if (version := top.need("version", WHOLE)) != VERSION:
        problems.add(("version",), f"is {version}; this cosearch reads version {VERSION}")
    out: dict[str, Any] = {}
    for name, read in (("architecture", read_architecture), ("layer", read_layer)):
        if name in top:
            out[name] = read(top.inner(name))
    if "mapping" in top:
        out["mapping"] = read_mapping(top)
    top.refuse_left(PARTS)
    if not problems.found and not out:
        problems.add((), f"has none of the parts {', '.join(PARTS)}")
    problems.raise_if_any("the format: cosearch evaluate --schema")
    return out


def read_architecture(fields: Fields) -> Architecture | None:
    """Return the machine, or None with the problems noted."""
    before = len(fields.problems.found)
    name = fields.get("name", TEXT, "architecture")
    levels = [_memory(Fields(fields.problems, p, item)) for p, item in fields.items("levels")]
    compute = _compute(fields.inner("compute"))
    clock = fields.get("clock_mhz", optional(POSITIVE), None)
    sources = fields.inner("sources") if "sources" in fields else None
    cited = {key: sources.need(key, TEXT) for key in sources.data} if sources else {}
    rules = _rules(fields.inner("rules")) if "rules" in fields else CostRules()
    fields.refuse_left()
    if len(fields.problems.found) > before:
        return None
    try:
        return Architecture(name, levels, compute, clock, cited, rules)
    except CosearchError as error:
        fields.problems.add(fields.place, str(error))
        return None


def _memory(fields: Fields) -> Memory:
    x, y = fields.get("mesh", MESH, (1, 1))
    memory = Memory(
        fields.need("name", TEXT),
        fields.get("entries", optional(WHOLE), None),
        fields.need("energy_pj", ENERGY),
        word_bits=fields.get("word_bits", WHOLE, 16),
        block_size=fields.get("block_size", WHOLE, 1),
        mesh_x=x,
        mesh_y=y,
        read_bandwidth=fields.get("read_bandwidth", optional(POSITIVE), None),
        write_bandwidth=fields.get("write_bandwidth", optional(POSITIVE), None),
        shared_bandwidth=fields.get("shared_bandwidth", optional(POSITIVE), None),
        multiple_buffering=fields.get("multiple_buffering", POSITIVE, 1.0),
        leak_pj_per_cycle=fields.get("leak_pj_per_cycle", NUMBER, 0.0),
        area_um2=fields.get("area_um2", NUMBER, 0.0),
        is_dram=fields.get("is_dram", FLAG, False),
        keeps=fields.get("keeps", SOME_ROLES, frozenset(ROLES)),
        may_keep=fields.get("may_keep", SOME_ROLES, frozenset()),
        partitions=_partitions(fields),
        network_below=_link(fields.inner("network_below")) if "network_below" in fields else Link(),
    )
    fields.refuse_left()
    return memory


def _partitions(fields: Fields) -> dict[Role, Partition]:
    if "partitions" not in fields:
        return {}
    parts = fields.inner("partitions")
    out: dict[Role, Partition] = {}
    for role in ROLES:
        if role in parts:
            part = parts.inner(role)
            out[role] = Partition(part.need("entries", WHOLE), part.need("energy_pj", ENERGY))
            part.refuse_left()
    parts.refuse_left(ROLES)
    return out


def _link(fields: Fields) -> Link:
    link = Link(fields.get("hop_pj", NUMBER, 0.0), fields.get("router_pj", NUMBER, 0.0))
    fields.refuse_left()
    return link


def _compute(fields: Fields) -> Compute:
    x, y = fields.get("mesh", MESH, (1, 1))
    compute = Compute(
        fields.need("energy_pj", NUMBER),
        x,
        y,
        fields.get("word_bits", WHOLE, 16),
        fields.get("area_um2", NUMBER, 0.0),
        fields.get("name", TEXT, "MAC"),
    )
    fields.refuse_left()
    return compute


def _rules(fields: Fields) -> CostRules:
    names = [attribute.name for attribute in attributes(CostRules)]
    given = {name: fields.get(name, FLAG, False) for name in names}
    fields.refuse_left()
    try:
        return CostRules(**given)
    except CosearchError as error:
        fields.problems.add(fields.place, str(error))
        return CostRules()


def read_mapping(top: Fields) -> Mapping:
    """Return the mapping in the field `mapping`, a list of levels."""
    levels = [_level(Fields(top.problems, p, item)) for p, item in top.items("mapping")]
    return Mapping(levels)


def _level(fields: Fields) -> LevelMapping:
    level = LevelMapping(
        fields.need("level", TEXT),
        frozenset(fields.need("keep", NAMES)),
        *(fields.get(kind, LOOPS, ()) for kind in ("temporal", "spatial_x", "spatial_y")),
    )
    fields.refuse_left()
    return level


def _energy(value: Any) -> AccessEnergy:  # noqa: ANN401
    if not isinstance(value, dict):
        return AccessEnergy.uniform(NUMBER.read(value))
    kinds = ("read", "fill", "update")
    if set(value) != set(kinds):
        raise ValueError(f"needs {', '.join(kinds)}, or one number for all of them")
    return AccessEnergy(*(NUMBER.read(value[kind]) for kind in kinds))


def _mesh(value: Any) -> tuple[int, int]:  # noqa: ANN401
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"{value!r} is not [instances along X, instances along Y]")
    return WHOLE.read(value[0]), WHOLE.read(value[1])


def _names(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return tuple(value)
    raise ValueError(f"{value!r} is not a list of names")


def _roles(value: Any) -> frozenset[Role]:  # noqa: ANN401
    for name in (names := _names(value)):
        if name not in ROLES:
            raise ValueError(
                f"{name!r} is not one of {', '.join(ROLES)}; {near_names(name, ROLES)}"
            )
    return frozenset(role for role in ROLES if role in names)


def _loops(value: Any) -> tuple[Loop, ...]:  # noqa: ANN401
    pairs = list(value.items()) if isinstance(value, dict) else value
    if not isinstance(pairs, list) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs
    ):
        raise ValueError("is neither {dimension: bound} nor [[dimension, bound]], inner to outer")
    return tuple(Loop(TEXT.read(dim), WHOLE.read(bound)) for dim, bound in pairs)


NO_LOOPS: tuple[Loop, ...] = ()
NO_NAMES: tuple[str, ...] = ()
NO_ROLES: frozenset[Role] = frozenset()
ENERGY = Check(_energy, AccessEnergy.uniform(0.0))
MESH = Check(_mesh, (1, 1))
NAMES = Check(_names, NO_NAMES)
SOME_ROLES = Check(_roles, NO_ROLES)
LOOPS = Check(_loops, NO_LOOPS)
