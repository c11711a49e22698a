"""Every check of the conformance kits run on what a plugin registers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

from cosearch.errors import UnknownNameError, one_line, pass_on
from cosearch.machine.building import build
from cosearch.registry.registry import Registry
from cosearch.study.executor import Executor
from cosearch.testing import CHECKS as STRATEGY_CHECKS
from cosearch_plugins.kit.checks import machines, others

KINDS = (
    "hardware_models",
    "strategies",
    "mappers",
    "workloads",
    "network_spaces",
    "technologies",
    "executors",
)
"""What is checked by name; readers are by the names of their entry points."""

MACHINE = "eyeriss"
"""Mappers are tried on its baseline."""


@frozen
class Checked:
    """One check of one plugin.

    Attributes:
        kind: of the registration.
        name: of it.
        check: what was checked, in words.
        why: it failed, with the input that shows it; empty where it passed.
    """

    kind: str
    name: str
    check: str
    why: str = ""


def check_named(registry: Registry, name: str) -> list[Checked]:
    """Return the checks of everything registered under a name.

    A reader has the name of its entry point.

    Raises:
        UnknownNameError: nothing is.
    """
    kinds = [kind for kind in KINDS if name in registry.entries[kind]]
    reading = name.replace("-", "_") in readers(registry)
    if not kinds and not reading:
        known = [n for kind in KINDS for n in registry.names(kind)] + [*readers(registry)]
        raise UnknownNameError("plugin", name, known)
    found = [found for kind in kinds for found in _checks(registry, kind, name)]
    return found + (check_readers(registry) if reading else [])


def check_distribution(registry: Registry, distribution: str) -> list[Checked]:
    """Return the checks of everything that a distribution registers, and of readers."""
    found = [
        checked
        for kind in KINDS
        for name, entry in registry.entries[kind].items()
        if entry.distribution.partition(" ")[0] == distribution
        for checked in _checks(registry, kind, name)
    ]
    return found + check_readers(registry)


def readers(registry: Registry) -> dict[str, str]:
    """Return the entry points of others that read workloads, and their distributions."""
    hook = registry.manager.hook.cosearch_read_workload
    names = [plugin.plugin_name.partition(":") for plugin in hook.get_hookimpls()]
    known = {name: distribution.partition(" ")[0] for distribution, _, name in names}
    return {name: whose for name, whose in known.items() if whose != "cosearch"}


def check_readers(registry: Registry) -> list[Checked]:
    """Return the check of all readers together, as the hook asks them."""

    def read(path: Path) -> object:
        return registry.manager.hook.cosearch_read_workload(path=path, sizes={})

    return [_run("reader", "all readers", others.readers_pass_or_answer, read)]


def _checks(registry: Registry, kind: str, name: str) -> Iterator[Checked]:
    if kind == "strategies":
        target = registry.load(kind, name)
        for check in STRATEGY_CHECKS:
            yield _run(kind, name, check, target, {})
        return
    if kind == "executors":
        named = registry.find(kind, name)

        def make(task: Any) -> Executor:  # noqa: ANN401 - a Task
            executor: Executor = named.make(task, 2, None)
            return executor

        yield _run(kind, name, others.executors_lose_nothing, make, registry)
        yield _run(kind, name, others.executors_try_again, make)
        return
    made = _run(kind, name, _can_be_made, registry, kind)
    yield made
    if not made.why:
        yield from _of_one(registry, kind, name, registry.find(kind, name).make())


def _can_be_made(registry: Registry, kind: str, name: str = "") -> None:
    """It can be made with its default options."""
    registry.find(kind, name).make()


def _of_one(registry: Registry, kind: str, name: str, made: Any) -> Iterator[Checked]:  # noqa: ANN401
    if kind == "hardware_models":
        for check in machines.CHECKS:
            yield _run(kind, name, check, made)
    elif kind == "mappers":
        model = registry.find("hardware_models", MACHINE).make()
        machine = build(model, model.baseline)
        yield _run(kind, name, others.mappers_claim_what_is_so, made, machine)
    elif kind == "technologies":
        yield _run(kind, name, others.prices_make_sense, made)
    elif kind == "workloads":
        yield _run(kind, name, others.networks_are_whole, made)
    elif kind == "network_spaces":
        yield _run(kind, name, others.network_spaces_agree_with_themselves, made)


def _run(kind: str, name: str, check: Callable[..., None], *given: Any) -> Checked:  # noqa: ANN401
    what = (check.__doc__ or check.__name__).splitlines()[0].rstrip(".")
    more = {"name": name} if check is _can_be_made else {}
    try:
        check(*given, **more)
    except AssertionError as error:
        return Checked(kind, name, what, str(error) or "it does not hold")
    except BaseException as error:
        pass_on(error)
        return Checked(kind, name, what, one_line(error))
    return Checked(kind, name, what)
