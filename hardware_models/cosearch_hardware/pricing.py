"""Technologies by the name that a user writes in a model's options."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from cosearch.hooks.discovery import load_registry
from cosearch.machine.technology import StoragePrice, Technology
from cosearch.search.parameters import Parameter

SAME = "same"
"""Areas come from the technology that gives the energies."""

TECHNOLOGY = Parameter(
    "technology",
    ("eyeriss-chip", "pat"),
    free=True,
    doc="prices energies: a technology's name, as `cosearch list technologies` shows",
)

AREA = Parameter(
    "area", (SAME, "eyeriss-chip"), free=True, doc="prices areas: the same, or another technology"
)

TECHNOLOGY_16_NM = Parameter(
    "technology",
    ("scaled", "horowitz", "pat"),
    free=True,
    doc="prices energies; `scaled` is Horowitz' table at 16 nm, 0.8 V",
)

AREA_16_NM = Parameter(
    "area",
    ("scaled:base=eyeriss-chip", SAME),
    free=True,
    doc="prices areas; the default is the Eyeriss chip's, scaled to 16 nm",
)


@lru_cache(maxsize=16)
def technology_named(spec: str) -> Technology:
    """Return the technology of that `name` or `name:key=value`; raises UnknownNameError."""
    technology: Technology = load_registry().find("technologies", spec).make()
    return technology


def technologies(energy: str, area: str) -> tuple[Technology, Technology]:
    """Return who prices energies and who prices areas."""
    first = technology_named(energy)
    return first, first if area == SAME else technology_named(area)


def sources_of(
    energy: Mapping[str, StoragePrice], area: Mapping[str, StoragePrice]
) -> dict[str, str]:
    """Return where the prices of each memory come from, by its name."""
    lines = {}
    for name, price in energy.items():
        room = area[name].area_source
        same = room == price.energy_source
        lines[name] = room if same else f"energy: {price.energy_source}; area: {room}"
    return lines
