"""Named parameters with choices and rules: hardware models and options are made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

import numpy as np
from attrs import field, frozen

from cosearch.errors import CosearchError, InputError, UnknownNameError
from cosearch.search.space import Space
from cosearch.typing import BoolArray, Configuration, FloatArray, IntArray, Rows, Value

__all__ = ["Parameter", "ParameterSpace", "Rule", "Space"]


def _values(items: Iterable[Value]) -> tuple[Value, ...]:
    return tuple(items)


@frozen
class Parameter:
    """A named choice.

    Attributes:
        name: as it is written after `--set` and in a plugin's options.
        choices: the values, in their natural order; all of one type.
        default: one of the choices, or for a free parameter any value it accepts.
        unit: of the values, such as `words` or `KB`.
        doc: what it changes, in one line.
        free: takes any value of its type between the least and the greatest choice; the choices
            are then what tuning tries. For text, any text.
        plugin: the kind of plugin, such as `technologies`, whose name with options the value is.
            The registry makes it, and the constructor that declares the option is given that.
        unless: a value for which the constructor is given None instead.
        group: of parameters that belong together, such as `network` beside `machine`.
        changes: what of the computation itself the value changes, such as `width`. Designs that
            differ in it do not compute the same: a search holds it as the baseline has it.
        searched: whether it is searched all the same, because the user asked for that.
        least: of a free number, where less than the least choice can be built too.
    """

    name: str
    choices: tuple[Value, ...] = field(converter=_values)
    default: Value = field()
    unit: str = ""
    doc: str = ""
    free: bool = False
    plugin: str = ""
    unless: Value | None = None
    group: str = ""
    changes: str = ""
    searched: bool = False
    least: float | None = None

    @default.default
    def _first(self) -> Value:
        return self.choices[0]

    def __attrs_post_init__(self) -> None:
        if not self.choices:
            raise CosearchError(f"parameter {self.name!r} has no choices")
        self.check(self.default)

    @property
    def ordered(self) -> bool:
        """Whether the choices are numbers in ascending order, so that neighbours are alike."""
        numeric = all(isinstance(c, int | float) for c in self.choices)
        return numeric and list(self.choices) == sorted(self.choices)

    def check(self, value: Value) -> Value:
        """Return the value, or raise InputError that says what is allowed."""
        if isinstance(self.choices[0], float) and type(value) is int:
            value = float(value)
        if value in self.choices and type(value) is type(self.choices[0]):
            return value
        if self.free and self._accepts(value):
            return value
        raise InputError(f"{self.name}={value}", [f"is not {self.allowed}"])

    def _accepts(self, value: Value) -> bool:
        first = self.choices[0]
        if isinstance(first, str):
            return isinstance(value, str)
        if isinstance(first, bool) or isinstance(value, str | bool):
            return False
        numbers = [c for c in self.choices if isinstance(c, int | float)]
        whole = isinstance(value, int) or isinstance(first, float)
        least = min(numbers) if self.least is None else self.least
        return whole and least <= value <= max(numbers)

    @property
    def allowed(self) -> str:
        """What values are allowed, in words."""
        if self.free and isinstance(self.choices[0], str):
            return "text"
        if self.free:
            kind = "a whole number" if isinstance(self.choices[0], int) else "a number"
            least = self.choices[0] if self.least is None else self.least
            return f"{kind} from {least} to {self.choices[-1]}"
        return "one of " + ", ".join(map(str, self.choices))

    def parse(self, text: str) -> Value:
        """Turn text from a command line into a value, or raise InputError."""
        kind = type(self.choices[0])
        try:
            if kind is bool:
                value: Value = {"true": True, "false": False, "yes": True, "no": False}[
                    text.lower()
                ]
            else:
                value = kind(text)
        except (ValueError, KeyError):
            raise InputError(f"{self.name}={text}", [f"is not {self.allowed}"]) from None
        return self.check(value)


@frozen
class Rule:
    """A known constraint of a parameter space.

    Attributes:
        reason: why a design that breaks it cannot be built.
        holds: from columns of values (name to array[n]) to bool[n].
    """

    reason: str
    holds: Callable[[Mapping[str, np.ndarray]], BoolArray]


def _parameters(items: Iterable[Parameter]) -> tuple[Parameter, ...]:
    return tuple(items)


def _rules(items: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(items)


class _UndecidedError(LookupError):
    """A rule asked for a column that has not been chosen."""


class _Chosen(dict[str, np.ndarray]):
    """The columns chosen so far."""

    def __missing__(self, name: str) -> np.ndarray:
        raise _UndecidedError(name)


@frozen
class ParameterSpace(Space):
    """Named parameters and rules: what hardware models and strategy options are made of.

    Attributes:
        parameters: one a column.
        rules: known constraints, checked on whole columns.
        features_of: domain features, from columns of values to float64[n, f]; the encoding if None.
    """

    parameters: tuple[Parameter, ...] = field(converter=_parameters)
    rules: tuple[Rule, ...] = field(default=(), converter=_rules)
    features_of: Callable[[Mapping[str, np.ndarray]], FloatArray] | None = None

    __hash__ = object.__hash__

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The parameters' names."""
        return tuple(p.name for p in self.parameters)

    @cached_property
    def cardinalities(self) -> IntArray:
        """int64[d]."""
        return np.array([len(p.choices) for p in self.parameters], dtype=np.int64)

    @cached_property
    def ordered(self) -> BoolArray:
        """bool[d]: the numeric parameters."""
        return np.array([p.ordered for p in self.parameters], dtype=bool)

    @cached_property
    def groups(self) -> dict[str, IntArray]:
        """The columns of each named group, int64[g], in order; a strategy may search them apart."""
        names = list(dict.fromkeys(p.group for p in self.parameters))
        return {
            name: np.array([j for j, p in enumerate(self.parameters) if p.group == name])
            for name in names
        }

    def beside(self, other: ParameterSpace) -> ParameterSpace:
        """Return a space of both spaces' parameters and rules, this one's first.

        Raises:
            InputError: a name is in both.
        """
        twice = sorted(set(self.names) & set(other.names))
        if twice:
            raise InputError(", ".join(twice), ["is a parameter of both spaces"])
        parts = (self, other)
        described = any(part.features_of for part in parts)
        return ParameterSpace(
            (*self.parameters, *other.parameters),
            (*self.rules, *other.rules),
            (lambda columns: _side_by_side(parts, columns)) if described else None,
        )

    def rows_of(self, columns: Mapping[str, np.ndarray]) -> Rows:
        """Return the rows, int64[n, d], of columns of values; undoes `columns`."""
        found = []
        for p in self.parameters:
            place = {choice: i for i, choice in enumerate(p.choices)}
            found.append([place[value] for value in columns[p.name].tolist()])
        return np.array(found, dtype=np.int64).T.reshape(-1, len(self.parameters))

    def __getitem__(self, name: str) -> Parameter:
        """Return the parameter of that name, or raise UnknownNameError."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise UnknownNameError("parameter", name, self.names)

    def columns(self, rows: Rows) -> dict[str, np.ndarray]:
        """Return each parameter's values, array[n], of rows int64[n, d]."""
        return {p.name: np.asarray(p.choices)[rows[:, j]] for j, p in enumerate(self.parameters)}

    def feasible(self, rows: Rows) -> BoolArray:
        """Return bool[n]: which rows meet every rule."""
        columns = self.columns(rows)
        ok = np.ones(len(rows), dtype=bool)
        for rule in self.rules:
            ok &= np.asarray(rule.holds(columns), dtype=bool)
        return ok

    def allowed(self, rows: Rows, column: int) -> BoolArray:
        """Return bool[n, c]: a rule speaks as soon as every column that it reads is chosen."""
        choices = len(self.parameters[column].choices)
        tried = np.repeat(rows, choices, axis=0)
        tried[:, column] = np.tile(np.arange(choices), len(rows))
        chosen = _Chosen(
            {
                p.name: np.asarray(p.choices)[tried[:, j]]
                for j, p in enumerate(self.parameters[: column + 1])
            }
        )
        ok = np.ones(len(tried), dtype=bool)
        for rule in self.rules:
            try:
                ok &= np.asarray(rule.holds(chosen), dtype=bool)
            except _UndecidedError:
                continue
        return ok.reshape(len(rows), choices)

    def broken(self, row: Rows) -> tuple[str, ...]:
        """Return the reasons of the rules that one row, int64[d], breaks."""
        columns = self.columns(row[None, :])
        return tuple(r.reason for r in self.rules if not bool(np.all(r.holds(columns))))

    def features(self, rows: Rows) -> FloatArray:
        """Return the domain features, float64[n, f], or the encoding."""
        if self.features_of is None:
            return self.encode(rows)
        return np.asarray(self.features_of(self.columns(rows)), dtype=np.float64)

    def decode(self, row: Rows) -> dict[str, Value]:
        """Return the values of one row, int64[d]."""
        return {p.name: p.choices[int(i)] for p, i in zip(self.parameters, row, strict=True)}

    def index(self, configuration: Configuration) -> Rows:
        """Return the row, int64[d], of a configuration whose values are all among the choices."""
        self.complete(configuration)
        return np.array(
            [p.choices.index(configuration.get(p.name, p.default)) for p in self.parameters],
            dtype=np.int64,
        )

    @property
    def defaults(self) -> dict[str, Value]:
        """Every parameter's default."""
        return {p.name: p.default for p in self.parameters}

    def complete(self, given: Configuration) -> dict[str, Value]:
        """Return the defaults with the given values checked and put in their places."""
        values = self.defaults
        for name, value in given.items():
            values[name] = self[name].check(value)
        return values

    def parse(self, given: Mapping[str, str]) -> dict[str, Value]:
        """Return the given texts as checked values, defaults left out."""
        return {name: self[name].parse(text) for name, text in given.items()}


def _side_by_side(
    parts: tuple[ParameterSpace, ...], columns: Mapping[str, np.ndarray]
) -> FloatArray:
    """Return the features of two spaces' columns in one table."""
    return np.concatenate([part.features(part.rows_of(columns)) for part in parts], axis=1)
