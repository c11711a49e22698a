"""A file that describes one machine, as a hardware model without anything to choose.

`cosearch map WORKLOAD -H arch.yaml:ert=ERT.yaml,art=ART.yaml` takes Timeloop's files, and
`-H machine.yaml` the `architecture` of a specification.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from cosearch.errors import InputError, UnknownNameError
from cosearch.formats.spec import read_architecture_file
from cosearch.formats.timeloop.architecture import architecture_of
from cosearch.formats.timeloop.tables import read_area_table, read_energy_table
from cosearch.formats.timeloop.yaml import read_timeloop_yaml
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.mapping import Constraints, LevelConstraint
from cosearch.machine.architecture import Architecture
from cosearch.machine.hardware import HardwareModel
from cosearch.registry.registry import split_spec
from cosearch.search.parameters import ParameterSpace
from cosearch.typing import Configuration
from cosearch.workload.einsum import Einsum

SUFFIXES = (".yaml", ".yml", ".json")
OPTIONS = ("art", "ert")


def is_machine_file(spec: str) -> bool:
    """Return whether `NAME:key=value,...` names a file rather than a registered model."""
    return spec.partition(":")[0].strip().lower().endswith(SUFFIXES)


class FixedMachine(SpatialAccelerator):
    """One machine of a file.

    Args:
        architecture: the machine.
        fanouts: levels that only spread: no loop in time stands there.
    """

    def __init__(self, architecture: Architecture, fanouts: frozenset[str] = frozenset()) -> None:
        super().__init__(architecture)
        self.fanouts = fanouts

    @property
    def key(self) -> str:
        """A digest of the architecture and of the levels that only spread."""
        text = repr((super().key, sorted(self.fanouts)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def constraints_for(self, layer: Einsum) -> Constraints:
        """Return that levels which only spread have no loops in time."""
        nothing = LevelConstraint(temporal=dict.fromkeys(layer.dims, 1))
        return dict.fromkeys(self.fanouts, nothing)


class MachineFile(HardwareModel):
    """The machine in a file of Timeloop's, or in a specification.

    Args:
        spec: `FILE`, or for Timeloop's `FILE:ert=FILE,art=FILE`.

    Raises:
        InputError: with everything in a file that is wrong or not understood.

    Attributes:
        notes: what the files hold and this model has no use for.
    """

    def __init__(self, spec: str) -> None:
        file, options = split_spec(spec)
        for option in options:
            if option not in OPTIONS:
                raise UnknownNameError(f"option of {file}", option, OPTIONS)
        self._name = file
        self.notes: tuple[str, ...] = ()
        self.machine = self._read(Path(file), {k: Path(v) for k, v in options.items()})

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

    def _read(self, file: Path, tables: Mapping[str, Path]) -> FixedMachine:
        document = read_timeloop_yaml(file)
        given = document.data.get("architecture") if isinstance(document.data, dict) else None
        if not isinstance(given, dict):
            raise InputError(str(file), ["holds no 'architecture'"])
        if "levels" in given:
            if tables:
                raise InputError(str(file), [f"states its own energies: no {', '.join(tables)}"])
            return FixedMachine(read_architecture_file(file))
        found = architecture_of(
            document,
            read_energy_table(tables["ert"]) if "ert" in tables else None,
            read_area_table(tables["art"]) if "art" in tables else None,
        )
        self.notes = tuple(f"{file}: {note}" for note in found.notes)
        return FixedMachine(found.architecture, frozenset(found.fanouts.values()))
