"""Finds neural accelerators and the way to run networks on them, together.

    import cosearch

    study = cosearch.run("resnet18", "eyeriss", trials=20)
    study.best.configuration

A name is imported when it is first asked for, so that `import cosearch` costs nothing.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cosearch.api.compare import Comparison, compare
    from cosearch.api.one import MappingResult, evaluate, hardware, map, workload  # noqa: A004
    from cosearch.api.run import DesignResult, StudyResult, load, run
    from cosearch.api.sweep import Sweep, sweep
    from cosearch.errors import CosearchError, Infeasible
    from cosearch.hooks.discovery import load_registry
    from cosearch.loopnest.accelerator import SpatialAccelerator
    from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
    from cosearch.machine.hardware import Accelerator, HardwareModel
    from cosearch.machine.technology import Technology
    from cosearch.mapping.mapper import Budget, Mapped, Mapper
    from cosearch.registry.registration import Registration, hookimpl
    from cosearch.search.objective import Objective
    from cosearch.search.parameters import Parameter, ParameterSpace, Rule
    from cosearch.search.strategy import Strategy
    from cosearch.study.executor import Executor
    from cosearch.study.scheme import Scheme
    from cosearch.workload.einsum import Einsum, conv, gemm
    from cosearch.workload.network import Layer, Network, NetworkSpace, Workload

__all__ = [
    "Accelerator",
    "AccessEnergy",
    "Architecture",
    "Budget",
    "Comparison",
    "Compute",
    "CosearchError",
    "DesignResult",
    "Einsum",
    "Executor",
    "HardwareModel",
    "Infeasible",
    "Layer",
    "Mapped",
    "Mapper",
    "MappingResult",
    "Memory",
    "Network",
    "NetworkSpace",
    "Objective",
    "Parameter",
    "ParameterSpace",
    "Registration",
    "Rule",
    "Scheme",
    "SpatialAccelerator",
    "Strategy",
    "StudyResult",
    "Sweep",
    "Technology",
    "Workload",
    "compare",
    "conv",
    "evaluate",
    "gemm",
    "hardware",
    "hookimpl",
    "load",
    "load_registry",
    "map",
    "run",
    "sweep",
    "workload",
]

_HOMES = {
    "api.compare": "Comparison compare",
    "api.one": "MappingResult evaluate hardware map workload",
    "api.sweep": "Sweep sweep",
    "api.run": "DesignResult StudyResult load run",
    "errors": "CosearchError Infeasible",
    "hooks.discovery": "load_registry",
    "loopnest.accelerator": "SpatialAccelerator",
    "machine.architecture": "AccessEnergy Architecture Compute Memory",
    "machine.hardware": "Accelerator HardwareModel",
    "machine.technology": "Technology",
    "mapping.mapper": "Budget Mapped Mapper",
    "registry.registration": "Registration hookimpl",
    "search.objective": "Objective",
    "search.parameters": "Parameter ParameterSpace Rule",
    "search.strategy": "Strategy",
    "study.executor": "Executor",
    "study.scheme": "Scheme",
    "workload.einsum": "Einsum conv gemm",
    "workload.network": "Layer Network NetworkSpace Workload",
}

MODULE_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


WINGS = ("compare", "workload")
"""Functions that have the name of a wing of the engine: the module is called in their place."""


class _Wing(ModuleType):
    """A module that can be called, since a function has its name."""

    def __call__(self, *args: Any, **given: Any) -> Any:  # noqa: ANN401 - the function's
        return _loaded(self.__name__.rpartition(".")[2])(*args, **given)


class _FrontDoor(ModuleType):
    """This module: when a wing is imported, it becomes an attribute, and may hide a function."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in WINGS and isinstance(value, ModuleType):
            value.__class__ = _Wing
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _FrontDoor


def _loaded(name: str) -> Any:  # noqa: ANN401 - whatever the name is
    return getattr(importlib.import_module(f"cosearch.{MODULE_OF[name]}"), name)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name is
    """Import what the name stands for (PEP 562)."""
    if name in WINGS:
        return importlib.import_module(f"cosearch.{name}")
    if name not in MODULE_OF:
        raise AttributeError(f"module 'cosearch' has no attribute {name!r}")
    value = globals()[name] = _loaded(name)
    return value


def __dir__() -> list[str]:
    """Return the names there are."""
    return [*__all__, *globals()]
