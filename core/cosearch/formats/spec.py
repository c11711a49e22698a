"""The specification of a mapped layer: `cosearch evaluate SPEC.yaml`, version 1.

Three parts, in one file or in three: `architecture`, `layer`, `mapping`. Everything is ordered
inner to outer: levels, and the loops inside a level. `docs/evaluate.md` describes every field; the
format's JSON Schema is derived from the checks made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from attrs import fields as attributes

from cosearch.errors import CosearchError, InputError, near_names
from cosearch.formats.fields import (
    BITS,
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
from cosearch.formats.layer import KINDS, read_layer
from cosearch.formats.schema import described, one_of
from cosearch.formats.yaml_source import YamlDocument, read_yaml_document
from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.machine.architecture import (
    AccessEnergy,
    Architecture,
    Compute,
    CostRules,
    Link,
    Memory,
    Mode,
    Partition,
)
from cosearch.workload.einsum import ROLES, Einsum, Role
from cosearch.workload.language import same_dimension

VERSION = 1
PARTS = ("architecture", "layer", "mapping")
ACCESSES = ("read", "fill", "update")

ALONG = "instances along X and along Y"
MODES = "how operands of which widths are multiplied; none is one way for all up to word_bits"
RATE = "words per cycle and instance; null is unlimited"
"""What the schema says of fields that more than one component has."""


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


@frozen
class ReadLayer:
    """A mapped layer as the files of another tool have it.

    Attributes:
        specification: the mapped layer.
        notes: what the files hold and this model has no use for, each with its file.
        unpriced: memories and multipliers whose energy nothing states; energies are NaN then.
    """

    specification: Specification
    notes: tuple[str, ...]
    unpriced: tuple[str, ...] = ()


def json_schema() -> dict[str, Any]:
    """Return the format's JSON Schema (draft 2020-12)."""
    layers = [described(read_layer, kinds=KINDS, kind=kind) for kind in KINDS]
    top = described(_fields)
    top["properties"] |= {
        "version": {"const": VERSION},
        "architecture": described(read_architecture),
        "layer": one_of(layers),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"cosearch specification of a mapped layer, version {VERSION}",
        "description": "For `cosearch evaluate`. Three parts, in one file or in three. Levels, and "
        "loops inside a level, stand inner to outer.",
        **top,
    }


def _fields(top: Fields) -> None:
    """Take what every file has besides the parts that have readers of their own."""
    top.need("version", WHOLE)
    if "mapping" in top:
        read_mapping(top)
    top.refuse_left()


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
    mapping = _in_the_letters_of(layer, mapping)
    return Specification(architecture, layer, mapping, tuple(str(path) for path in paths))


def _in_the_letters_of(layer: Einsum, mapping: Mapping) -> Mapping:
    """Return the mapping with its dimensions spelled as the layer's: k is K."""

    def loops(given: tuple[Loop, ...]) -> tuple[Loop, ...]:
        return tuple(Loop(same_dimension(x.dim, layer.dims) or x.dim, x.bound) for x in given)

    return Mapping(
        evolve(
            entry,
            temporal=loops(entry.temporal),
            spatial_x=loops(entry.spatial_x),
            spatial_y=loops(entry.spatial_y),
        )
        for entry in mapping.levels
    )


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
    levels = [_memory(level) for level in fields.each("levels", "inner to outer")]
    compute = _compute(fields.inner("compute"))
    clock = fields.get("clock_mhz", optional(POSITIVE), None, "for power and seconds")
    cited: dict[str, str] = {}
    if "sources" in fields:
        about = "where the numbers of a component come from"
        cited = fields.inner("sources", about).every(TEXT)
    rules = CostRules()
    if "rules" in fields:
        rules = _rules(fields.inner("rules", "where tools count differently; see the cost model"))
    widths = fields.get("widths", WIDTHS, NO_WIDTHS, "of tensors that a layer leaves open")
    fields.refuse_left()
    if len(fields.problems.found) > before:
        return None
    try:
        return Architecture(name, levels, compute, clock, cited, rules, widths)
    except CosearchError as error:
        fields.problems.add(fields.place, str(error))
        return None


def _memory(fields: Fields) -> Memory:
    x, y = fields.get("mesh", MESH, (1, 1), ALONG)
    memory = Memory(
        fields.need("name", TEXT),
        fields.get(
            "entries",
            optional(WHOLE),
            None,
            "capacity of one instance in words; null is unlimited",
        ),
        fields.need("energy_pj", ENERGY),
        word_bits=fields.get("word_bits", BITS, 16),
        block_size=fields.get("block_size", WHOLE, 1, "words an access"),
        mesh_x=x,
        mesh_y=y,
        read_bandwidth=fields.get("read_bandwidth", optional(POSITIVE), None, RATE),
        write_bandwidth=fields.get("write_bandwidth", optional(POSITIVE), None, RATE),
        shared_bandwidth=fields.get("shared_bandwidth", optional(POSITIVE), None, RATE),
        multiple_buffering=fields.get("multiple_buffering", POSITIVE, 1.0),
        leak_pj_per_cycle=fields.get("leak_pj_per_cycle", NUMBER, 0.0),
        area_um2=fields.get("area_um2", NUMBER, 0.0),
        is_dram=fields.get("is_dram", FLAG, False, "has no adder of its own"),
        keeps=fields.get("keeps", SOME_ROLES, frozenset(ROLES), "always stored here"),
        may_keep=fields.get(
            "may_keep", SOME_ROLES, frozenset(), "stored here or passed, as a mapping says"
        ),
        partitions=_partitions(fields),
        network_below=_link(fields.inner("network_below")) if "network_below" in fields else Link(),
        packs=fields.get("packs", PACKS, (), "widths in bits it stores; none listed is any"),
        whole_words=fields.get("whole_words", FLAG, False, "no narrow element is in two words"),
    )
    fields.refuse_left()
    return memory


