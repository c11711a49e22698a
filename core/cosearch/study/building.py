"""From names, as users write them, to hardware models, strategies and mappers."""

from __future__ import annotations

from typing import Any

from cosearch.errors import CosearchError, Infeasible, UnknownNameError, broken
from cosearch.machine.building import build
from cosearch.machine.hardware import HardwareModel
from cosearch.mapping.mapper import Mapper
from cosearch.mapping.strategy_mapper import StrategyMapper
from cosearch.registry.registry import Named, Registry
from cosearch.search.strategy import Strategy

FALLBACK_MAPPERS = ("evolutionary", "random")
"""The default mapper where the one a machine names is not installed; shown like any other."""


def make_hardware(text: str, registry: Registry) -> HardwareModel:
    """Return the hardware model of a name with options, or the one machine in a file."""
    from cosearch.formats.machine_file import MachineFile, is_machine_file

    if is_machine_file(text):
        return MachineFile(text)
    named: Named[HardwareModel] = registry.find("hardware_models", text)
    model: HardwareModel = _made(named, "hardware model")
    return model


def make_strategy(text: str, registry: Registry) -> Named[Strategy]:
    """Return a strategy's class with its options."""
    named: Named[Strategy] = registry.find("strategies", text)
    return named


def make_mapper(text: str, registry: Registry) -> Mapper:
    """Return the mapper of a name with options; every strategy's name is a mapper's too."""
    name = text.partition(":")[0].strip()
    if name in registry.entries["mappers"]:
        found: Named[Mapper] = registry.find("mappers", text)
        mapper: Mapper = _made(found, "mapper")
        return mapper
    if name in registry.entries["strategies"]:
        return StrategyMapper(make_strategy(text, registry))
    known = (*registry.entries["mappers"], *registry.entries["strategies"])
    raise UnknownNameError("mapper", name, known)


def canonical_mapper(text: str, registry: Registry) -> str:
    """Return `name:key=value,...` with checked options in order."""
    kind = "mappers" if text.partition(":")[0].strip() in registry.entries["mappers"] else None
    if kind is None:
        make_mapper(text, registry)
    return registry.find(kind or "strategies", text).spec


def default_mapper(model: HardwareModel, registry: Registry) -> str:
    """Return the mapper that a family's machines are searched with unless another is named."""
    known = {*registry.entries["mappers"], *registry.entries["strategies"]}
    try:
        wanted = build(model, model.baseline).default_mapper
    except Infeasible:
        wanted = FALLBACK_MAPPERS[0]
    for name in (wanted, *FALLBACK_MAPPERS):
        if name in known:
            return name
    raise UnknownNameError("mapper", wanted, known)


def _made(named: Named[Any], kind: str) -> Any:  # noqa: ANN401 - the class named
    try:
        return named.make()
    except CosearchError:
        raise
    except Exception as error:
        raise broken(kind, named.name, "its constructor", error) from error
