"""A machine like NVDLA: a C x K array of 8-bit multipliers under one convolution buffer.

Sizes and widths: *NVDLA hardware architectural specification*, nvdla.org (`nv_full`: atomic C 64,
atomic K 32, 512 KB; `nv_small`: 8, 8, 128 KB). NVIDIA publishes no energies: those of a technology.
"""

from __future__ import annotations

from typing import ClassVar

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.mapping import Constraints
from cosearch.machine.architecture import Architecture, Compute, Memory
from cosearch.machine.hardware import HardwareModel
from cosearch.machine.technology import UNPRICED, Technology, priced
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Configuration
from cosearch.workload.einsum import Einsum
from cosearch_hardware.dimensions import Dimensions
from cosearch_hardware.pricing import AREA_16_NM, CHIP_16_NM, SCALED, TECHNOLOGY_16_NM
from cosearch_hardware.stationary import NOTHING, passing, spread, weights_rest

SUM_BITS = 34
"""Of a partial sum of 8-bit products in the accumulator (specification, CACC)."""

PRESETS = {"full": (64, 32, 512), "small": (8, 8, 128)}
"""Atomic C, atomic K and KB of the convolution buffer."""


class Nvdla(HardwareModel):
    """Weight registers, an accumulator for each output channel, convolution buffer, DRAM.

    Args:
        preset: whose sizes are the baseline.
        technology: prices energies.
        area: prices areas; None is the same.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (Parameter("preset", tuple(PRESETS), doc="baseline"), TECHNOLOGY_16_NM, AREA_16_NM)
    )

    def __init__(
        self,
        preset: str = "full",
        technology: Technology = SCALED,
        area: Technology | None = CHIP_16_NM,
    ) -> None:
        c, k, kb = PRESETS[preset]
        self._prices = technology, area or technology
        self._space = ParameterSpace(
            (
                Parameter("atomic_c", (4, 8, 16, 32, 64, 128), c, "channels", "summed a cycle"),
                Parameter("atomic_k", (4, 8, 16, 32, 64, 128), k, "filters", "side by side"),
                Parameter("sums", (16, 32, 64, 128, 256, 512), 128, "words", "of an accumulator"),
                Parameter(
                    "buffer_kb", (32, 64, 128, 256, 512, 1024), kb, "KB", "all banks", free=True
                ),
                Parameter(
                    "dram_bits", (32, 64, 128, 256, 512), 64, "bits/cycle", "memory port", free=True
                ),
            )
        )

    @property
    def name(self) -> str:
        """As users write it."""
        return "nvdla"

    @property
    def space(self) -> ParameterSpace:
        """The design space."""
        return self._space

    def build(self, configuration: Configuration) -> SpatialAccelerator:
        """Return the machine."""
        size = {name: int(value) for name, value in self.check(configuration).items()}
        c, k = size["atomic_c"], size["atomic_k"]
        levels = (
            Memory("register", 1, UNPRICED, 8, mesh_x=k, mesh_y=c, keeps={"Weights"}, packs=(8,)),
            Memory(
                "accumulator",
                size["sums"],
                UNPRICED,
                SUM_BITS,
                mesh_x=k,
                keeps={"Outputs"},
                packs=(SUM_BITS,),
            ),
            Memory(
                "buffer",
                size["buffer_kb"] * 1024,
                UNPRICED,
                8,
                block_size=c,
                read_bandwidth=2 * c,
                keeps={"Weights", "Inputs"},
                packs=(8,),
            ),
            Memory(
                "DRAM",
                None,
                UNPRICED,
                8,
                shared_bandwidth=size["dram_bits"] / 8,
                is_dram=True,
                packs=(8,),
            ),
        )
        machine = Architecture("nvdla", levels, Compute(0.0, k, c, 8), sources=SOURCES)
        return NvdlaAccelerator(
            priced(machine, *self._prices, kinds={"register": "regfile", "accumulator": "regfile"})
        )


SOURCES = {
    "sizes": "NVDLA hardware architectural specification, nvdla.org",
    "widths": "operands of 8 bits, the narrowest that README of nvdla/hw (nvdlav1) has; sums of 34 "
    "bits; its 16-bit and floating-point modes are not modelled",
    "bandwidths": "one row of inputs and one of weights a cycle (specification, CSC)",
}


class NvdlaAccelerator(SpatialAccelerator):
    """NVDLA with its wiring: filters along X, channels along Y."""

    packs_by_class: ClassVar[bool] = True

    def constraints_for(self, layer: Einsum) -> Constraints:
        """Return where loops may run."""
        dims = Dimensions.of(layer)
        return {
            "register": weights_rest(layer, passing(layer)),
            "accumulator": spread(NOTHING, dims.reduced),
            "buffer": spread(dims.produced | dims.separate, NOTHING),
        }
