"""Who prices a model's components: the options that name technologies, and their defaults."""

from __future__ import annotations

from collections.abc import Mapping

from cosearch.machine.technology import StoragePrice, Technology
from cosearch.search.parameters import Parameter
from cosearch_plugins.technologies.eyeriss_chip import EyerissChip
from cosearch_plugins.technologies.scaled import Scaled

SAME = "same"
"""Areas come from the technology that gives the energies."""

TECHNOLOGY = Parameter(
    "technology",
    ("eyeriss-chip", "pat"),
    free=True,
    doc="prices energies: a technology's name, as `cosearch list technologies` shows",
    plugin="technologies",
)

AREA = Parameter(
    "area",
    (SAME, "eyeriss-chip"),
    free=True,
    doc="prices areas: the same, or another technology",
    plugin="technologies",
    unless=SAME,
)

TECHNOLOGY_16_NM = Parameter(
    "technology",
    ("scaled", "horowitz", "pat"),
    free=True,
    doc="prices energies; `scaled` is Horowitz' table at 16 nm, 0.8 V",
    plugin="technologies",
)

AREA_16_NM = Parameter(
    "area",
    ("scaled:base=eyeriss-chip", SAME),
    free=True,
    doc="prices areas; the default is the Eyeriss chip's, scaled to 16 nm",
    plugin="technologies",
    unless=SAME,
)

CHIP: Technology = EyerissChip()
CHIP_16_NM: Technology = Scaled(CHIP)
SCALED: Technology = Scaled()
"""Defaults of those options, for a model that no registry makes."""


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
