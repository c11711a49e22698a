"""Relative costs of an access that Eyeriss' dataflow study used: one number a level."""

from __future__ import annotations

import math

from cosearch.machine.architecture import AccessEnergy
from cosearch.machine.technology import OFF_CHIP, ComputePrice, Storage, StoragePrice, Technology

UNITS = {"regfile": 1.0, "sram": 6.0, "dram": 200.0}
"""Energy of one 16-bit access over that of a 16-bit MAC: register file of 0.5 KB, buffer of
100 KB, DRAM. Y.-H. Chen, J. Emer, V. Sze, *Eyeriss: A Spatial Architecture for Energy-Efficient
Dataflow*, ISCA 2016, table IV, from a commercial 65 nm process. (From one PE to another: 2.)"""

SOURCE = (
    "Eyeriss, ISCA 2016, table IV: MAC 1, register file 1, buffer 6, DRAM 200, whatever the size; "
    "in units of a 16-bit MAC, counted as 1 pJ; proportional to width"
)
NO_AREA = "ISCA 2016, table IV, has no areas"


class RelativeCosts(Technology):
    """Fixed costs per access by kind of memory; size plays no part."""

    @property
    def name(self) -> str:
        """As users write it."""
        return "eyeriss-relative"

    def storage(self, part: Storage) -> StoragePrice:
        """Return the kind's units for every 16 bits of a row."""
        energy = AccessEnergy.uniform(UNITS[part.kind] * part.width_bits / 16)
        if part.kind == "dram":
            return StoragePrice(energy, 0.0, SOURCE, OFF_CHIP)
        return StoragePrice(energy, math.nan, SOURCE, NO_AREA)

    def compute(self, bits: int, name: str = "MAC") -> ComputePrice:  # noqa: ARG002 - the contract
        """Return one unit for 16 bits, quadratic in width."""
        return ComputePrice((bits / 16) ** 2, math.nan, SOURCE, NO_AREA)
