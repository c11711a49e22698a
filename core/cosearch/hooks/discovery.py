"""Discovery of plugins, one by one, so that a broken one is reported and takes nothing down."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pluggy
from attrs import evolve

from cosearch.errors import CosearchError, PluginError, UnknownNameError, one_line, pass_on
from cosearch.hooks.files import PluginFile, plugin_files
from cosearch.hooks.hookspecs import Hooks
from cosearch.hooks.trace import trace_hooks
from cosearch.registry.registration import PROJECT, Registration
from cosearch.registry.registry import (
    KINDS,
    Named,
    Quarantined,
    Registered,
    Registry,
    join_spec,
    split_spec,
)
from cosearch.search.objective import OBJECTIVES, Objective, checked

__all__ = [
    "KINDS",
    "Named",
    "Quarantined",
    "Registered",
    "Registry",
    "join_spec",
    "load_registry",
    "split_spec",
]

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
"""What a name may look like, so that `name:key=value,...` can always be told apart."""

BUILT_IN = "cosearch"
"""The distribution that ships with the engine; it registers through the same entry points."""


PLUGINS = "COSEARCH_PLUGINS"
"""Environment variable with plugin files and folders, separated as in PATH."""


def load_registry(
    plugins: Iterable[str | Path] = (),
    *,
    third_party: bool | None = None,
    trace: Callable[[str], None] | None = None,
) -> Registry:
    """Find, load and check every plugin.

    Args:
        plugins: files and folders of files, loaded beside what is installed; those that the
            environment variable `COSEARCH_PLUGINS` names come first.
        third_party: False leaves out all but the built-ins; None asks the environment variable
            `COSEARCH_NO_PLUGINS`.
        trace: is given one line for each call of a hook, now and later.

    Raises:
        PluginError: two plugins register one name (the message names both distributions), or a
            plugin file is broken (the message names file and line).
        InputError: there is no such plugin file.
    """
    if third_party is None:
        third_party = not os.environ.get("COSEARCH_NO_PLUGINS")
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    if trace is not None:
        trace_hooks(manager, trace)
    quarantined: list[Quarantined] = []
    loaded: list[tuple[str, str]] = []
    origin: dict[str, str] = {}
    for entry, distribution in _entry_points(third_party=third_party):
        name = f"{distribution}:{entry.name}"
        try:
            _register(manager, entry, name)
        except BaseException as error:
            pass_on(error)
            quarantined.append(Quarantined(entry.name, distribution, one_line(error)))
            continue
        origin[name] = distribution
        loaded.append((entry.name, distribution))
    named = filter(None, os.environ.get(PLUGINS, "").split(os.pathsep)) if third_party else ()
    files = plugin_files([*named, *plugins])
    for file in files:
        name = f"{file.distribution}:{file.path.stem}"
        _register_file(manager, file, name)
        origin[name] = file.distribution
        loaded.append((file.path.stem, file.distribution))
    registry = _collect(manager, origin, quarantined, loaded)
    for broken in registry.quarantined:
        if broken.distribution in {file.distribution for file in files}:
            raise PluginError(f"{broken.distribution}: {broken.error}")
    return evolve(registry, files=tuple(str(file.path) for file in files), loader=load_registry)


def _register_file(manager: pluggy.PluginManager, file: PluginFile, name: str) -> None:
    plugin = file.load()
    try:
        manager.register(plugin, name=name)
        _refuse_misspelled_hooks(manager, name)
        _refuse_unmarked_hooks(plugin)
    except (CosearchError, pluggy.PluginValidationError) as error:
        raise PluginError(f"{file.path}: {one_line(error)}") from error


def _entry_points(*, third_party: bool) -> list[tuple[EntryPoint, str]]:
    """Return the group's entry points with their distributions, built-ins first, then by name."""
    found = entry_points(group=PROJECT)
    named = {id(e.dist): _distribution(e) for e in {id(e.dist): e for e in found}.values()}
    unique = {(e.name, e.value, named[id(e.dist)]): e for e in found}
    ours = BUILT_IN + " "
    pairs = [(entry, distribution) for (_, _, distribution), entry in unique.items()]
    pairs.sort(key=lambda pair: (not pair[1].startswith(ours), pair[0].name))
    return [pair for pair in pairs if third_party or pair[1].startswith(ours)]


def _distribution(entry: EntryPoint) -> str:
    """Return name and version; each time the whole of the distribution's metadata is read."""
    if entry.dist is None:
        return "unknown distribution"
    facts = entry.dist.metadata
    return f"{facts['Name']} {facts['Version']}"


