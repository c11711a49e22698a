"""The components of Gemmini as DOSA's artifact prices them."""

from __future__ import annotations

from attrs import evolve

from cosearch.errors import CosearchError
from cosearch.machine.technology import ComputePrice, Storage, StoragePrice, Technology
from cosearch_plugins.technologies.pat import LinearTable

MAC_PJ = 0.5608
"""An 8-bit multiply-accumulate in DOSA's Timeloop architecture."""

AREA_UM2 = {
    "PE": 407.0,
    "accumulator": 856.0,
    "accumulator bit": 0.681,
    "scratchpad": 13850.0,
    "scratchpad bit": 0.3186,
}
"""Area is additive in DOSA's data; the memories' tables are irregular (and not published but in
these sums), so straight lines are fitted: `python benchmarks/fit_gemmini_area.py`."""

ENERGY_SOURCE = (
    "DOSA's Timeloop architecture for Gemmini (MICRO 2023 artifact): memories by Timeloop's linear "
    "table PAT, DRAM 12.5 pJ/bit, 0.5608 pJ a MAC; no leakage, no network"
)
AREA_SOURCE = (
    "straight lines through the 80 areas of DOSA's artifact (mean error 5.3 %, worst 18 %; each "
    "left out in turn 5.7 % and 19 %)"
)


class DosaTable(Technology):
    """Prices a register, an accumulator, a scratchpad, DRAM and a MAC; nothing else."""

    def __init__(self) -> None:
        self._table = LinearTable()

    @property
    def name(self) -> str:
        """As users write it."""
        return "dosa"

    def storage(self, part: Storage) -> StoragePrice:
        """Return the energy of the linear table and the fitted area.

        Raises:
            CosearchError: the part is none of Gemmini's.
        """
        price = evolve(self._table.storage(part), energy_source=ENERGY_SOURCE)
        if part.kind == "dram" or part.depth is None:
            return price
        if part.name == "register":
            return evolve(price, area_um2=0.0, area_source="part of the PE")
        if f"{part.name} bit" not in AREA_UM2:
            raise CosearchError(
                f"technology dosa has no component {part.name!r}",
                "it prices Gemmini's register, accumulator, scratchpad, DRAM and MAC",
            )
        bits = part.depth * part.width_bits
        area = AREA_UM2[part.name] + AREA_UM2[f"{part.name} bit"] * bits
        return evolve(price, area_um2=area, area_source=AREA_SOURCE)

    def compute(self, bits: int, name: str = "MAC") -> ComputePrice:  # noqa: ARG002 - the contract
        """Return DOSA's MAC; its area includes the PE's register."""
        if bits != 8:
            raise CosearchError(f"technology dosa has no {bits}-bit MAC", "it prices one of 8 bits")
        return ComputePrice(MAC_PJ, AREA_UM2["PE"], ENERGY_SOURCE, AREA_SOURCE)