def _partitions(fields: Fields) -> dict[Role, Partition]:
    if "partitions" not in fields:
        return {}
    parts = fields.inner("partitions", "parts of the memory that one role alone uses")
    out: dict[Role, Partition] = {}
    for role in ROLES:
        if role in parts:
            part = parts.inner(role)
            out[role] = Partition(
                part.need("entries", WHOLE),
                part.need("energy_pj", ENERGY),
                part.get("word_bits", optional(BITS), None, "the memory's where it is left out"),
                part.get("packs", PACKS, (), "the memory's where none are listed"),
            )
            part.refuse_left()
    parts.refuse_left(ROLES)
    return out


def _link(fields: Fields) -> Link:
    link = Link(fields.get("hop_pj", NUMBER, 0.0), fields.get("router_pj", NUMBER, 0.0))
    fields.refuse_left()
    return link


def _compute(fields: Fields) -> Compute:
    x, y = fields.get("mesh", MESH, (1, 1), ALONG)
    compute = Compute(
        fields.need("energy_pj", NUMBER, "of one multiply-accumulate"),
        x,
        y,
        fields.get("word_bits", BITS, 16),
        fields.get("area_um2", NUMBER, 0.0, "of one multiplier"),
        fields.get("name", TEXT, "MAC"),
        [_mode(mode) for mode in fields.each("modes", MODES)] if "modes" in fields else (),
    )
    fields.refuse_left()
    return compute


def _mode(fields: Fields) -> Mode:
    mode = Mode(
        fields.need("weights", BITS),
        fields.need("inputs", BITS),
        fields.need("energy_pj", NUMBER, "of one multiply-accumulate"),
        fields.get("cycles", WHOLE, 1, "of one"),
    )
    fields.refuse_left()
    return mode


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
    levels = [_level(level) for level in top.each("mapping", "one entry a level, inner to outer")]
    return Mapping(levels)


def _level(fields: Fields) -> LevelMapping:
    level = LevelMapping(
        fields.need("level", TEXT),
        frozenset(fields.need("keep", NAMES, "tensors stored here; the others pass")),
        *(
            fields.get(kind, LOOPS, (), "dimension to bound, inner to outer")
            for kind in ("temporal", "spatial_x", "spatial_y")
        ),
    )
    fields.refuse_left()
    return level


def _energy(value: Any) -> AccessEnergy:  # noqa: ANN401
    if not isinstance(value, dict):
        return AccessEnergy.uniform(NUMBER.read(value))
    if set(value) != set(ACCESSES):
        raise ValueError(f"needs {', '.join(ACCESSES)}, or one number for all of them")
    return AccessEnergy(*(NUMBER.read(value[kind]) for kind in ACCESSES))


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


def _packs(value: Any) -> tuple[int, ...]:  # noqa: ANN401
    if not isinstance(value, list) or not value:
        raise ValueError("is not a list of numbers of bits")
    return tuple(BITS.read(bits) for bits in value)


def _widths(value: Any) -> dict[Role, int]:  # noqa: ANN401
    if not isinstance(value, dict) or not value:
        raise ValueError("is not a mapping of roles to bits")
    _roles(list(value))
    return {role: BITS.read(value[role]) for role in ROLES if role in value}


def _loops(value: Any) -> tuple[Loop, ...]:  # noqa: ANN401
    pairs = list(value.items()) if isinstance(value, dict) else value
    if not isinstance(pairs, list) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs
    ):
        raise ValueError("is neither {dimension: bound} nor [[dimension, bound]], inner to outer")
    return tuple(Loop(TEXT.read(dim), WHOLE.read(bound)) for dim, bound in pairs)


NO_LOOPS: tuple[Loop, ...] = ()
NO_PACKS: tuple[int, ...] = ()
NO_WIDTHS: dict[Role, int] = {}
NO_NAMES: tuple[str, ...] = ()
NO_ROLES: frozenset[Role] = frozenset()
PAIR_OF_WHOLES = {
    "type": "array",
    "prefixItems": [WHOLE.schema, WHOLE.schema],
    "minItems": 2,
    "maxItems": 2,
}
ENERGY = Check(
    _energy,
    AccessEnergy.uniform(0.0),
    {
        "description": "pJ of one access of a block: one number, or one for each kind of access",
        "oneOf": [
            NUMBER.schema,
            {
                "type": "object",
                "properties": dict.fromkeys(ACCESSES, NUMBER.schema),
                "required": list(ACCESSES),
                "additionalProperties": False,
            },
        ],
    },
)
PACKS = Check(_packs, NO_PACKS, {"type": "array", "items": BITS.schema})
WIDTHS = Check(
    _widths,
    NO_WIDTHS,
    {
        "type": "object",
        "properties": dict.fromkeys(ROLES, BITS.schema),
        "additionalProperties": False,
    },
)
MESH = Check(_mesh, (1, 1), PAIR_OF_WHOLES)
NAMES = Check(_names, NO_NAMES, {"type": "array", "items": TEXT.schema})
SOME_ROLES = Check(_roles, NO_ROLES, {"type": "array", "items": {"enum": list(ROLES)}})
LOOPS = Check(
    _loops,
    NO_LOOPS,
    {
        "oneOf": [
            {"type": "object", "additionalProperties": WHOLE.schema},
            {
                "type": "array",
                "items": {**PAIR_OF_WHOLES, "prefixItems": [TEXT.schema, WHOLE.schema]},
            },
        ]
    },
)
