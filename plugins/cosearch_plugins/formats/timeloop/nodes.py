"""Timeloop's architecture files flattened to one list of components, outermost first.

Version 0.3 (and 0.2) nests `subtree`s with `local` components, and writes instances as a range in
a name, `PE[0..15]`. Version 0.4 lists `nodes` tagged `!Container`, `!Component`, `!Parallel` and
`!Hierarchical`, and writes instances as `spatial: {meshX: 4}`. The first style, `arch`, lists
`storage` inner to outer beside `arithmetic`. Components that stand in parallel become levels one
inside the other, in the order of the file, as Timeloop makes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field, frozen

from cosearch.formats.fields import ANYTHING, FLAG, TABLE, WHOLE, Fields, Problems
from cosearch.formats.yaml_source import Place
from cosearch_plugins.formats.timeloop.arithmetic import number_of
from cosearch_plugins.formats.timeloop.directives import Directive, read_body
from cosearch_plugins.formats.timeloop.sparse import PART, SPARSE, compresses
from cosearch_plugins.formats.timeloop.yaml import TAG

_RANGE = re.compile(r"^(?P<name>[^\[]*)\[(?P<first>\d+)\.\.(?P<last>\d+)\]$")

UNUSED = ("required_actions", "type", "power_gated_at", "meta")
"""Fields of a component that say nothing of what it costs."""

BRANCHES = ("Parallel", "Hierarchical", "Pipelined", "Branch")
LEAVES = ("Container", "Component")
NOTHING = "Nothing"


@frozen
class Node:
    """A component of the machine, or a container that spreads what follows.

    Attributes:
        name: without its range.
        kind: its class.
        place: in the document.
        attributes: its own and those inherited, by name.
        instances: in all.
        mesh: instances along X and Y, where the file states them.
        spreads_for: the container or component whose fanout this is; empty for a component.
        computes: whether the file says that it does, whatever its class.
    """

    name: str
    kind: str
    place: Place
    attributes: Mapping[str, Any]
    instances: int
    mesh: tuple[int | None, int | None] = (None, None)
    spreads_for: str = ""
    computes: bool = False

    @property
    def spreads(self) -> bool:
        """Whether this is no component but a fanout."""
        return bool(self.spreads_for)


@define
class Flat:
    """A machine as a list.

    Attributes:
        nodes: outermost first.
        directives: constraints that stand inside components and containers.
        disabled: names of what is switched off and left out.
        compressing: memories that store something compressed.
        notes: what is left out, and why.
    """

    nodes: list[Node] = field(factory=list)
    directives: list[Directive] = field(factory=list)
    disabled: list[str] = field(factory=list)
    compressing: list[str] = field(factory=list)
    notes: list[str] = field(factory=list)

    def add(self, node: Node) -> None:
        """Add a node; one without a name is named by where it stands."""
        if not node.name:
            name = f"level{len(self.nodes)}"
            node = evolve(node, name=name)
            self.notes.append(f"a component without a name is called {name}")
        self.nodes.append(node)


@frozen
class _Scope:
    """What a component inherits from the containers around it."""

    attributes: Mapping[str, Any]
    instances: int = 1
    mesh: tuple[int, int] = (1, 1)


def flatten(
    problems: Problems, architecture: Fields, variables: Mapping[str, Any] | None = None
) -> Flat:
    """Return the components, outermost first; problems are noted.

    Args:
        problems: where problems go.
        architecture: the part of the document.
        variables: names that attributes may refer to.
    """
    flat = Flat()
    scope = _Scope(dict(variables or {}))
    if "nodes" in architecture:
        _walk_nodes(problems, architecture, scope, flat)
    elif "storage" in architecture or "arithmetic" in architecture:
        _walk_lists(problems, architecture, scope, flat)
    elif "subtree" in architecture or "local" in architecture:
        _walk_tree(problems, architecture, scope, flat)
    else:
        problems.add(
            architecture.place,
            "has neither 'nodes' (0.4), nor 'subtree' (0.3), nor 'storage' (the first style)",
        )
    for other in ("version", "name", "constraints", "attributes"):
        architecture.get(other, ANYTHING, None)
    architecture.refuse_left()
    return flat


# -- version 0.3


def _walk_tree(problems: Problems, fields: Fields, scope: _Scope, flat: Flat) -> None:
    """Visit a 0.3 tree: its local components, then its subtrees, which are inside them."""
    for place, item in _entries(fields, "local"):
        inner = Fields(problems, place, item)
        if _enabled(inner, flat):
            flat.add(_component(inner, scope, flat))
    for place, item in _entries(fields, "subtree"):
        inner = Fields(problems, place, item)
        on = _enabled(inner, flat)
        _, count = _named(inner)
        attributes = _resolved({**scope.attributes, **inner.get("attributes", TABLE, {})})
        deeper = evolve(scope, attributes=attributes, instances=scope.instances * count)
        if on:
            _walk_tree(problems, inner, deeper, flat)
        for unused in UNUSED:
            inner.get(unused, ANYTHING, None)
        if on:
            inner.refuse_left()


def _entries(fields: Fields, name: str) -> list[tuple[Place, Any]]:
    """Return the entries of a list that may be empty or missing."""
    if fields.get(name, ANYTHING, None):
        return fields.items(name)
    return []


def _enabled(fields: Fields, flat: Flat) -> bool:
    """Return whether a component stands; what is switched off is left out, and said to be."""
    if fields.get("enabled", FLAG, True):
        return True
    name, _ = _named(fields)
    flat.disabled.append(name)
    flat.notes.append(f"{name}: is switched off (enabled: false) and left out")
    return False


def _component(fields: Fields, scope: _Scope, flat: Flat) -> Node:
    name, count = _named(fields)
    given = fields.get("attributes", TABLE, {})
    attributes = _resolved({**scope.attributes, **given})
    own_place = (*fields.place, "attributes")
    own = Fields(fields.problems, own_place, {k: attributes.get(k, v) for k, v in given.items()})
    mesh = own.get("meshX", WHOLE, None), own.get("meshY", WHOLE, None)
    instances = own.get("instances", WHOLE, scope.instances * count)
    kind = " ".join(
        str(word)
        for word in (fields.get("class", ANYTHING, None), fields.get("subclass", ANYTHING, None))
        if word
    )
    for unused in UNUSED:
        fields.get(unused, ANYTHING, None)
    _take_constraints(fields, name, flat)
    _note_sparse(fields, name, flat)
    _note_unused(fields, name, flat)
    fields.refuse_left()
    return Node(name, kind, fields.place, attributes, instances, mesh)


def _named(fields: Fields) -> tuple[str, int]:
    """Return a name and how many its range stands for."""
    text = fields.get("name", ANYTHING, None)
    text = "" if text is None else str(text)
    found = _RANGE.match(text)
    if not found:
        return text.strip(), 1
    return found["name"].strip(), max(1, int(found["last"]) - int(found["first"]) + 1)


def _resolved(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes, arithmetic worked out."""
    return {
        name: _worked_out(value, {k: v for k, v in attributes.items() if k != name})
        for name, value in attributes.items()
    }


