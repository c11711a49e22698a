"""YAML files read safely: no code, no bombs, no doubled keys, and a line for every message.

An alias (`*name`) repeats what its anchor holds. Repeated repetitions grow exponentially (a "YAML
bomb"), so the size with every alias written out is computed on the graph of nodes, before anything
is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import yaml
from attrs import frozen

from cosearch.errors import InputError, text_of
from cosearch.quantities import added

LARGEST_FILE = 16_000_000
"""Bytes."""

LARGEST_DOCUMENT = 200_000
"""Values, with every alias written out."""

DEEPEST = 200
"""Levels of nesting."""

LONG = 20_000
"""Characters from which on a text is looked through before it is read, and by the C parser."""

LARGEST_NUMBER = 2**63
"""Whole numbers are less than it, as arrays hold them."""

_TYPES = ("null", "bool", "int", "float", "str", "seq", "map", "merge")


class Loader(yaml.SafeLoader):
    """Builds what JSON has and nothing else; a date is a text, and other tags are refused."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[Any]]] = {  # type: ignore[misc]
        first: [(tag, rule) for tag, rule in rules if tag.rpartition(":")[2] in _TYPES]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors: ClassVar[dict[Any, Any]] = {
        tag: build
        for tag, build in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in _TYPES
    }


Place: TypeAlias = tuple[str | int, ...]
"""Where a value stands: keys and positions from the top."""


@frozen
class YamlDocument:
    """A document and where its values stand.

    Attributes:
        source: the file.
        data: the document as dictionaries, lists and scalars.
        lines: line numbers, from 1, by place.
    """

    source: str
    data: Any
    lines: Mapping[Place, int]

    def at(self, *place: str | int) -> str:
        """Return `file:line` of a value, or of the nearest one around it."""
        for length in range(len(place), -1, -1):
            if place[:length] in self.lines:
                return f"{self.source}:{self.lines[place[:length]]}"
        return self.source


def read_yaml_document(path: Path, loader: type[Loader] = Loader) -> YamlDocument:
    """Return the one document in a YAML (or JSON) file.

    Args:
        path: the file.
        loader: a safe loader that may know tags beyond YAML's own.

    Raises:
        InputError: not readable as text, not YAML, too large, too deep, doubled keys, or aliases
            that contain themselves.
    """
    return parse_yaml(read_text(path), str(path), loader)


def read_text(path: Path) -> str:
    """Return what a file holds; raises InputError where it is too large or no text."""
    if path.stat().st_size > LARGEST_FILE:
        raise InputError(str(path), [f"is larger than {LARGEST_FILE:,} bytes"])
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(str(path), [f"is not UTF-8 text (byte {error.start})"]) from None


def parse_yaml(text: str, source: str, loader_type: type[Loader] = Loader) -> YamlDocument:
    """Return the one document in a text; `source` names it in messages."""
    try:
        _refuse_beyond_measure(text, source)
        loader = loader_type(text)
        node = _composed(text, loader, source)
        if "*" in text:
            _refuse_bombs(node, source)
        lines = _lines(node, source)
        data = loader.construct_document(node)
        _refuse_huge_numbers(data, source)
        return YamlDocument(source, data, lines)
    except InputError:
        raise
    except yaml.MarkedYAMLError as error:
        if "nesting depth" in str(error.problem):  # what the C parser calls it
            raise InputError(source, ["is nested too deeply"]) from None
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{source}{line}", [f"is not YAML: {error.problem}"]) from None
    except yaml.YAMLError as error:
        raise InputError(source, [f"is not YAML: {' '.join(str(error).split())}"]) from None
    except RecursionError:
        raise InputError(source, ["is nested too deeply"]) from None
    except Exception as error:  # a value that is not what its tag says: each raises its own
        what = f"{type(error).__name__}: {text_of(error)}"
        raise InputError(source, [f"has a value that cannot be read: {what}"]) from None


def _refuse_beyond_measure(text: str, source: str) -> None:
    """Refuse a long text with too many values or too deep, as soon as that is known."""
    if len(text) <= LONG and text.count("[") + text.count("{") <= DEEPEST:
        return  # the parser in Python takes seconds for a thousand brackets that stay open
    count = depth = 0
    for event in yaml.parse(text, Loader=_FAST):
        count += isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if count > LARGEST_DOCUMENT:
            raise InputError(source, [f"has more than {LARGEST_DOCUMENT:,} values"])
        if depth > DEEPEST:
            raise InputError(source, ["is nested too deeply"])


_FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C, where PyYAML has it: five times as fast, in other words for mistakes."""


def _composed(text: str, loader: Loader, source: str) -> yaml.Node:
    """Return the nodes of a text, by the tags of `Loader`; a long one's by the fast parser."""
    if len(text) > LONG:
        own = {"yaml_implicit_resolvers": Loader.yaml_implicit_resolvers}
        node: yaml.Node | None = type("_Fast", (_FAST,), own)(text).get_single_node()
    else:
        node = loader.get_single_node()
    if node is None:
        raise InputError(source, ["is empty"])
    return node


def _refuse_huge_numbers(data: object, source: str) -> None:
    waiting = [data]
    for value in waiting:  # which grows
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, int) and abs(value) >= LARGEST_NUMBER:
            raise InputError(source, ["has a whole number of 2^63 or more"])


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _refuse_bombs(root: yaml.Node, source: str) -> None:
    """Refuse a document whose aliases contain themselves or multiply beyond measure."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> int:
        if id(node) in open_nodes:
            line = node.start_mark.line + 1
            raise InputError(f"{source}:{line}", ["an alias contains itself"])
        if id(node) not in sizes:
            open_nodes.add(id(node))
            sizes[id(node)] = 1 + added(size(child) for child in _children(node))
            open_nodes.discard(id(node))
        return sizes[id(node)]

    if size(root) > LARGEST_DOCUMENT:
        raise InputError(
            source, [f"has more than {LARGEST_DOCUMENT:,} values once its aliases are written out"]
        )


def _lines(root: yaml.Node, source: str) -> dict[Place, int]:
    """Return the line of every value by its place; refuses doubled keys."""
    lines: dict[Place, int] = {}
    doubled: list[str] = []

    def visit(node: yaml.Node, place: Place) -> None:
        lines[place] = node.start_mark.line + 1
        if isinstance(node, yaml.SequenceNode):
            for i, item in enumerate(node.value):
                visit(item, (*place, i))
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                name = str(key.value)
                if name in seen and name != "<<":
                    doubled.append(f"line {key.start_mark.line + 1}: {name!r} stands twice")
                seen.add(name)
                visit(value, (*place, name))

    visit(root, ())
    if doubled:
        raise InputError(source, doubled)
    return lines