def _register(manager: pluggy.PluginManager, entry: EntryPoint, name: str) -> None:
    """Load one entry point and take it in, or leave the manager as it was and raise."""
    if manager.has_plugin(name):
        raise PluginError(f"the distribution has two entry points called {entry.name!r}")
    try:
        plugin = entry.load()
        manager.register(plugin, name=name)
        _refuse_misspelled_hooks(manager, name)
        _refuse_unmarked_hooks(plugin)
    except BaseException:
        if manager.has_plugin(name):
            manager.unregister(name=name)
        raise


def _refuse_misspelled_hooks(manager: pluggy.PluginManager, name: str) -> None:
    plugin = manager.get_plugin(name)
    for caller in manager.get_hookcallers(plugin) or ():
        if not caller.has_spec():
            known = [n for n in vars(Hooks) if n.startswith(f"{PROJECT}_")]
            raise UnknownNameError("hook", caller.name, known)


def _refuse_unmarked_hooks(plugin: object) -> None:
    """Raise PluginError for a function called like a hook that is not marked as one."""
    for name in sorted(name for name in vars(Hooks) if name.startswith(f"{PROJECT}_")):
        function = getattr(plugin, name, None)
        if callable(function) and not hasattr(function, f"{PROJECT}_impl"):
            raise PluginError(
                f"the function {name} is no hook without @hookimpl",
                "put @hookimpl of cosearch.registry.registration above it",
            )


def _collect(
    manager: pluggy.PluginManager,
    origin: Mapping[str, str],
    quarantined: list[Quarantined],
    loaded: list[tuple[str, str]],
) -> Registry:
    """Ask every plugin what it registers; quarantine one whose answer breaks the contract."""
    entries: dict[str, dict[str, Registered]] = {kind: {} for kind in KINDS}
    objectives = {o.name: o for o in OBJECTIVES}
    objective_origins = dict.fromkeys(objectives, _own_distribution(loaded))
    for name, distribution in origin.items():
        plugin = manager.get_plugin(name)
        try:
            answers = {kind: _registrations(manager, plugin, kind) for kind in KINDS}
            extra = _extra_objectives(manager, plugin, distribution)
        except BaseException as error:
            pass_on(error)
            manager.unregister(name=name)
            entry = name.partition(":")[2]
            quarantined.append(Quarantined(entry, distribution, one_line(error)))
            loaded.remove((entry, distribution))
            continue
        for kind, registrations in answers.items():
            for item in registrations:
                known = entries[kind].get(item.name)
                if known is not None:
                    _refuse_duplicate(KINDS[kind], item.name, known.distribution, distribution)
                entries[kind][item.name] = Registered(item, distribution)
        for objective in extra:
            if objective.name in objectives:
                first = objective_origins[objective.name]
                _refuse_duplicate("objective", objective.name, first, distribution)
            objectives[objective.name] = objective
            objective_origins[objective.name] = distribution
    return Registry(
        manager, tuple(quarantined), tuple(loaded), entries, objectives, objective_origins
    )


def _own_distribution(loaded: list[tuple[str, str]]) -> str:
    """Return the engine's distribution with its version, as its own plugins carry it."""
    return next((d for _, d in loaded if d.startswith(BUILT_IN + " ")), BUILT_IN)


def _answer(manager: pluggy.PluginManager, plugin: object, kind: str) -> list[Any]:
    """Return what one plugin alone registers of a kind."""
    others = [p for p in manager.get_plugins() if p is not plugin]
    caller = manager.subset_hook_caller(f"{PROJECT}_{kind}", remove_plugins=others)
    return [item for answer in caller() for item in answer]


def _registrations(manager: pluggy.PluginManager, plugin: object, kind: str) -> list[Registration]:
    items = _answer(manager, plugin, kind)
    for item in items:
        if not isinstance(item, Registration):
            raise PluginError(f"cosearch_{kind} returned {item!r}, which is not a Registration")
        if not NAME.fullmatch(item.name):
            raise PluginError(
                f"cosearch_{kind}: {item.name!r} is no name: lower case, digits, '-', '.', '_'"
            )
        if isinstance(item.target, str) and not re.fullmatch(r"[\w.]+:\w+", item.target):
            raise PluginError(
                f"cosearch_{kind}: the target {item.target!r} of {item.name!r} is not "
                "'package.module:Class'"
            )
    return items


def _extra_objectives(
    manager: pluggy.PluginManager, plugin: object, distribution: str
) -> list[Objective]:
    items = _answer(manager, plugin, "objectives")
    for item in items:
        if not isinstance(item, Objective):
            raise PluginError(f"cosearch_objectives returned {item!r}, which is not an Objective")
    return [checked(item, distribution) for item in items]


def _refuse_duplicate(kind: str, name: str, first: str, second: str) -> None:
    raise PluginError(
        f"two plugins register the {kind} {name!r}: {first} and {second}",
        f"uninstall one of them, or set COSEARCH_NO_PLUGINS=1 to leave out all but {BUILT_IN}",
    )
