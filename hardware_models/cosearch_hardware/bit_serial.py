"""A machine like BISMO: an array of dot products of bits, whose time is the product of the widths.

Y. Umuroglu, L. Rasnayake, M. Sjalander, *BISMO: A Scalable Bit-Serial Matrix Multiplication Overlay
for Reconfigurable Computing*, FPL 2018 (arXiv 1806.08862). Followed is its public repository
(EECS-NTNU/bismo): an M x K x N overlay, M rows by N columns of units that multiply K bits at a
time; "runtime scales with precision". A product of w by a bits takes w * a passes. The default is
the repository's 8 x 256 x 8 at 200 MHz: 6.5 binary TOPS.
"""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.mapping import Constraints
from cosearch.machine.architecture import Architecture, Compute, Memory, Mode, Partition
from cosearch.machine.hardware import HardwareModel
from cosearch.machine.technology import UNPRICED, Technology, priced
from cosearch.quantities import added
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Configuration
from cosearch.workload.einsum import Einsum, Role
from cosearch_hardware.dimensions import Dimensions
from cosearch_hardware.pricing import AREA_16_NM, CHIP_16_NM, SCALED, TECHNOLOGY_16_NM
from cosearch_hardware.stationary import NOTHING, passing, spread

WIDEST, SUM_BITS, BYTE = 8, 32, 8
CLOCK_MHZ = 200.0


class BitSerial(HardwareModel):
    """Sums in every unit, buffers for both operands, DRAM.

    Args:
        technology: prices energies.
        area: prices areas; None is the same.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace((TECHNOLOGY_16_NM, AREA_16_NM))

    def __init__(
        self, technology: Technology = SCALED, area: Technology | None = CHIP_16_NM
    ) -> None:
        self._prices = technology, area or technology

    @property
    def name(self) -> str:
        """As users write it."""
        return "bit-serial"

    @property
    def space(self) -> ParameterSpace:
        """The design space."""
        return ParameterSpace(
            (
                Parameter("rows", (2, 4, 8, 16), 8, "units", "take filters"),
                Parameter("columns", (2, 4, 8, 16), 8, "units", "take pixels"),
                Parameter("lanes", (16, 32, 64, 128, 256), 256, "bits", "multiplied at a time"),
                Parameter("weight_kb", (16, 32, 64, 128, 256), 64, "KB", "of weights"),
                Parameter("input_kb", (16, 32, 64, 128, 256), 64, "KB", "of inputs"),
                Parameter("sums", (1, 16, 64, 256), 64, "sums", "held by a unit"),
                Parameter("dram_bits", (16, 32, 64, 128, 256), 64, "bits/cycle", "of DRAM"),
            )
        )

    def build(self, configuration: Configuration) -> SpatialAccelerator:
        """Return the machine."""
        size = {name: int(value) for name, value in self.check(configuration).items()}
        rows, columns, lanes = size["rows"], size["columns"], size["lanes"]
        parts: dict[Role, Partition] = {
            "Weights": Partition(size["weight_kb"] * 1024, UNPRICED),
            "Inputs": Partition(size["input_kb"] * 1024, UNPRICED),
        }
        levels = (
            Memory("sums", size["sums"], UNPRICED, SUM_BITS, mesh_x=rows, mesh_y=columns,
                   keeps={"Outputs"}, packs=(SUM_BITS,)),
            Memory("buffers", added(part.entries for part in parts.values()), UNPRICED, BYTE,
                   block_size=lanes // BYTE, partitions=parts, keeps={"Weights", "Inputs"}),
            Memory("DRAM", None, UNPRICED, BYTE, block_size=BYTE, is_dram=True,
                   shared_bandwidth=size["dram_bits"] / BYTE),
        )  # fmt: skip
        unit = Compute(0.0, rows * lanes, columns, WIDEST, name="bit")
        machine = Architecture("bit-serial", levels, unit, CLOCK_MHZ, SOURCES)
        machine = priced(machine, *self._prices, kinds={"sums": "regfile"})
        return BitSerialAccelerator(evolve(machine, compute=bitwise(machine.compute)))


def bitwise(multiplier: Compute) -> Compute:
    """Return the unit that multiplies bit by bit what a multiplier does at once.

    Of a multiplier of 8 by 8 bits a bit's share is a 64th, in area and in energy.
    """
    share = WIDEST * WIDEST
    modes = [
        Mode(w, a, multiplier.energy_pj * (w * a) / share, w * a)
        for w in range(1, WIDEST + 1)
        for a in range(1, WIDEST + 1)
    ]
    return evolve(multiplier, area_um2=multiplier.area_um2 / share, modes=modes)


SOURCES = {
    "shape": "Umuroglu et al., FPL 2018, and EECS-NTNU/bismo: 8 x 256 x 8 at 200 MHz",
    "widths": "operands of 1 to 8 bits, stored bit by bit: EECS-NTNU/bismo; sums of 32",
    "memories": "assumed: 64 KB an operand, 64 sums a unit, 64 bits a cycle of DRAM",
    "bit": "assumed: a 64th of an 8-bit multiplier's energy and area; planes of bits are read "
    "once a product, not once a pass",
}


class BitSerialAccelerator(SpatialAccelerator):
    """The overlay's wiring: lanes take what is summed, rows filters or groups, columns pixels."""

    def constraints_for(self, layer: Einsum) -> Constraints:
        """Return where loops may run."""
        dims = Dimensions.of(layer)
        summed = dims.reduced | dims.filter_width | dims.filter_height
        return {
            "sums": spread(summed, NOTHING),
            "buffers": spread(dims.produced | dims.separate, passing(layer)),
        }