def _worked_out(value: Any, names: Mapping[str, Any]) -> Any:  # noqa: ANN401
    if not isinstance(value, str):
        return value
    found = number_of(value, names)
    return value if found is None else found


# -- version 0.4


def _walk_nodes(problems: Problems, fields: Fields, scope: _Scope, flat: Flat) -> _Scope:
    """Visit 0.4 nodes; a container holds everything that follows it in its list."""
    for place, item in _entries(fields, "nodes"):
        if isinstance(item, dict) and item.get(TAG) == NOTHING:
            continue
        node = Fields(problems, place, item)
        tag = node.get(TAG, ANYTHING, "Hierarchical" if "nodes" in node else "Component")
        if not _enabled(node, flat):
            continue
        if tag in BRANCHES:
            inside = _walk_nodes(problems, node, scope, flat)
            scope = inside if tag != "Parallel" else scope
            node.get("name", ANYTHING, None)
            node.refuse_left()
        elif tag in LEAVES:
            scope = _walk_leaf(problems, node, tag, scope, flat)
        else:
            problems.add(place, f"the tag !{tag} is not understood")
    return scope


def _walk_leaf(problems: Problems, node: Fields, tag: str, scope: _Scope, flat: Flat) -> _Scope:
    """Add a leaf's fanout and the leaf; return the scope of what follows it."""
    name, _ = _named(node)
    names = {**scope.attributes, **node.get("attributes", TABLE, {})}
    given = {k: _worked_out(v, names) for k, v in node.get("spatial", TABLE, {}).items()}
    spatial = Fields(problems, (*node.place, "spatial"), given)
    x, y = spatial.get("meshX", WHOLE, 1), spatial.get("meshY", WHOLE, 1)
    spatial.refuse_left()
    inside = evolve(
        scope, instances=scope.instances * x * y, mesh=(scope.mesh[0] * x, scope.mesh[1] * y)
    )
    if x * y > 1:
        flat.add(_fanout(name, node.place, scope))
    if tag == "Container":
        _take_constraints(node, name, flat)
        _note_sparse(node, name, flat)
        for unused in (*UNUSED, "class", "subclass"):
            node.get(unused, ANYTHING, None)
        _note_unused(node, name, flat)
        node.refuse_left()
        return evolve(inside, attributes=_resolved(names))
    component = _component(node, inside, flat)
    flat.add(evolve(component, instances=inside.instances, mesh=inside.mesh))
    return inside


