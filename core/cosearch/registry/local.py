"""Objects and classes of a script, under names of their own: they stand wherever a name can."""

from __future__ import annotations

import re

from attrs import evolve

from cosearch.errors import CosearchError
from cosearch.registry.registration import Registration
from cosearch.registry.registry import KINDS, MADE_LATER, Registered, Registry, contract_of

HERE = "this script"
"""What stands where an installed plugin has its distribution."""


def named(registry: Registry, kind: str, thing: object) -> tuple[Registry, str]:
    """Return a registry that knows an object or a class, and its name there.

    Args:
        registry: knows everything else; it stays as it is.
        kind: of registration.
        thing: an instance of the kind's contract, a class of it, or a name, which stays a name.

    Raises:
        CosearchError: it is nothing of that kind.
    """
    if isinstance(thing, str):
        return registry, thing
    _refuse_strangers(kind, thing)
    known = _registered(registry, kind, thing)
    if known is not None:
        return registry, known
    name = _free(registry, kind, thing)
    summary = (type(thing).__doc__ or "").partition("\n")[0]
    entry = Registered(Registration(name, thing, summary), HERE)
    entries = {**registry.entries, kind: {**registry.entries[kind], name: entry}}
    local = (*registry.local, f"{KINDS[kind]} {name!r}")
    return evolve(registry, entries=entries, local=local), name


def _refuse_strangers(kind: str, thing: object) -> None:
    contract = contract_of(kind)
    cls = thing if isinstance(thing, type) else type(thing)
    if not issubclass(cls, contract):
        raise CosearchError(
            f"{thing!r} is no {KINDS[kind]}",
            f"name one, or derive from {contract.__module__}.{contract.__name__}",
        )
    if kind in MADE_LATER and cls is not thing:
        raise CosearchError(
            f"a {KINDS[kind]} is made by the engine, for the space it is to search",
            f"give the class: {cls.__name__}",
        )


def _registered(registry: Registry, kind: str, thing: object) -> str | None:
    """Return the name that a class, or this very object, is registered under."""
    path = f"{thing.__module__}:{thing.__qualname__}" if isinstance(thing, type) else ""
    for name, entry in registry.entries[kind].items():
        if entry.registration.target is thing or entry.registration.target == path:
            return name
    return None


def _free(registry: Registry, kind: str, thing: object) -> str:
    """Return a name that nothing of the kind has yet: the object's own, or made from its class."""
    told = getattr(thing, "name", None)
    words = told if isinstance(told, str) else ""
    if not words:
        cls = thing if isinstance(thing, type) else type(thing)
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__)
    first = name = re.sub(r"[^a-z0-9._-]+", "-", words.lower()).strip("-._") or "mine"
    number = 1
    while name in registry.entries[kind]:
        number += 1
        name = f"{first}-{number}"
    return name
