"""Timeloop's built-in linear energy table, a straight line through two published points."""

from __future__ import annotations

import math

from cosearch.machine.architecture import AccessEnergy
from cosearch.machine.technology import OFF_CHIP, ComputePrice, Storage, StoragePrice, Technology

SMALL_KB, SMALL_PJ = 0.5, 1.0
LARGE_KB, LARGE_PJ = 100.0, 6.0
"""Register file and buffer of Eyeriss (ISCA 2016, table IV: 1 and 6 times a 16-bit MAC, which
the table counts as 1 pJ), as Timeloop's `pat` library connects them."""

REFERENCE_BITS = 16
DRAM_PJ_PER_BIT = 12.5
"""200 units for 16 bits (ISCA 2016, table IV)."""

SOURCE = (
    "Timeloop's linear table PAT: (1 + 5/99.5 (KB - 0.5)) pJ per 16 bits, DRAM 12.5 pJ/bit, MAC "
    "(bits/16)^2 pJ; after Eyeriss, ISCA 2016, table IV; 65 nm; no leakage, no network"
)
NO_AREA = "Timeloop's linear table PAT has no areas"


class LinearTable(Technology):
    """Energy per bit grows linearly with capacity; ports, banks and node play no part."""

    @property
    def name(self) -> str:
        """As users write it."""
        return "pat"

    def storage(self, part: Storage) -> StoragePrice:
        """Return `(1 + 5/99.5 (KB - 0.5)) * width/16` pJ, or 12.5 pJ a bit for DRAM; no area."""
        if part.kind == "dram":
            pj, area, room = DRAM_PJ_PER_BIT * part.width_bits, 0.0, OFF_CHIP
        else:
            slope = (LARGE_PJ - SMALL_PJ) / (LARGE_KB - SMALL_KB)
            pj = (slope * (part.kilobytes - SMALL_KB) + SMALL_PJ) * part.width_bits / REFERENCE_BITS
            area, room = math.nan, NO_AREA
        return StoragePrice(AccessEnergy.uniform(pj), area, SOURCE, room)

    def compute(self, bits: int, name: str = "MAC") -> ComputePrice:  # noqa: ARG002 - the contract
        """Return `(bits/16)^2` pJ; no area."""
        return ComputePrice((bits / REFERENCE_BITS) ** 2, math.nan, SOURCE, NO_AREA)
