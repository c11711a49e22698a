"""What plugins registered, by kind and name; and names with options, as users write them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, cast

import pluggy
from attrs import evolve, field, frozen

from cosearch.errors import CosearchError, PluginError, UnknownNameError, broken, one_line, pass_on
from cosearch.registry.registration import Registration
from cosearch.search.objective import Objective
from cosearch.search.parameters import ParameterSpace
from cosearch.typing import Value

T = TypeVar("T")

KINDS: Mapping[str, str] = {
    "strategies": "strategy",
    "mappers": "mapper",
    "hardware_models": "hardware model",
    "workloads": "workload",
    "network_spaces": "network space",
    "workload_writers": "workload format",
    "technologies": "technology",
    "executors": "executor",
    "schemes": "scheme",
    "references": "reference",
    "reporters": "reporter",
}
"""Kind of registration (the hook is `cosearch_<kind>`) to its singular in messages."""

CONTRACTS: Mapping[str, str] = {
    "strategies": "cosearch.search.strategy:Strategy",
    "mappers": "cosearch.mapping.mapper:Mapper",
    "hardware_models": "cosearch.machine.hardware:HardwareModel",
    "workloads": "cosearch.workload.network:Workload",
    "network_spaces": "cosearch.workload.network:NetworkSpace",
    "workload_writers": "cosearch.workload.writer:WorkloadWriter",
    "technologies": "cosearch.machine.technology:Technology",
    "executors": "cosearch.study.executor:Executor",
    "schemes": "cosearch.study.scheme:Scheme",
    "references": "cosearch.validate.reference:Reference",
    "reporters": "cosearch.reporting.reporter:Reporter",
}
"""Kind to the class that everything registered under it must be derived from."""


MADE_LATER = ("strategies", "executors")
"""Kinds whose constructors take more than options."""


@frozen
class Quarantined:
    """A plugin that could not be loaded.

    Attributes:
        name: of the entry point.
        distribution: that declares it.
        error: why, in one line.
    """

    name: str
    distribution: str
    error: str


@frozen
class Registered:
    """A registration and where it came from."""

    registration: Registration
    distribution: str

    @property
    def name(self) -> str:
        """As users write it."""
        return self.registration.name

    @property
    def summary(self) -> str:
        """One line."""
        return self.registration.summary

    def load(self) -> type[Any]:
        """Import and return the class, or raise PluginError that names the distribution."""
        target: Any = self.registration.target
        if not isinstance(target, str):
            return cast("type[Any]", target)  # or an instance in place of a class
        try:
            loaded: type[Any] = _imported(target)
        except CosearchError:
            raise
        except BaseException as error:
            pass_on(error)
            raise PluginError(
                f"plugin {self.name!r} of {self.distribution} cannot be imported: {one_line(error)}"
            ) from error
        return loaded


@frozen
class Named(Generic[T]):
    """A class found by name, with the options a user wrote after it.

    Attributes:
        spec: the canonical text, `name` or `name:key=value,...`, from which it can be made again.
        target: the class.
        options: checked values, defaults left out.
        registry: where it was found, and finds what its options name.
    """

    spec: str
    name: str
    target: type[T]
    options: Mapping[str, Value]
    registry: Registry = field(eq=False, repr=False)

    def make(self, *args: Any) -> T:  # noqa: ANN401 - whatever the contract's constructor takes
        """Return an instance; what its options name is made first."""
        if not isinstance(self.target, type):  # an instance, complete as it is
            return cast(T, self.target)
        return self.target(*args, **{**self.options, **self._plugins()})

    def given(self, **options: Value) -> Named[T]:
        """Return the same class with these options too, checked."""
        declared: ParameterSpace = getattr(self.target, "options")  # noqa: B009 - the contracts'
        checked = {key: declared[key].check(value) for key, value in options.items()}
        together = {**self.options, **checked}
        return evolve(self, spec=join_spec(self.name, together), options=together)

    def _plugins(self) -> dict[str, Any]:
        """Return what the options name that are names of plugins."""
        declared: ParameterSpace = getattr(self.target, "options")  # noqa: B009 - the contracts'
        named = {p: self.options.get(p.name, p.default) for p in declared.parameters if p.plugin}
        return {
            p.name: None if value == p.unless else self.registry.made(p.plugin, str(value))
            for p, value in named.items()
        }


@frozen(eq=False)
class Registry:
    """Everything that plugins registered.

    Attributes:
        manager: calls hooks; events go through `cosearch.registry.announce`.
        quarantined: plugins that could not be loaded, with the reason.
        plugins: loaded entry points, as (name, distribution and its version).
        entries: per kind, by name.
        objectives: by name.
        objective_origins: the distribution that brought each objective.
        files: plugins that are files, by their paths, for other processes to load.
        loader: makes such a registry in another process, given the files.
        local: what has no name elsewhere, in words: objects of a script.
    """

    manager: pluggy.PluginManager
    quarantined: tuple[Quarantined, ...]
    plugins: tuple[tuple[str, str], ...]
    entries: Mapping[str, Mapping[str, Registered]]
    objectives: Mapping[str, Objective] = field(factory=dict)
    objective_origins: Mapping[str, str] = field(factory=dict)
    files: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    loader: Callable[[tuple[str, ...]], Registry] | None = field(default=None, repr=False)

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of a kind, sorted."""
        return tuple(sorted(self.entries[kind]))

    def find(self, kind: str, spec: str) -> Named[Any]:
        """Resolve `name` or `name:key=value,...`; raises UnknownNameError or InputError."""
        name, texts = split_spec(spec)
        if name not in self.entries[kind]:
            raise UnknownNameError(KINDS[kind], name, self.entries[kind])
        target = self.load(kind, name)
        declared: ParameterSpace = target.options
        options = declared.parse(texts)
        return Named(join_spec(name, options), name, target, options, self)

    def made(self, kind: str, spec: str) -> Any:  # noqa: ANN401 - whatever is registered
        """Return what an option names: an instance, or a `Named` of a class to be made later."""
        named = self.find(kind, spec)
        if kind in MADE_LATER:
            return named
        try:
            return named.make()
        except (CosearchError, MemoryError):
            raise
        except BaseException as error:
            pass_on(error)
            raise broken(KINDS[kind], named.name, "its constructor", error, named.target) from error

    def load(self, kind: str, name: str) -> type[Any]:
        """Return the class of that name, or raise PluginError when it breaks the contract."""
        entry = self.entries[kind][name]
        target = entry.load()
        if kind in CONTRACTS:
            contract = contract_of(kind)
            if contract not in getattr(target, "__mro__", type(target).__mro__):
                raise PluginError(
                    f"plugin {name!r} of {entry.distribution} is no "
                    f"{contract.__module__}.{contract.__name__}: {target!r}"
                )
        return target

    def objective(self, name: str) -> Objective:
        """Return the objective of that name, or raise UnknownNameError."""
        if name not in self.objectives:
            raise UnknownNameError("objective", name, self.objectives)
        return self.objectives[name]


def contract_of(kind: str) -> type[Any]:
    """Return the class that everything registered under a kind is derived from."""
    contract: type[Any] = _imported(CONTRACTS[kind])
    return contract


def split_spec(spec: str) -> tuple[str, dict[str, str]]:
    """Split `name:key=value,...` into the name and its options as text."""
    name, _, tail = spec.partition(":")
    options: dict[str, str] = {}
    for item in filter(None, map(str.strip, tail.split(","))):
        key, equals, value = item.partition("=")
        if not equals:
            raise CosearchError(
                f"{spec!r}: the option {item!r} has no value",
                "write options as name:key=value,key=value",
            )
        if options.setdefault(key.strip(), value.strip()) != value.strip():
            raise CosearchError(f"{spec!r}: the option {key.strip()!r} is given twice")
    return name.strip(), options


def join_spec(name: str, options: Mapping[str, Value]) -> str:
    """Return the canonical text of a name with options."""
    items = ",".join(f"{key}={value}" for key, value in sorted(options.items()))
    return f"{name}:{items}" if items else name


def _imported(path: str) -> Any:  # noqa: ANN401 - whatever the path names
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)
