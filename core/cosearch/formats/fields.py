"""Taking the fields of a YAML document one by one, so that all its problems are told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from cosearch.errors import InputError, near_names
from cosearch.formats.yaml_source import Place, YamlDocument
from cosearch.workload.einsum import WIDEST

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Default = TypeVar("Default")


@frozen
class Check(Generic[T_co]):
    """What a field may hold.

    Attributes:
        read: returns the value, or raises ValueError that completes "field: ...".
        spare: stands in for a value that could not be read, so that reading can go on.
        schema: the same in JSON Schema.
    """

    read: Callable[[Any], T_co]
    spare: T_co
    schema: Mapping[str, Any] = field(factory=dict)


def _whole(value: Any) -> int:  # noqa: ANN401
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**63:
        return value
    raise ValueError(f"{value!r} is not a whole number of at least 1")


def _number(value: Any) -> float:  # noqa: ANN401
    try:  # YAML 1.1 reads 1e-9 as text
        number = float(value) if not isinstance(value, bool) else -1.0
    except (TypeError, ValueError):
        number = -1.0
    if 0 <= number < float("inf"):
        return number
    raise ValueError(f"{value!r} is not a number of at least 0")


def _positive(value: Any) -> float:  # noqa: ANN401
    if (number := _number(value)) > 0:
        return number
    raise ValueError(f"{value!r} is not a number above 0")


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError(f"{value!r} is not a text")


def _bits(value: Any) -> int:  # noqa: ANN401
    if type(value) is not int or not 1 <= value <= WIDEST:
        raise ValueError(f"{value!r} is not a number of bits from 1 to {WIDEST}")
    return value


def _flag(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is neither true nor false")


def _table(value: Any) -> dict[str, Any]:  # noqa: ANN401
    if value is None:
        return {}
    if isinstance(value, dict):
        return {str(key): item for key, item in value.items()}
    raise ValueError("is not a mapping of fields to values")


NO_FIELDS: dict[str, Any] = {}
TABLE = Check(_table, NO_FIELDS)
WHOLE = Check(_whole, 1, {"type": "integer", "minimum": 1})
BITS = Check(_bits, 1, {"type": "integer", "minimum": 1, "maximum": WIDEST})
NUMBER = Check(_number, 0.0, {"type": "number", "minimum": 0})
POSITIVE = Check(_positive, 1.0, {"type": "number", "exclusiveMinimum": 0})
TEXT = Check(_text, "?", {"type": "string"})
FLAG = Check(_flag, False, {"type": "boolean"})
ANYTHING: Check[Any] = Check(lambda value: value, None)


def optional(check: Check[T]) -> Check[T | None]:
    """Return a check that lets null pass."""
    return Check(
        lambda value: None if value is None else check.read(value),
        check.spare,
        {**check.schema, "type": [check.schema.get("type"), "null"]},
    )


class Problems:
    """What is wrong with a document, with lines and fields."""

    def __init__(self, document: YamlDocument) -> None:
        self.document = document
        self.found: list[str] = []

    def add(self, place: Place, text: str) -> None:
        """Note a problem with the value at a place."""
        self.found.append(f"{self.where(place)}{text}")

    def where(self, place: Place) -> str:
        """Return `line 3: levels[0].name: `."""
        _, colon, line = self.document.at(*place).rpartition(":")
        field = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in place).lstrip(".")
        number = f"line {line}: " if colon and line.isdigit() else ""
        return f"{number}{field}: " if field else number

    def raise_if_any(self, hint: str = "") -> None:
        """Raise InputError with every problem noted so far."""
        if self.found:
            raise InputError(self.document.source, self.found, hint)


class Fields:
    """The fields of one mapping. Each is taken once; what is left at the end was not understood.

    Args:
        problems: where problems go.
        place: of the mapping in the document.
        data: the mapping; anything else is a problem.
    """

    def __init__(self, problems: Problems, place: Place, data: object) -> None:
        self.problems, self.place = problems, place
        self.data: dict[str, Any] = {}
        self.taken: list[str] = []
        if isinstance(data, dict):
            self.data = {str(key): value for key, value in data.items()}
        else:
            problems.add(place, "is not a mapping of fields to values")

    def __contains__(self, name: str) -> bool:
        """Whether the field is there."""
        return name in self.data

    def need(self, name: str, check: Check[T], about: str = "") -> T:  # noqa: ARG002 - the schema's
        """Return a field that must be there; a spare value where it is missing or wrong."""
        self.taken.append(name)
        if name not in self.data:
            self.problems.add(self.place, f"the field {name!r} is missing")
            return check.spare
        return self._read(name, check)

    def get(
        self,
        name: str,
        check: Check[T],
        default: Default,
        about: str = "",  # noqa: ARG002 - the schema's
    ) -> T | Default:
        """Return a field, or the default where it is not there."""
        self.taken.append(name)
        return self._read(name, check) if name in self.data else default

    def _read(self, name: str, check: Check[T]) -> T:
        try:
            return check.read(self.data[name])
        except ValueError as error:
            self.problems.add((*self.place, name), str(error))
            return check.spare

    def inner(self, name: str, about: str = "") -> Fields:  # noqa: ARG002 - the schema's
        """Return the fields of the mapping in a field that must be there."""
        return Fields(self.problems, (*self.place, name), self.need(name, ANYTHING) or {})

    def items(self, name: str) -> list[tuple[Place, Any]]:
        """Return the entries of a list that must be there, with their places."""
        found = self.need(name, ANYTHING)
        if not isinstance(found, list) or not found:
            if name in self.data:
                self.problems.add((*self.place, name), "is not a list with at least one entry")
            return []
        return [((*self.place, name, i), item) for i, item in enumerate(found)]

    def each(self, name: str, about: str = "") -> list[Fields]:  # noqa: ARG002 - the schema's
        """Return the entries of a list of mappings that must be there."""
        return [Fields(self.problems, place, item) for place, item in self.items(name)]

    def every(self, check: Check[T]) -> dict[str, T]:
        """Return all fields, whatever their names."""
        return {name: self.need(name, check) for name in list(self.data)}

    @property
    def left(self) -> list[str]:
        """Fields that nobody took."""
        return [name for name in self.data if name not in self.taken]

    def pass_over_empty(self) -> None:
        """Take every field that holds nothing: tools write out what nobody set."""
        empty: tuple[Any, ...] = (None, "", [], {}, False)
        self.taken += [name for name in self.left if self.data[name] in empty]

    def refuse_left(self, known: Iterable[str] = ()) -> None:
        """Note every field that nobody took as a problem."""
        for name in self.left:
            near = near_names(name, [*self.taken, *known])
            self.problems.add((*self.place, name), f"there is no such field; {near}")
