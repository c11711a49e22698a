"""Directives of mappings and constraints: a target, a kind, and what is said there.

Mappings and constraints share their form. A constraint may also list several directives under one
target (`{target: x, constraints: [{type: temporal, ...}]}`) and put its fields under `attributes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from cosearch.formats.fields import ANYTHING, NUMBER, TABLE, TEXT, Fields, Problems, optional
from cosearch.formats.yaml_source import Place
from cosearch.workload.einsum import Einsum
from cosearch_plugins.formats.timeloop.words import FACTORS, NAMES, SPLIT, Factor

KEEPING = ("datatype", "dataspace", "bypass", "bypassing")
LOOPING = ("temporal", "spatial")
BUSY = ("utilization", "parallelism")
KINDS = (*LOOPING, *KEEPING, *BUSY)

COUNTED_OTHERWISE = (
    "no_reuse",
    "no_temporal_reuse",
    "no_multicast_no_reduction",
    "no_multicast",
    "no_reduction",
    "rmw_first_update",
    "no_coalesce",
    "skew",
)
"""Fields and kinds of directives that change what Timeloop counts, which this model does not."""

NO_MATTER = ("no_link_transfer", "no_link_transfers", "name", "meta", "version")
"""Fields without meaning here: link transfers are off unless a rule turns them on."""

PERFECT = "uber"
"""Timeloop's space of mappings whose factors divide their dimensions, its default."""

INNERMOST = 0
"""The number of the innermost level, which every machine has."""

OF_THE_FRONT_END = (
    "maximize_dims",
    "maximize_dims_capacity",
    "must_iterate_over_dataspaces",
    "max_overbooked_proportion",
    "proportion",
)
"""Fields that the front end or the mapper acts on, and that no constraint here expresses."""


@frozen
class Directive:
    """What is said of one level.

    Attributes:
        kind: one of KINDS.
        target: as written: a name, or the number of a level, innermost 0.
        place: in the document.
        where: file and line, for messages that come later.
        factors, permutation, split: of loops.
        only: whether all dimensions without a factor have 1 (`factors_only`).
        still: tensors over whose dimensions nothing iterates.
        keep, bypass, keep_only, bypass_only: of tensors.
        least: the least share of all multipliers that is in use.
        ignored: fields that are not followed, with why.
    """

    kind: str
    target: str | int
    place: Place
    where: str = ""
    factors: tuple[Factor, ...] = ()
    permutation: Any = None
    split: int | None = None
    only: bool = False
    still: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    bypass: tuple[str, ...] = ()
    keep_only: tuple[str, ...] | None = None
    bypass_only: tuple[str, ...] | None = None
    least: float | None = None
    ignored: tuple[str, ...] = field(default=())

    @property
    def spatial(self) -> bool:
        """Whether it speaks of loops over children."""
        return self.kind == "spatial"


def read_directives(problems: Problems, place: Place, items: Any) -> list[Directive]:  # noqa: ANN401
    """Return the directives in a list; what is wrong is noted.

    An old style, `{constraints: [...]}` or `{targets: [...]}`, may stand around the list, and may
    name a list beside it; so may `{template: uber}`, which the front end writes into every file
    that it dumps.
    """
    if isinstance(items, dict):
        if "targets" in items:
            return read_directives(problems, (*place, "targets"), items["targets"])
        if "constraints" in items:
            return _of_template(problems, place, items) + _chosen(problems, place, items)
        if set(items) <= {*NO_MATTER, "template"}:
            return _of_template(problems, place, items)
    if items is None:
        return []
    if not isinstance(items, list):
        problems.add(place, "is not a list of targets")
        return []
    return [
        directive
        for i, item in enumerate(items)
        for directive in _of_item(problems, (*place, i), item)
    ]


def _chosen(problems: Problems, place: Place, items: Mapping[str, Any]) -> list[Directive]:
    """Return the constraints of a mapspace: a list, or the name of one of several.

    `constraints: rows` stands for the list `constraints_rows` beside it, as in Timeloop.
    """
    given = items["constraints"]
    if not isinstance(given, str):
        return read_directives(problems, (*place, "constraints"), given)
    key = f"constraints_{given.replace('-', '_')}"
    if key in items:
        return read_directives(problems, (*place, key), items[key])
    problems.add((*place, "constraints"), f"there is no list {key!r} beside it")
    return []


def _of_template(problems: Problems, place: Place, items: Mapping[str, Any]) -> list[Directive]:
    """Return a note where a space of mappings is asked for that is none of perfect factors."""
    template = items.get("template", PERFECT)
    if template == PERFECT:
        return []
    text = f"template {template!r} is not followed: factors divide their dimensions here"
    where = problems.document.at(*place)
    return [Directive("template", INNERMOST, place, where, ignored=(text,))]


def _of_item(problems: Problems, place: Place, item: object) -> Iterator[Directive]:
    """Yield the directives of one entry: its own, or those listed under its target."""
    fields = Fields(problems, place, item)
    listed = fields.get("constraints", ANYTHING, None)
    if not isinstance(listed, list):
        yield from _directive(fields, _target(fields))
        return
    target = _target(fields)
    fields.refuse_left()
    for i, inner in enumerate(listed):
        yield from _directive(Fields(problems, (*place, "constraints", i), inner), target)


