"""The JSON Schema of a format, derived from what its reader checks.

A reader takes its fields from `Fields`, one by one, each with a check. Given a `Described` in their
place it goes through the same motions on a file without content, and what it would have checked is
written down.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

from cosearch.formats.fields import Check, Fields, Problems
from cosearch.formats.yaml_source import YamlDocument

T = TypeVar("T")
Default = TypeVar("Default")


class Described(Fields):
    """Fields that are written down as they are asked for; every one seems to be there.

    Args:
        absent: fields that seem not to be there.
    """

    def __init__(self, absent: Collection[str] = ()) -> None:
        super().__init__(Problems(YamlDocument("the schema", {}, {})), (), {})
        self.absent = absent
        self.free: set[str] = set()
        self.schema: dict[str, Any] = {"type": "object", "properties": {}, "required": []}

    def __contains__(self, name: str) -> bool:
        """Whether the field seems to be there; a reader that asks can do without it."""
        self.free.add(name)
        return name not in self.absent

    def need(self, name: str, check: Check[T], about: str = "") -> T:
        """Note a field that must be there."""
        self._note(name, dict(check.schema), about)
        if name not in self.free:
            self.schema["required"].append(name)
        return check.spare

    def get(self, name: str, check: Check[T], default: Default, about: str = "") -> T | Default:
        """Note a field that may be left out, with its default where JSON can say it."""
        told = {} if default is None else {"default": _plain(default)}
        self._note(name, {**check.schema, **told}, about)
        return default

    def inner(self, name: str, about: str = "") -> Fields:
        """Note a mapping; what is asked of it comes to stand there."""
        found = Described()
        self._note_inner(name, found.schema, about)
        return found

    def each(self, name: str, about: str = "") -> list[Fields]:
        """Note a list of mappings."""
        found = Described()
        self._note_inner(name, {"type": "array", "minItems": 1, "items": found.schema}, about)
        return [found]

    def every(self, check: Check[T]) -> dict[str, T]:
        """Note that all fields are of one kind."""
        self.schema.clear()
        self.schema.update(type="object", additionalProperties=dict(check.schema))
        return {}

    def refuse_left(self, known: Iterable[str] = ()) -> None:  # noqa: ARG002 - nothing is left
        """Note that there are no others."""
        self.schema["additionalProperties"] = False

    def _note_inner(self, name: str, schema: dict[str, Any], about: str) -> None:
        self._note(name, schema, about)
        if name not in self.free:
            self.schema["required"].append(name)

    def _note(self, name: str, schema: Any, about: str) -> None:  # noqa: ANN401 - JSON
        if about:
            schema["description"] = about
        self.schema["properties"][name] = schema


def described(
    read: Callable[[Fields], object], *, kinds: Sequence[str] = (), kind: str = ""
) -> dict[str, Any]:
    """Return the schema of what a reader takes.

    Args:
        read: the reader.
        kinds: fields of which a file has exactly one; `kind` is the one it seems to have.
        kind: see there.
    """
    fields = Described([k for k in kinds if k != kind])
    read(fields)
    if kind:
        fields.schema["required"] = [*fields.schema["required"], kind]
    return fields.schema


def one_of(schemas: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the schema of mappings that fit one of several, told apart by what they need."""
    properties: dict[str, Any] = {}
    for schema in schemas:
        properties |= schema["properties"]
    return {
        "type": "object",
        "properties": properties,
        "required": [],
        "additionalProperties": False,
        "oneOf": [{"required": sorted(set(schema["required"]))} for schema in schemas],
    }


def _plain(default: object) -> object:
    """Return a default as JSON has it."""
    if isinstance(default, frozenset | tuple):
        return sorted(default) if isinstance(default, frozenset) else list(default)
    return default
