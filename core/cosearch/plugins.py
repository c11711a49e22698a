"""Discovery of plugins, one by one, so that a broken one is reported and takes nothing down."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

import pluggy
from attrs import field, frozen

from cosearch.errors import CosearchError, PluginError, UnknownNameError
from cosearch.hookspecs import PROJECT, Hooks, Registration
from cosearch.objective import OBJECTIVES, Objective
from cosearch.space import ParameterSpace
from cosearch.typing import Value

T = TypeVar("T")

KINDS: Mapping[str, str] = {
    "strategies": "strategy",
    "mappers": "mapper",
    "hardware_models": "hardware model",
    "workloads": "workload",
    "network_spaces": "network space",
    "technologies": "technology",
    "executors": "executor",
    "reporters": "reporter",
}
"""Kind of registration (the hook is `cosearch_<kind>`) to its singular in messages."""

BUILT_IN = "cosearch"
"""The distribution that ships with the engine; it registers through the same entry points."""


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
        target = self.registration.target
        if not isinstance(target, str):
            return target
        module, _, attribute = target.partition(":")
        try:
            loaded: type[Any] = getattr(importlib.import_module(module), attribute)
        except CosearchError:
            raise
        except Exception as error:
            raise PluginError(
                f"plugin {self.name!r} of {self.distribution} cannot be imported: "
                f"{type(error).__name__}: {error}"
            ) from error
        return loaded


@frozen
class Named(Generic[T]):
    """A class found by name, with the options a user wrote after it.

    Attributes:
        spec: the canonical text, `name` or `name:key=value,...`, from which it can be made again.
        target: the class.
        options: checked values, defaults left out.
    """

    spec: str
    name: str
    target: type[T]
    options: Mapping[str, Value]

    def make(self, *args: Any) -> T:  # noqa: ANN401 - whatever the contract's constructor takes
        """Return an instance."""
        return self.target(*args, **self.options)


@frozen(eq=False)
class Registry:
    """Everything that plugins registered.

    Attributes:
        manager: calls the event hooks.
        quarantined: plugins that could not be loaded, with the reason.
        plugins: loaded entry points, as (name, distribution and its version).
        entries: per kind, by name.
        objectives: by name.
    """

    manager: pluggy.PluginManager
    quarantined: tuple[Quarantined, ...]
    plugins: tuple[tuple[str, str], ...]
    entries: Mapping[str, Mapping[str, Registered]]
    objectives: Mapping[str, Objective] = field(factory=dict)

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of a kind, sorted."""
        return tuple(sorted(self.entries[kind]))

    def find(self, kind: str, spec: str) -> Named[Any]:
        """Resolve `name` or `name:key=value,...`; raises UnknownNameError or InputError."""
        name, texts = split_spec(spec)
        if name not in self.entries[kind]:
            raise UnknownNameError(KINDS[kind], name, self.entries[kind])
        target = self.entries[kind][name].load()
        declared: ParameterSpace = target.options
        options = declared.parse(texts)
        return Named(join_spec(name, options), name, target, options)

    def objective(self, name: str) -> Objective:
        """Return the objective of that name, or raise UnknownNameError."""
        if name not in self.objectives:
            raise UnknownNameError("objective", name, self.objectives)
        return self.objectives[name]


def split_spec(spec: str) -> tuple[str, dict[str, str]]:
    """Split `name:key=value,...` into the name and its options as text."""
    name, _, tail = spec.partition(":")
    options: dict[str, str] = {}
    for item in filter(None, tail.split(",")):
        key, equals, value = item.partition("=")
        if not equals:
            raise CosearchError(
                f"{spec!r}: the option {item!r} has no value",
                "write options as name:key=value,key=value",
            )
        options[key.strip()] = value.strip()
    return name.strip(), options


def join_spec(name: str, options: Mapping[str, Value]) -> str:
    """Return the canonical text of a name with options."""
    items = ",".join(f"{key}={value}" for key, value in sorted(options.items()))
    return f"{name}:{items}" if items else name


