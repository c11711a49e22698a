"""Energy and area reference tables (ERT, ART) that Accelergy wrote.

Y. N. Wu, J. S. Emer, V. Sze, *Accelergy: An Architecture-Level Energy Estimation Methodology for
Accelerator Designs*, ICCAD 2019; file formats 0.3 and 0.4. Energies are pJ, areas um2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar, TypeAlias

from cosearch.errors import CosearchError, InputError, UnknownNameError
from cosearch.formats.yaml_source import read_yaml_document
from cosearch.machine.architecture import AccessEnergy
from cosearch.machine.technology import OFF_CHIP, ComputePrice, Storage, StoragePrice, Technology
from cosearch.search.parameters import Parameter, ParameterSpace

Actions: TypeAlias = dict[str, float]
COMPUTE_ACTIONS = ("compute", "mac_random", "mac", "multiply")
"""Names for one multiply-accumulate, the first one present counts."""


class AccelergyFile(Technology):
    """Prices the components that a pair of files names; sizes in the files are not rescaled.

    A memory or multiplier is found by the last part of its name there: `shared_glb` is
    `system.eyeriss.shared_glb[1..1]`.

    Args:
        ert: path of the energy reference table.
        art: path of the area reference table; without one there are no areas.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter("ert", ("ERT.yaml",), doc="energy reference table, a file", free=True),
            Parameter("art", ("none", "ART.yaml"), doc="area reference table, a file", free=True),
        )
    )

    def __init__(self, ert: str = "ERT.yaml", art: str = "none") -> None:
        self._ert, self._art = Path(ert), None if art == "none" else Path(art)

    @property
    def name(self) -> str:
        """As users write it."""
        return f"accelergy:art={self._art or 'none'},ert={self._ert}"

    @cached_property
    def energies(self) -> dict[str, Actions]:
        """Component to action to pJ."""
        return {
            name: _actions(entry, name, self._ert)
            for name, entry in _tables(self._ert, "ERT").items()
        }

    @cached_property
    def areas(self) -> dict[str, float]:
        """Component to um2."""
        if self._art is None:
            return {}
        entries = _tables(self._art, "ART")
        return {name: _number(entry, "area", self._art, name) for name, entry in entries.items()}

    def storage(self, part: Storage) -> StoragePrice:
        """Return the file's read, write and update energies and leakage of a component."""
        actions = self._actions_of(part.name)
        read, write = self._energy(part.name, ("read",)), self._energy(part.name, ("write", "fill"))
        energy = AccessEnergy(read, write, actions.get("update", write))
        if part.kind == "dram":
            return StoragePrice(energy, 0.0, self._energy_source, OFF_CHIP)
        return StoragePrice(
            energy,
            self.areas.get(part.name, math.nan),
            self._energy_source,
            self._area_source,
            actions.get("leak", 0.0),
        )

    def compute(self, bits: int, name: str = "MAC") -> ComputePrice:  # noqa: ARG002 - as in the file
        """Return the file's energy of one multiply-accumulate."""
        energy = self._energy(name, COMPUTE_ACTIONS)
        area = self.areas.get(name, math.nan)
        return ComputePrice(energy, area, self._energy_source, self._area_source)

    @property
    def _energy_source(self) -> str:
        return f"Accelergy energy reference table {self._ert}"

    @property
    def _area_source(self) -> str:
        return f"Accelergy area reference table {self._art}" if self._art else "no table of areas"

    def _actions_of(self, component: str) -> Actions:
        if component not in self.energies:
            raise UnknownNameError(f"component in {self._ert}", component, self.energies)
        return self.energies[component]

    def _energy(self, component: str, names: tuple[str, ...]) -> float:
        actions = self._actions_of(component)
        for name in names:
            if name in actions:
                return actions[name]
        raise CosearchError(
            f"{self._ert}: component {component!r} has no action {names[0]!r}",
            f"it has: {', '.join(sorted(actions))}",
        )


def _tables(path: Path, root: str) -> dict[str, Mapping[str, object]]:
    """Return the entries of a reference table by the last part of their name."""
    try:
        document = read_yaml_document(path).data
    except OSError as error:
        raise InputError(str(path), [error.strerror or "cannot be read"]) from None
    table = document.get(root) if isinstance(document, dict) else None
    entries = table.get("tables") if isinstance(table, dict) else None
    if not isinstance(entries, list):
        raise InputError(str(path), [f"has no list {root}.tables"], f"Accelergy writes one: {root}")
    found: dict[str, Mapping[str, object]] = {}
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise InputError(str(path), [f"{root}.tables[{index}] has no name"])
        found[_last_part(entry["name"])] = entry
    return found


def _last_part(name: str) -> str:
    """Return `shared_glb` for `system.eyeriss.shared_glb[1..1]`."""
    return re.sub(r"\[[^\]]*\]", "", name).rsplit(".", 1)[-1]


def _actions(entry: Mapping[str, object], name: str, path: Path) -> Actions:
    """Return action to pJ; of an action that stands several times, the first."""
    listed = entry.get("actions")
    if not isinstance(listed, list):
        raise InputError(str(path), [f"component {name!r} has no list of actions"])
    actions: Actions = {}
    for action in listed:
        if not isinstance(action, dict) or not isinstance(action.get("name"), str):
            raise InputError(str(path), [f"component {name!r} has an action without a name"])
        actions.setdefault(action["name"], _number(action, "energy", path, name))
    return actions


def _number(entry: Mapping[str, object], field: str, path: Path, name: str) -> float:
    value = entry.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise InputError(
            str(path), [f"{field} of {name!r} is {value!r}, not a number of at least 0"]
        )
    return float(value)
