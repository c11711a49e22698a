"""Energies that Accelergy printed for Eyeriss in 2020, 45 nm, and lines between them.

From `timeloop-accelergy-exercises` of the Accelergy project: the reference outputs of
`exercises/accelergy/04_eyeriss_like` (commit bfda6af) and of
`baseline_designs/example_designs/eyeriss_like` (7252362). Accelergy had them from CACTI (memories),
Aladdin (register files, arithmetic) and a constant for DRAM. Of an action with several energies
Timeloop takes the greatest, and so does this table.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping

from cosearch.errors import CosearchError
from cosearch.machine.architecture import AccessEnergy
from cosearch.machine.technology import OFF_CHIP, ComputePrice, Storage, StoragePrice, Technology
from cosearch_plugins.technologies.horowitz import power_law

SCRATCHPAD_PJ: Mapping[int, float] = {12: 0.237, 16: 0.251, 192: 1.586}
"""Words to one access of 16 bits: `ifmap_spad`, `psum_spad`, `weights_spad`."""

BUFFER_PJ: Mapping[int, float] = {8: 9.244, 100: 56.716, 128: 75.22}
"""KB to one access of 64 bits: `weights_glb`, `shared_glb`, and the `shared_glb` of the second."""

SCRATCHPAD_BITS, BUFFER_BITS = 16, 64
DRAM_PJ_PER_BIT = 8.0
"""512 pJ for 64 bits (LPDDR4)."""

MAC_BITS, MAC_PJ = 16, 2.2
"""`mac_random`."""

SOURCE = (
    "Accelergy's tables of Eyeriss, 45 nm (timeloop-accelergy-exercises, reference outputs of "
    "2020): scratchpads by lines through 0.237 / 0.251 / 1.586 pJ for 12 / 16 / 192 words, "
    "buffers by power laws through 9.244 / 56.716 / 75.22 pJ for 64 bits of 8 / 100 / 128 KB, "
    "DRAM 8 pJ/bit, MAC 2.2 pJ; continued outside; no leakage, no network"
)
NO_AREA = "these tables are used for energies alone"


class AccelergyEyeriss(Technology):
    """Energies between and beyond the published sizes, in proportion to width."""

    @property
    def name(self) -> str:
        """As users write it."""
        return "accelergy-eyeriss"

    def storage(self, part: Storage) -> StoragePrice:
        """Return a scratchpad's energy by its rows, a buffer's by its capacity; no area."""
        if part.kind == "dram":
            energy = AccessEnergy.uniform(DRAM_PJ_PER_BIT * part.width_bits)
            return StoragePrice(energy, 0.0, SOURCE, OFF_CHIP)
        if part.kind == "regfile" and part.depth is not None:
            pj = straight(SCRATCHPAD_PJ, part.depth) * part.width_bits / SCRATCHPAD_BITS
        else:
            pj = power_law(BUFFER_PJ, part.kilobytes) * part.width_bits / BUFFER_BITS
        return StoragePrice(AccessEnergy.uniform(pj), math.nan, SOURCE, NO_AREA)

    def compute(self, bits: int, name: str = "MAC") -> ComputePrice:  # noqa: ARG002 - the contract
        """Return the one multiplier that was published.

        Raises:
            CosearchError: another width.
        """
        if bits != MAC_BITS:
            raise CosearchError(
                f"technology accelergy-eyeriss has no {bits}-bit MAC",
                "it prices one of 16 bits: --set word_bits=16",
            )
        return ComputePrice(MAC_PJ, math.nan, SOURCE, NO_AREA)


def straight(points: Mapping[int, float], at: float) -> float:
    """Return a value on the straight lines between points, the outer ones continued outside."""
    sizes = list(points)
    right = min(max(bisect_left(sizes, at), 1), len(sizes) - 1)
    low, high = sizes[right - 1], sizes[right]
    return points[low] + (points[high] - points[low]) * (at - low) / (high - low)
