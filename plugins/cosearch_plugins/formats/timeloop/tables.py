"""Accelergy's tables: energy per action (ERT) and area (ART), by component.

Actions are looked up by Timeloop's own names, the first that a component has; where an action is
listed with several arguments the greatest energy counts, as Timeloop does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cosearch.formats.fields import ANYTHING, NUMBER, TEXT, Fields, Problems
from cosearch.formats.yaml_source import Place, YamlDocument
from cosearch.machine.architecture import AccessEnergy
from cosearch_plugins.formats.timeloop.yaml import read_timeloop_yaml

READ = ("random_read", "read")
FILL = ("random_fill", "random_write", "fill", "write")
UPDATE = ("random_update", "update", "random_fill", "random_write", "fill", "write")
COMPUTE = ("mac_random", "mult_random", "mac", "mult", "compute")
LEAK = ("leak",)


def component_name(name: str) -> str:
    """Return the last part of `system.chip.buffer[1..4]`, without its range."""
    return re.sub(r"\[[^\]]*\]", "", name).rpartition(".")[2].strip()


class EnergyTable:
    """Energies, pJ, by component and action.

    Args:
        actions: component name to action to energy.
        source: the file.
    """

    def __init__(self, actions: Mapping[str, Mapping[str, float]], source: str = "") -> None:
        self.actions, self.source = actions, source

    def first(self, component: str, names: Sequence[str]) -> float | None:
        """Return the energy of the first action of these names that the component has."""
        known = self.actions.get(component, {})
        return next((known[name] for name in names if name in known), None)

    def access(self, component: str) -> AccessEnergy | None:
        """Return a memory's energies; None where one of the three is missing."""
        read, fill, update = (self.first(component, names) for names in (READ, FILL, UPDATE))
        if read is None or fill is None or update is None:
            return None
        return AccessEnergy(read, fill, update)


def read_energy_table(path: Path) -> EnergyTable:
    """Read an ERT, or the ERT summary.

    Raises:
        InputError: with everything that is wrong, each with its line.
    """
    return energy_table_of(read_timeloop_yaml(path))


MOST = ("max energy", "max_energy")
"""Spellings of the most that an action takes, which is what Timeloop counts."""


def energy_table_of(document: YamlDocument) -> EnergyTable:
    """Return the ERT, or the ERT summary, in a document."""
    out: dict[str, dict[str, float]] = {}
    problems, entries = _tables(document, "ERT")
    for place, item in entries:
        fields = Fields(problems, place, item)
        actions = out.setdefault(component_name(fields.need("name", TEXT)), {})
        for action_place, action in fields.items("actions") if fields.data.get("actions") else ():
            row = Fields(problems, action_place, action)
            name = row.need("name", TEXT)
            row.get("arguments", ANYTHING, None)
            stated = next((key for key in MOST if key in row), "energy")
            energy = row.need(stated, NUMBER)
            actions[name] = max(actions.get(name, 0.0), energy)
    problems.raise_if_any()
    return EnergyTable(out, document.source)


def read_area_table(path: Path) -> dict[str, float]:
    """Read an ART, or the ART summary: um^2 of one instance, by component.

    Raises:
        InputError: with everything that is wrong, each with its line.
    """
    return area_table_of(read_timeloop_yaml(path))


def area_table_of(document: YamlDocument) -> dict[str, float]:
    """Return the ART, or the ART summary, in a document: um^2 of one instance, by component."""
    out: dict[str, float] = {}
    problems, entries = _tables(document, "ART")
    for place, item in entries:
        fields = Fields(problems, place, item)
        out[component_name(fields.need("name", TEXT))] = fields.need("area", NUMBER)
    problems.raise_if_any()
    return out


def _tables(document: YamlDocument, kind: str) -> tuple[Problems, list[tuple[Place, Any]]]:
    problems = Problems(document)
    top = Fields(problems, (), document.data)
    for key, name in ((kind, "tables"), (f"{kind}_summary", "table_summary")):
        if top.data.get(key):
            inner = top.inner(key)
            found = "tables" if "tables" in inner else name
            if isinstance(inner.data.get(found), dict):
                return problems, _by_name((key, found), inner.data[found])
            return problems, inner.items(found)
    problems.add((), f"has no {kind!r}")
    problems.raise_if_any()
    return problems, []


def _by_name(place: Place, components: dict[str, Any]) -> list[tuple[Place, Any]]:
    """Return the entries of a table of version 0.2: component to action to energy, or energies."""
    entries: list[tuple[Place, Any]] = []
    for component, given in components.items():
        if not isinstance(given, dict):
            entries.append(((*place, component), {"name": component, "area": given}))
            continue
        actions = [
            {"name": action, **(row if isinstance(row, dict) else {"energy": row})}
            for action, rows in given.items()
            for row in (rows if isinstance(rows, list) else [rows])
        ]
        entries.append(((*place, component), {"name": component, "actions": actions}))
    return entries
