"""Areas of the Eyeriss chip, 65 nm, worked out from what its paper says of the whole."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve

from cosearch.machine.technology import ComputePrice, Storage, StoragePrice, Technology
from cosearch_plugins.technologies.pat import LinearTable

CORE_MM2 = 12.25
"""3.5 mm x 3.5 mm core (Chen et al., JSSC 52(1), 2017, table III)."""

STORAGE_SHARE = 2 / 3
SPADS_OVER_BUFFER = 2.5
ARITHMETIC_SHARE = 0.074
"""JSSC 2017, section VI: all on-chip storage takes two thirds of the area, the scratchpads 2.5
times that of the global buffer, multipliers and adders 7.4 %."""

PROCESSING_ELEMENTS = 168
BUFFER_BITS = 108 * 1024 * 8
SPAD_BITS = PROCESSING_ELEMENTS * (12 + 224 + 24) * 16

_BUFFER_UM2 = 1e6 * CORE_MM2 * STORAGE_SHARE / (1 + SPADS_OVER_BUFFER)
SRAM_UM2_PER_BIT = _BUFFER_UM2 / BUFFER_BITS
REGFILE_UM2_PER_BIT = _BUFFER_UM2 * SPADS_OVER_BUFFER / SPAD_BITS
MAC_UM2 = 1e6 * CORE_MM2 * ARITHMETIC_SHARE / PROCESSING_ELEMENTS
CONTROL_UM2 = 1e6 * CORE_MM2 * (1 - STORAGE_SHARE - ARITHMETIC_SHARE) / PROCESSING_ELEMENTS

SOURCE = (
    "Eyeriss chip, JSSC 52(1) 2017, section VI, 65 nm: 12.25 mm2 core, two thirds of it storage, "
    f"scratchpads 2.5x the buffer, arithmetic 7.4 %: {SRAM_UM2_PER_BIT:.2f} um2 a buffer bit, "
    f"{REGFILE_UM2_PER_BIT:.2f} um2 a scratchpad bit, {MAC_UM2:.0f} um2 a 16-bit MAC and "
    f"{CONTROL_UM2:.0f} um2 of control and network a PE; linear in size"
)


class EyerissChip(Technology):
    """Area in proportion to bits; energies are those of the linear table made from Eyeriss."""

    area_node_nm: ClassVar[int | None] = 65

    def __init__(self) -> None:
        self._energies = LinearTable()

    @property
    def name(self) -> str:
        """As users write it."""
        return "eyeriss-chip"

    def storage(self, part: Storage) -> StoragePrice:
        """Return bits times the chip's area per bit; DRAM takes none."""
        price = self._energies.storage(part)
        if part.depth is None or part.kind == "dram":
            return price
        per_bit = REGFILE_UM2_PER_BIT if part.kind == "regfile" else SRAM_UM2_PER_BIT
        area = per_bit * part.depth * part.width_bits
        return evolve(price, area_um2=area, area_source=SOURCE)

    def compute(self, bits: int, name: str = "MAC") -> ComputePrice:
        """Return a multiplier's area, quadratic in bits, and the PE's share of control."""
        area = MAC_UM2 * (bits / 16) ** 2 + CONTROL_UM2
        return evolve(self._energies.compute(bits, name), area_um2=area, area_source=SOURCE)
