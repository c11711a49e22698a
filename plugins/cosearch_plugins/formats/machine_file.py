"""A file that describes one machine, as a hardware model without anything to choose.

`cosearch map WORKLOAD -H arch.yaml:ert=ERT.yaml,art=ART.yaml` takes Timeloop's files, and
`-H machine.yaml` the `architecture` of a specification.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from cosearch.errors import CosearchError, InputError, UnknownNameError
from cosearch.formats.rules import parse_rules
from cosearch.formats.spec import read_architecture_file
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.mapping import UNCONSTRAINED, Constraints
from cosearch.machine.architecture import Architecture
from cosearch.machine.hardware import HardwareModel
from cosearch.machine.technology import Technology
from cosearch.registry.registry import split_spec
from cosearch.search.parameters import ParameterSpace
from cosearch.typing import Configuration
from cosearch.workload.einsum import Einsum
from cosearch_plugins.formats.timeloop.architecture import (
    TimeloopMachine,
    architecture_of,
    has_architecture,
    with_technology,
)
from cosearch_plugins.formats.timeloop.constraints import (
    Constrained,
    has_constraints,
    placed,
    read_constraints,
    understood,
)
from cosearch_plugins.formats.timeloop.directives import told
from cosearch_plugins.formats.timeloop.read import tables
from cosearch_plugins.formats.timeloop.yaml import read_timeloop_yaml

if TYPE_CHECKING:
    from cosearch.registry.registry import Registry

OPTIONS = ("art", "constraints", "ert", "rules", "technology")
OF_TIMELOOP = ("art", "constraints", "ert")

_log = logging.getLogger(__name__)


class FixedMachine(SpatialAccelerator):
    """One machine of a file.

    Args:
        architecture: the machine.
        fanouts: levels that only spread: no loop in time stands there.
        constrained: what the file says of mappings, in the words of a problem.
    """

    def __init__(
        self,
        architecture: Architecture,
        fanouts: frozenset[str] = frozenset(),
        constrained: tuple[Constrained, ...] = (),
    ) -> None:
        super().__init__(architecture)
        self.fanouts, self.constrained = fanouts, constrained
        self._told: set[str] = set()

    @property
    def default_mapper(self) -> str:  # type: ignore[override]
        """The exact mapper where its proofs hold, else a search."""
        spreading = sum(max(self.architecture.fanout(i)) > 1 for i in range(self._depth))
        busy = any((item.directive.least or 0) > 0 for item in self.constrained)
        shared = any(memory.cluster_size > 1 for memory in self.architecture.levels)
        passed_on = self.architecture.rules.link_transfers
        return "annealing" if shared or passed_on or (busy and spreading > 1) else "exact"

    @property
    def _depth(self) -> int:
        return len(self.architecture.levels)

    @property
    def key(self) -> str:
        """A digest of the architecture, of the levels that only spread, and of constraints."""
        facts = (super().key, sorted(self.fanouts))
        said = tuple(
            (item.level, evolve(item.directive, where="", place=())) for item in self.constrained
        )
        text = repr((*facts, said) if said else facts)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def constraints_for(self, layer: Einsum) -> Constraints:
        """Return what the file says of one layer; levels which only spread have no loops in time.

        What is not followed is logged, once for each layer.

        Raises:
            InputError: the file names a tensor that the layer does not have.
        """
        found = understood(self.constrained, self.architecture, layer)
        for note in found.notes:
            if note not in self._told:
                self._told.add(note)
                _log.warning("%s", note)
        nothing = dict.fromkeys(layer.dims, 1)
        rules = dict(found.constraints)
        for level in sorted(self.fanouts):
            rules[level] = evolve(rules.get(level, UNCONSTRAINED), temporal=nothing)
        return rules


class MachineFile(HardwareModel):
    """The machine in a file of Timeloop's, or in a specification.

    Args:
        spec: `FILE`, or `FILE:key=value,...` with `rules` (see `formats.rules`) and for Timeloop's
            files `ert`, `art`, `constraints` (files, joined by +) and `technology` (a plugin that
            prices what no file prices; its options are written `name:key=value`, joined by +).
        registry: knows the technologies.

    Raises:
        InputError: with everything in a file that is wrong or not understood.

    Attributes:
        notes: what the files hold and this model has no use for.
    """

    def __init__(self, spec: str, registry: Registry | None = None) -> None:
        file, options = split_spec(spec)
        for option in options:
            if option not in OPTIONS:
                raise UnknownNameError(f"option of {file}", option, OPTIONS)
        self._name = file
        self._registry = registry
        self.machine = self._read(Path(file), options)
        self.said_of_mappings = tuple(
            told(item.level, item.directive) for item in self.machine.constrained
        )

    @property
    def name(self) -> str:
        """The file."""
        return self._name

    @property
    def space(self) -> ParameterSpace:
        """Nothing to choose."""
        return ParameterSpace(())

    def build(self, configuration: Configuration) -> FixedMachine:
        """Return the machine."""
        self.check(configuration)
        return self.machine

    def _read(self, file: Path, options: Mapping[str, str]) -> FixedMachine:
        document = read_timeloop_yaml(file)
        if not has_architecture(document):
            raise InputError(str(file), ["holds no 'architecture'"])
        rules = parse_rules(options["rules"]) if "rules" in options else None
        given = document.data.get("architecture")
        if isinstance(given, dict) and "levels" in given:
            wrong = [option for option in options if option != "rules"]
            if wrong:
                raise InputError(str(file), [f"states its own energies: no {', '.join(wrong)}"])
            architecture = read_architecture_file(file)
            return FixedMachine(evolve(architecture, rules=rules) if rules else architecture)
        machine = self._machine(file, options)
        architecture = machine.architecture
        if rules is not None:
            architecture = evolve(architecture, rules=rules)
        self.notes = tuple(f"{file}: {note}" for note in machine.told)
        return FixedMachine(
            architecture,
            frozenset(machine.fanouts.values()),
            self._constrained(file, machine, options.get("constraints", "")),
        )

    def _machine(self, file: Path, options: Mapping[str, str]) -> TimeloopMachine:
        document = read_timeloop_yaml(file)
        named = [Path(options[key]) if key in options else None for key in ("ert", "art")]
        energies, areas = tables([document], *named)
        machine = architecture_of(document, energies, areas)
        if "technology" in options:
            machine = with_technology(machine, self._technology(options["technology"]))
        if machine.unpriced:
            raise InputError(
                str(file),
                [f"no energy is known for {', '.join(machine.unpriced)}"],
                f"name an energy reference table, {file}:ert=FILE, or a technology that prices "
                f"them, {file}:technology=NAME",
            )
        return machine

    def _technology(self, text: str) -> Technology:
        if self._registry is None:
            raise CosearchError(f"no technology {text!r} is known here")
        technology: Technology = self._registry.find("technologies", text.replace("+", ",")).make()
        return technology

    def _constrained(
        self, file: Path, machine: TimeloopMachine, others: str
    ) -> tuple[Constrained, ...]:
        documents = [
            read_timeloop_yaml(path) for path in (file, *map(Path, filter(None, others.split("+"))))
        ]
        for document in documents[1:]:
            if not has_constraints(document):
                raise InputError(document.source, ["holds no constraints"])
        directives = (*machine.directives, *read_constraints(documents))
        return placed(directives, machine.architecture, machine.fanouts, machine.disabled)
