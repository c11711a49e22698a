"""Energies of 45 nm at 0.9 V, as Horowitz tabulated them.

M. Horowitz, *Computing's energy problem (and what we can do about it)*, ISSCC 2014, figure 1.1.9.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from typing import ClassVar

from cosearch.machine.architecture import AccessEnergy
from cosearch.machine.technology import OFF_CHIP, ComputePrice, Storage, StoragePrice, Technology
from cosearch.search.parameters import Parameter, ParameterSpace

ADD_PJ: Mapping[int, float] = {8: 0.03, 16: 0.05, 32: 0.1}
MULTIPLY_PJ: Mapping[int, float] = {8: 0.2, 32: 3.1}
CACHE_PJ: Mapping[int, float] = {8: 10.0, 32: 20.0, 1024: 100.0}
"""KB to one 64-bit access."""

CACHE_BITS = 64
DRAM_PJ: Mapping[str, float] = {"low": 1300.0, "high": 2600.0}
"""One 64-bit access: 1.3 to 2.6 nJ."""

ADD_UM2: Mapping[int, float] = {8: 36.0, 16: 67.0, 32: 137.0}
MULTIPLY_UM2: Mapping[int, float] = {8: 282.0, 32: 3495.0}
"""Areas beside these energies in V. Sze et al., *Efficient Processing of Deep Neural Networks*,
Proc. IEEE 105(12), 2017, section II (45 nm synthesis)."""

SOURCE = (
    "Horowitz, ISSCC 2014, figure 1.1.9, 45 nm, 0.9 V: SRAM by power laws through 10 / 20 / 100 pJ "
    "for 64 bits of 8 / 32 / 1024 KB (extrapolated outside), MAC = multiply + add of twice the "
    "width; no leakage"
)
AREA_SOURCE = "Sze et al., Proc. IEEE 105(12) 2017, section II, 45 nm"
NO_AREA = "Horowitz, ISSCC 2014, has no areas of memories"


class Horowitz(Technology):
    """Absolute energies of one node; between the published sizes, power laws.

    Args:
        dram: the `low` or the `high` end of the published range.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (Parameter("dram", ("low", "high"), doc="end of the published range, 1.3 or 2.6 nJ"),)
    )
    process: ClassVar[tuple[int, float] | None] = (45, 0.9)
    area_node_nm: ClassVar[int | None] = 45

    def __init__(self, dram: str = "low") -> None:
        self._dram = dram
        self._source = f"{SOURCE}; DRAM {DRAM_PJ[dram]:g} pJ for 64 bits"

    @property
    def name(self) -> str:
        """As users write it."""
        return "horowitz" if self._dram == "low" else "horowitz:dram=high"

    def storage(self, part: Storage) -> StoragePrice:
        """Return the energy of a 64-bit access of that capacity, in proportion to width."""
        share = part.width_bits / CACHE_BITS
        if part.kind == "dram":
            energy = AccessEnergy.uniform(DRAM_PJ[self._dram] * share)
            return StoragePrice(energy, 0.0, self._source, OFF_CHIP)
        energy = AccessEnergy.uniform(power_law(CACHE_PJ, part.kilobytes) * share)
        return StoragePrice(energy, math.nan, self._source, NO_AREA)

    def compute(self, bits: int, name: str = "MAC") -> ComputePrice:  # noqa: ARG002 - the contract
        """Return a multiplication and an addition of twice the width."""
        energy = power_law(MULTIPLY_PJ, bits) + power_law(ADD_PJ, 2 * bits)
        area = power_law(MULTIPLY_UM2, bits) + power_law(ADD_UM2, 2 * bits)
        return ComputePrice(energy, area, self._source, AREA_SOURCE)


def power_law(points: Mapping[int, float], at: float) -> float:
    """Return a value on the power laws between points, the outer ones continued outside."""
    sizes = list(points)
    right = min(max(bisect_left(sizes, at), 1), len(sizes) - 1)
    low, high = sizes[right - 1], sizes[right]
    exponent = math.log(points[high] / points[low]) / math.log(high / low)
    return points[low] * math.pow(at / low, exponent)