def load_registry(*, third_party: bool | None = None) -> Registry:
    """Find, load and check every plugin.

    Args:
        third_party: False leaves out all but the built-ins; None asks the environment variable
            `COSEARCH_NO_PLUGINS`.
    """
    if third_party is None:
        third_party = not os.environ.get("COSEARCH_NO_PLUGINS")
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    quarantined: list[Quarantined] = []
    loaded: list[tuple[str, str]] = []
    origin: dict[str, str] = {}
    for entry in _entry_points(third_party=third_party):
        distribution = _distribution(entry)
        name = f"{distribution}:{entry.name}"
        try:
            manager.register(entry.load(), name=name)
            _refuse_misspelled_hooks(manager, name)
        except Exception as error:
            if manager.has_plugin(name):
                manager.unregister(name=name)
            quarantined.append(
                Quarantined(entry.name, distribution, f"{type(error).__name__}: {error}")
            )
            continue
        origin[name] = distribution
        loaded.append((entry.name, distribution))
    return _collect(manager, origin, quarantined, loaded)


def _entry_points(*, third_party: bool) -> list[EntryPoint]:
    """Return the entry points of the group, built-ins first, then by name."""
    unique = {(e.name, e.value, _distribution(e)): e for e in entry_points(group=PROJECT)}
    ours = BUILT_IN + " "
    found = sorted(unique.values(), key=lambda e: (not _distribution(e).startswith(ours), e.name))
    return [e for e in found if third_party or _distribution(e).startswith(ours)]


def _distribution(entry: EntryPoint) -> str:
    if entry.dist is None:
        return "unknown distribution"
    return f"{entry.dist.name} {entry.dist.version}"


def _refuse_misspelled_hooks(manager: pluggy.PluginManager, name: str) -> None:
    plugin = manager.get_plugin(name)
    for caller in manager.get_hookcallers(plugin) or ():
        if not caller.has_spec():
            known = [n for n in vars(Hooks) if n.startswith(f"{PROJECT}_")]
            raise UnknownNameError("hook", caller.name, known)


def _collect(
    manager: pluggy.PluginManager,
    origin: Mapping[str, str],
    quarantined: list[Quarantined],
    loaded: list[tuple[str, str]],
) -> Registry:
    """Ask every plugin what it registers; quarantine one whose answer breaks the contract."""
    entries: dict[str, dict[str, Registered]] = {kind: {} for kind in KINDS}
    objectives = {o.name: o for o in OBJECTIVES}
    objective_origin = dict.fromkeys(objectives, BUILT_IN)
    for name, distribution in origin.items():
        plugin = manager.get_plugin(name)
        try:
            answers = {kind: _registrations(manager, plugin, kind) for kind in KINDS}
            extra = list(_answer(manager, plugin, "objectives"))
        except Exception as error:
            manager.unregister(name=name)
            quarantined.append(
                Quarantined(
                    name.partition(":")[2], distribution, f"{type(error).__name__}: {error}"
                )
            )
            loaded.remove((name.partition(":")[2], distribution))
            continue
        for kind, registrations in answers.items():
            for registration in registrations:
                known = entries[kind].get(registration.name)
                if known is not None:
                    _refuse_duplicate(
                        KINDS[kind], registration.name, known.distribution, distribution
                    )
                entries[kind][registration.name] = Registered(registration, distribution)
        for objective in extra:
            if objective.name in objectives:
                _refuse_duplicate(
                    "objective", objective.name, objective_origin[objective.name], distribution
                )
            objectives[objective.name] = objective
            objective_origin[objective.name] = distribution
    return Registry(manager, tuple(quarantined), tuple(loaded), entries, objectives)


def _answer(manager: pluggy.PluginManager, plugin: object, kind: str) -> Iterable[Any]:
    implementation = getattr(plugin, f"cosearch_{kind}", None)
    if implementation is None:
        return ()
    others = [p for p in manager.get_plugins() if p is not plugin]
    caller = manager.subset_hook_caller(f"cosearch_{kind}", remove_plugins=others)
    return [item for answer in caller() for item in answer]


def _registrations(manager: pluggy.PluginManager, plugin: object, kind: str) -> list[Registration]:
    items = list(_answer(manager, plugin, kind))
    for item in items:
        if not isinstance(item, Registration):
            raise PluginError(f"cosearch_{kind} returned {item!r}, which is not a Registration")
    return items


def _refuse_duplicate(kind: str, name: str, first: str, second: str) -> None:
    raise PluginError(
        f"two plugins register the {kind} {name!r}: {first} and {second}",
        f"uninstall one of them, or set COSEARCH_NO_PLUGINS=1 to leave out all but {BUILT_IN}",
    )