def _fanout(name: str, place: Place, scope: _Scope) -> Node:
    """Return the level that stands for a fanout, named as Timeloop's front end names it."""
    level = f"inter_{name}_spatial"
    return Node(level, "fanout", place, {}, scope.instances, scope.mesh, spreads_for=name)


# -- the first style


def _walk_lists(problems: Problems, fields: Fields, scope: _Scope, flat: Flat) -> None:
    """Visit `storage`, inner to outer, and `arithmetic`."""
    for place, item in reversed(_entries(fields, "storage")):
        flat.add(_listed(Fields(problems, place, item), scope))
    given = fields.need("arithmetic", ANYTHING)
    first = given[0] if isinstance(given, list) and given else given
    place = (*fields.place, "arithmetic", *((0,) if isinstance(given, list) else ()))
    unit = _listed(Fields(problems, place, first or {}), scope)
    flat.add(evolve(unit, name=unit.name or "arithmetic", computes=True))


def _listed(fields: Fields, scope: _Scope) -> Node:
    """Return a component whose attributes stand beside its name."""
    name, count = _named(fields)
    kind = str(fields.get("class", ANYTHING, None) or "")
    attributes = _resolved({**scope.attributes, **fields.data})
    attributes.pop("name", None)
    own = Fields(fields.problems, fields.place, attributes)
    mesh = own.get("meshX", WHOLE, None), own.get("meshY", WHOLE, None)
    across = (mesh[0] or 1) * (mesh[1] or 1)
    instances = own.get("instances", WHOLE, max(count, across))
    return Node(name, kind, fields.place, attributes, instances, mesh)


# -- what stands beside


def _take_constraints(fields: Fields, name: str, flat: Flat) -> None:
    """Read the constraints that stand inside a component or container."""
    given = fields.get("constraints", ANYTHING, None)
    if not given:
        return
    if not isinstance(given, dict):
        fields.problems.add((*fields.place, "constraints"), "is not a mapping of kinds")
        return
    inner = Fields(fields.problems, (*fields.place, "constraints"), given)
    for kind in ("spatial", "temporal", "dataspace", "datatype", "bypass"):
        if inner.get(kind, ANYTHING, None):
            body = Fields(fields.problems, (*inner.place, kind), given[kind])
            flat.directives.append(read_body(body, kind, name))
            body.get("type", ANYTHING, None)
            body.get("target", ANYTHING, None)
            body.pass_over_empty()
            body.refuse_left()
    for key in [key for key in inner.left if not given[key] or key == TAG]:
        inner.get(key, ANYTHING, None)
    for key in inner.left:
        flat.notes.append(f"{name}: constraint not followed: {key}")


def _note_sparse(fields: Fields, name: str, flat: Flat) -> None:
    stated = fields.get(PART, ANYTHING, None)
    if stated:
        flat.notes.append(f"{name}: {SPARSE}")
    if compresses(stated):
        flat.compressing.append(name)


SCALES = ("area_scale", "energy_scale", "area_share", "energy_share", "leak_scale")
"""Fields of the front end that its energy tables carry out already, or that nothing does."""


def _note_unused(fields: Fields, name: str, flat: Flat) -> None:
    """Pass over what holds nothing, and name scales that change something."""
    fields.pass_over_empty()
    for field_name in SCALES:
        if fields.get(field_name, ANYTHING, 1) not in (1, 1.0, "1"):
            told = f"{field_name}: {fields.data[field_name]}"
            flat.notes.append(f"{name}: not used: {told} (the tables count as they are)")
