"""Names, objects and classes: whatever a script gives, as names in a registry that knows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from attrs import define, evolve

from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.registry.local import named
from cosearch.registry.registry import Registry
from cosearch.search.objective import Objective
from cosearch.search.parameters import ParameterSpace
from cosearch.search.strategy import Strategy
from cosearch.typing import Configuration
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Layer, Network, Workload

Plugins: TypeAlias = str | Path | Iterable[str | Path]
"""Plugin files, or folders of them."""

KINDS_OF_SETTINGS = {"strategy": "strategies", "scheme": "schemes"}


class GivenNetwork(Workload):
    """A network that a script made.

    Args:
        network: itself.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self.name = network.name

    def network(self) -> Network:
        """Return the network."""
        return self._network


class GivenMachine(HardwareModel):
    """One machine, as a family with nothing to choose.

    Args:
        machine: itself.
    """

    space = ParameterSpace(())

    def __init__(self, machine: Accelerator) -> None:
        self._machine = machine

    @property
    def name(self) -> str:
        """The machine's own name."""
        return self._machine.name

    def build(self, configuration: Configuration) -> Accelerator:
        """Return the machine."""
        self.check(configuration)
        return self._machine


@define
class Names:
    """Turns what a script gives into names, and learns what has none.

    Attributes:
        registry: knows all that was given so far.
    """

    registry: Registry

    @classmethod
    def of(cls, registry: Registry | None, plugins: Plugins) -> Names:
        """Return names of a registry, or of a new one with plugin files."""
        files = [plugins] if isinstance(plugins, str | Path) else list(plugins)
        if registry is not None and files:
            raise CosearchError("a registry has its plugin files already", "give one of the two")
        return cls(load_registry(files) if registry is None else registry)

    def name(self, kind: str, thing: object) -> str:
        """Return the name of an object, a class or a name of that kind."""
        self.registry, name = named(self.registry, kind, thing)
        return name

    def workload(self, thing: object) -> str:
        """Return the name of a workload: a Network, a Layer, an Einsum, a Workload, or a name."""
        if isinstance(thing, Einsum):
            thing = Layer(thing)
        if isinstance(thing, Layer):
            thing = Network(thing.name, (thing,))
        return self.name("workloads", GivenNetwork(thing) if isinstance(thing, Network) else thing)

    def hardware(self, thing: object) -> str:
        """Return the name of a hardware model; of one machine, as a family of its own."""
        machine = GivenMachine(thing) if isinstance(thing, Accelerator) else thing
        return self.name("hardware_models", machine)

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings with names in place of objects."""
        found = dict(given)
        for setting, kind in KINDS_OF_SETTINGS.items():
            if setting in found:
                found[setting] = self.name(kind, found[setting])
        if found.get("mapper") is not None:
            found["mapper"] = self._mapper(found["mapper"])
        if "objective" in found:
            found["objective"] = self._objectives(found["objective"])
        return found

    def _mapper(self, thing: object) -> str:
        """Return the name of a mapper; every strategy is one."""
        is_strategy = isinstance(thing, type) and issubclass(thing, Strategy)
        return self.name("strategies" if is_strategy else "mappers", thing)

    def _objectives(self, given: object) -> tuple[str, ...]:
        things = [given] if isinstance(given, str | Objective) else given
        if not isinstance(things, Iterable):
            raise CosearchError(f"{given!r} is no objective", "name one, or give an Objective")
        return tuple(name for thing in things for name in self._objective(thing))

    def _objective(self, thing: object) -> list[str]:
        if isinstance(thing, str):
            return [name.strip() for name in thing.split(",")]
        if not isinstance(thing, Objective):
            raise CosearchError(f"{thing!r} is no objective", "name one, or give an Objective")
        if self.registry.objectives.get(thing.name) is not thing:
            self.registry = evolve(
                self.registry,
                objectives={**self.registry.objectives, thing.name: thing},
                local=(*self.registry.local, f"objective {thing.name!r}"),
            )
        return [thing.name]

    @property
    def passing(self) -> str:
        """Why what was made with these names cannot be resumed elsewhere; empty where it can."""
        if not self.registry.local:
            return ""
        return (
            "this was kept in memory alone and cannot be resumed elsewhere: only this script knows "
            f"the {', the '.join(self.registry.local)}; a plugin file (plugins='FILE.py') would be "
            "found anywhere"
        )