def _target(fields: Fields) -> str | int:
    for key in ("target", "name"):
        given = fields.get(key, ANYTHING, None)
        if isinstance(given, int) and not isinstance(given, bool):
            return given
        if isinstance(given, str) and given.strip():
            return given.partition("[")[0].strip()
    fields.problems.add(fields.place, "the field 'target' is missing")
    return ""


def _directive(fields: Fields, target: str | int) -> Iterator[Directive]:
    kind = fields.need("type", TEXT)
    inner = fields.get("attributes", optional(TABLE), None)
    body = Fields(fields.problems, (*fields.place, "attributes"), inner) if inner else fields
    for key in ("type", "target", "name"):
        body.get(key, ANYTHING, None)
    if kind in COUNTED_OTHERWISE or kind in NO_MATTER or kind in OF_THE_FRONT_END:
        if kind not in NO_MATTER:
            where = fields.problems.document.at(*fields.place)
            yield Directive(kind, target, fields.place, where, ignored=(_why(kind),))
        return
    if kind not in KINDS and "type" in fields:
        text = f"{kind!r} is not one of {', '.join(KINDS)}"
        fields.problems.add((*fields.place, "type"), text)
        return
    directive = read_body(body, kind, target)
    _refuse_cut_off(body)
    body.pass_over_empty()
    body.refuse_left()
    yield directive


def _refuse_cut_off(body: Fields) -> None:
    """Note factors that a comma has cut off their list: `{factors: C=4, T=3}` has a field `T=3`."""
    for name in body.left:
        if body.data[name] is None and not name.replace("_", "").replace("-", "").isalpha():
            text = f"{name} is a field of its own here: write factors with a comma in quotes"
            body.problems.add((*body.place, "factors"), text)


def read_body(body: Fields, kind: str, target: str | int) -> Directive:
    """Return the directive whose fields these are."""
    only = body.get("factors_only", FACTORS, ())
    plain = body.get("factors", FACTORS, ())
    keep_only = body.get("keep_only", optional(NAMES), None)
    bypass_only = body.get("bypass_only", optional(NAMES), None)
    least = [body.get(key, optional(NUMBER), None) for key in ("min", "min_parallelism")]
    return Directive(
        kind,
        target,
        body.place,
        body.problems.document.at(*body.place),
        only or plain,
        body.get("permutation", ANYTHING, None),
        body.get("split", SPLIT, None),
        only=bool(only),
        still=body.get("no_iteration_over_dataspaces", NAMES, ()),
        keep=body.get("keep", NAMES, ()),
        bypass=body.get("bypass", NAMES, ()),
        keep_only=keep_only,
        bypass_only=bypass_only,
        least=next((value for value in least if value is not None), None),
        ignored=tuple(_ignored(body)),
    )


def _ignored(body: Fields) -> Iterator[str]:
    for name in (*COUNTED_OTHERWISE, *OF_THE_FRONT_END):
        if body.get(name, ANYTHING, None) not in (None, False, [], {}, ""):
            yield _why(name)
    for name in NO_MATTER:
        body.get(name, ANYTHING, None)


def _why(name: str) -> str:
    if name in COUNTED_OTHERWISE:
        return f"{name} is not modelled: what Timeloop counts without reuse is counted with it"
    return f"{name} is not followed"


def tensors_named(words: Sequence[str], layer: Einsum) -> tuple[list[str], list[str]]:
    """Return the tensors that words name, and the words that name none.

    A word is the name of a tensor, or else the role of one (Weights, Inputs, Outputs).
    """
    names = {tensor.name for tensor in layer.tensors}
    known: list[str] = []
    strange: list[str] = []
    for word in words:
        meant = [t.name for t in layer.tensors if word == (t.name if word in names else t.role)]
        known += meant
        strange += [] if meant else [word]
    return known, strange


def told(level: str, directive: Directive) -> str:
    """Return a directive on one line: `sram temporal: factors M=2 C<=4, permutation MC`."""
    d = directive
    parts = {
        "factors only" if d.only else "factors": " ".join(f.text for f in d.factors),
        "permutation": d.permutation if isinstance(d.permutation, str) else "",
        "split": "" if d.split is None else str(d.split),
        "keep": " ".join(d.keep),
        "bypass": " ".join(d.bypass),
        "keep only": " ".join(d.keep_only or ()),
        "bypass only": " ".join(d.bypass_only or ()),
        "no iteration over": " ".join(d.still),
        "at least": "" if d.least is None else f"{d.least:g} of all multipliers",
    }
    if isinstance(d.permutation, list):
        parts["permutation"] = " ".join(map(str, d.permutation))
    said = ", ".join(f"{name} {text}" for name, text in parts.items() if text)
    return f"{level} {d.kind}: {said or ', '.join(d.ignored) or 'nothing'}"
