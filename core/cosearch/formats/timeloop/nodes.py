"""Timeloop's architecture files flattened to one list of components, outermost first.

Version 0.3 (and 0.2) nests `subtree`s with `local` components, and writes instances as a range in
a name, `PE[0..15]`. Version 0.4 lists `nodes` tagged `!Container`, `!Component`, `!Parallel` and
`!Hierarchical`, and writes instances as `spatial: {meshX: 4}`. Components that stand in parallel
become levels one inside the other, in the order of the file, as Timeloop makes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import evolve, field, frozen

from cosearch.formats.fields import ANYTHING, FLAG, TABLE, TEXT, WHOLE, Fields, Problems
from cosearch.formats.timeloop.yaml import TAG
from cosearch.formats.yaml_source import Place

_RANGE = re.compile(r"^(?P<name>[^\[]+)\[(?P<first>\d+)\.\.(?P<last>\d+)\]$")


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
        constraints: as written.
    """

    name: str
    kind: str
    place: Place
    attributes: Mapping[str, Any]
    instances: int
    mesh: tuple[int | None, int | None] = (None, None)
    spreads_for: str = ""
    constraints: Mapping[str, Any] = field(factory=dict)

    @property
    def spreads(self) -> bool:
        """Whether this is no component but a fanout."""
        return bool(self.spreads_for)


@frozen
class _Scope:
    """What a component inherits from the containers around it."""

    attributes: Mapping[str, Any]
    instances: int = 1
    mesh: tuple[int, int] = (1, 1)


def flatten(problems: Problems, architecture: Fields) -> list[Node]:
    """Return the components, outermost first; problems are noted."""
    nodes: list[Node] = []
    scope = _Scope({})
    if "nodes" in architecture:
        _walk_nodes(problems, architecture, scope, nodes)
    elif "subtree" in architecture or "local" in architecture:
        _walk_tree(problems, architecture, scope, nodes)
    else:
        problems.add(architecture.place, "has neither 'nodes' (0.4) nor 'subtree' (0.3)")
    architecture.get("version", ANYTHING, None)
    architecture.refuse_left()
    return nodes


def _walk_tree(problems: Problems, fields: Fields, scope: _Scope, nodes: list[Node]) -> None:
    """Visit a 0.3 tree: its local components, then its subtrees, which are inside them."""
    for place, item in fields.items("local") if "local" in fields else ():
        nodes.append(_component(problems, Fields(problems, place, item), scope))
    for place, item in fields.items("subtree") if "subtree" in fields else ():
        inner = Fields(problems, place, item)
        _, count = _named(inner)
        attributes = {**scope.attributes, **inner.get("attributes", TABLE, {})}
        deeper = evolve(scope, attributes=attributes, instances=scope.instances * count)
        _walk_tree(problems, inner, deeper, nodes)
        inner.refuse_left()


def _component(problems: Problems, fields: Fields, scope: _Scope) -> Node:
    name, count = _named(fields)
    own = Fields(problems, (*fields.place, "attributes"), fields.get("attributes", TABLE, {}))
    mesh = own.get("meshX", WHOLE, None), own.get("meshY", WHOLE, None)
    instances = own.get("instances", WHOLE, scope.instances * count)
    kind = fields.get("class", TEXT, "")
    subclass = fields.get("subclass", TEXT, "")
    for unused in ("required_actions", "enabled", "type"):
        fields.get(unused, ANYTHING, None)
    constraints = fields.get("constraints", TABLE, {})
    fields.refuse_left()
    attributes = {**scope.attributes, **own.data}
    whole_kind = f"{kind} {subclass}".strip()
    return Node(
        name, whole_kind, fields.place, attributes, instances, mesh, constraints=constraints
    )


def _named(fields: Fields) -> tuple[str, int]:
    """Return a name and how many its range stands for."""
    text = fields.need("name", TEXT)
    found = _RANGE.match(text)
    if not found:
        return text, 1
    return found["name"].strip(), max(1, int(found["last"]) - int(found["first"]) + 1)


def _walk_nodes(problems: Problems, fields: Fields, scope: _Scope, nodes: list[Node]) -> _Scope:
    """Visit 0.4 nodes; a container holds everything that follows it in its list."""
    for place, item in fields.items("nodes"):
        node = Fields(problems, place, item)
        tag = node.get(TAG, TEXT, "Hierarchical" if "nodes" in node else "Component")
        if tag in ("Parallel", "Hierarchical", "Pipelined"):
            _walk_nodes(problems, node, scope, nodes)
            node.refuse_left()
        elif tag in ("Container", "Component"):
            scope = _walk_leaf(problems, node, tag, scope, nodes)
        else:
            problems.add(place, f"the tag !{tag} is not understood")
    return scope


def _walk_leaf(
    problems: Problems, node: Fields, tag: str, scope: _Scope, nodes: list[Node]
) -> _Scope:
    """Add a leaf's fanout and the leaf; return the scope of what follows it."""
    if not node.get("enabled", FLAG, True):
        problems.add((*node.place, "enabled"), "switched-off components are not understood")
    spatial = Fields(problems, (*node.place, "spatial"), node.get("spatial", TABLE, {}))
    x, y = spatial.get("meshX", WHOLE, 1), spatial.get("meshY", WHOLE, 1)
    spatial.refuse_left()
    inside = evolve(
        scope,
        instances=scope.instances * x * y,
        mesh=(scope.mesh[0] * x, scope.mesh[1] * y),
    )
    if x * y > 1:
        name = node.need("name", TEXT)
        nodes.append(
            Node(
                f"inter_{name}_spatial",
                "fanout",
                node.place,
                {},
                scope.instances,
                scope.mesh,
                spreads_for=name,
            )
        )
    if tag == "Container":
        node.need("name", TEXT)
        node.get("constraints", ANYTHING, None)
        attributes = {**scope.attributes, **node.get("attributes", TABLE, {})}
        node.refuse_left()
        return evolve(inside, attributes=attributes)
    component = _component(problems, node, inside)
    nodes.append(evolve(component, instances=inside.instances, mesh=inside.mesh))
    return scope
