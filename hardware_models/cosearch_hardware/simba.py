"""A machine like one Simba chiplet: PEs of vector multipliers under a global buffer.

Y. S. Shao et al., *Simba: Scaling Deep-Learning Inference with Multi-Chip-Module-Based
Architecture*, MICRO 2019: 16 PEs a chiplet, 8 lanes of 8-wide vector MACs a PE, 32 KB of weights,
8 KB of inputs and 3 KB of 24-bit sums a PE, 64 KB of global buffer, 16 nm.
"""

from __future__ import annotations

from typing import ClassVar

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.mapping import Constraints
from cosearch.machine.architecture import Architecture, Compute, Memory, Partition
from cosearch.machine.hardware import HardwareModel
from cosearch.machine.technology import UNPRICED, Technology, priced
from cosearch.quantities import added
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Configuration
from cosearch.workload.einsum import Einsum, Role
from cosearch_hardware.dimensions import Dimensions
from cosearch_hardware.pricing import AREA_16_NM, CHIP_16_NM, SCALED, TECHNOLOGY_16_NM
from cosearch_hardware.stationary import passing, spread, weights_rest

SUM_BITS = 24


class Simba(HardwareModel):
    """Weight registers, three buffers a PE, global buffer, DRAM.

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
        return "simba"

    @property
    def space(self) -> ParameterSpace:
        """The design space."""
        return ParameterSpace(
            (
                Parameter("pe_x", (1, 2, 4, 8), 4, "PEs", "columns of PEs"),
                Parameter("pe_y", (1, 2, 4, 8), 4, "PEs", "rows of PEs"),
                Parameter("lanes", (2, 4, 8, 16), 8, "filters", "vector MACs of a PE"),
                Parameter("vector", (2, 4, 8, 16), 8, "channels", "products a lane sums"),
                Parameter("weight_kb", (8, 16, 32, 64), 32, "KB", "of a PE"),
                Parameter("input_kb", (2, 4, 8, 16), 8, "KB", "of a PE"),
                Parameter("sum_kb", (1, 2, 3, 6), 3, "KB", "of a PE"),
                Parameter(
                    "buffer_kb", (16, 32, 64, 128, 256), 64, "KB", "global buffer", free=True
                ),
            )
        )

    def build(self, configuration: Configuration) -> SpatialAccelerator:
        """Return the machine."""
        size = {name: int(value) for name, value in self.check(configuration).items()}
        x, y, lanes, vector = (size[name] for name in ("pe_x", "pe_y", "lanes", "vector"))
        parts: dict[Role, Partition] = {
            "Weights": Partition(size["weight_kb"] * 1024, UNPRICED, packs=(8,)),
            "Inputs": Partition(size["input_kb"] * 1024, UNPRICED, packs=(8,)),
            "Outputs": Partition(
                size["sum_kb"] * 8192 // SUM_BITS, UNPRICED, SUM_BITS, packs=(SUM_BITS,)
            ),
        }
        levels = (
            Memory("register", 1, UNPRICED, 8, mesh_x=x * lanes, mesh_y=y * vector,
                   keeps={"Weights"}, packs=(8,)),
            Memory("pe_buffers", added(part.entries for part in parts.values()), UNPRICED, 8,
                   mesh_x=x, mesh_y=y, partitions=parts),
            Memory("buffer", size["buffer_kb"] * 1024, UNPRICED, 8, block_size=8,
                   shared_bandwidth=64, keeps={"Inputs", "Outputs"}, packs=(8,)),
            Memory("DRAM", None, UNPRICED, 8, shared_bandwidth=16, is_dram=True, packs=(8,)),
        )  # fmt: skip
        compute = Compute(0.0, x * lanes, y * vector, 8)
        machine = Architecture("simba", levels, compute, sources=SOURCES)
        return SimbaAccelerator(priced(machine, *self._prices, kinds={"register": "regfile"}))


SOURCES = {
    "sizes": "Shao et al., MICRO 2019, table 1",
    "widths": "operands of 8 bits, sums of 24: Shao et al., MICRO 2019; elsewhere whole bytes "
    "(assumed)",
    "bandwidths": "assumed: 64 bytes a cycle of global buffer, 16 of DRAM; no network energy",
}


class SimbaAccelerator(SpatialAccelerator):
    """Simba with its wiring: lanes along X, vectors along Y; PEs take filters, channels, pixels."""

    packs_by_class: ClassVar[bool] = True

    def constraints_for(self, layer: Einsum) -> Constraints:
        """Return where loops may run."""
        dims = Dimensions.of(layer)
        everywhere = dims.produced | dims.reduced | passing(layer) | dims.separate
        return {
            "register": weights_rest(layer, passing(layer)),
            "pe_buffers": spread(dims.produced, dims.reduced),
            "buffer": spread(everywhere, everywhere),
        }
