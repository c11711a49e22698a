"""A machine like Bit Fusion: units of 2-bit multipliers that fuse to the widths of a layer.

H. Sharma et al., *Bit Fusion: Bit-Level Dynamically Composable Architecture for Accelerating Deep
Neural Networks* (arXiv 1712.01507). Followed is its public simulator (hsharma35/bitfusion, commit
0246bc4c; the configuration of commit cf2d5c8a): a systolic array of N x M units, each of which does
floor(8 / max(2, w)) * floor(8 / max(2, a)) products of w by a bits a cycle, along the channels that
are summed; its compute cycles are those of `Accelerator.get_compute_cycles` without im2col. The
default is its 16 x 32 at 500 MHz with 64, 32 and 16 KB and a port of 192 bits.
"""

from __future__ import annotations

import numpy as np

from cosearch.errors import Infeasible
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.mapping import Constraints, LevelConstraint
from cosearch.machine.architecture import (
    AccessEnergy,
    Architecture,
    Compute,
    Memory,
    Mode,
    Partition,
)
from cosearch.machine.hardware import HardwareModel
from cosearch.machine.widths import mode
from cosearch.quantities import added
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Configuration
from cosearch.workload.einsum import Einsum, Role
from cosearch_hardware.dimensions import Dimensions
from cosearch_hardware.stationary import NOTHING, spread

WIDEST, NARROWEST, SUM_BITS, BYTE = 8, 2, 32, 8
LANES = (WIDEST // NARROWEST) ** 2
CLOCK_MHZ = 500.0

UNIT_PJ = 3_673_500 / 500e6 / 16 * 1e3
UNIT_UM2 = 27_752.83558 / 16
"""Of one unit and cycle: a 4 x 4 array of 8 down to 2 bits, 3,673,500 nW at 500 MHz, and its area
(`results/systolic_array_synth.csv`); the simulator scales it by the number of units likewise."""

DRAM_PJ_PER_BIT = 15.0
"""`dram_cost` of `Stats.get_energy`."""

OPERAND_BANKS = (
    (128, 0.683701, 0.925317, 1_498.98),
    (1024, 1.13324, 3.29596, 8_823.62),
    (2048, 1.90318, 3.63853, 15_132.0),
    (4096, 3.42953, 4.31011, 30_060.7),
    (8192, 6.39163, 5.56268, 57_506.1),
)
SUM_BANKS = (
    (512, 1.06097, 2.33869, 7_603.31),
    (4096, 3.98324, 5.05131, 48_573.9),
    (16384, 9.9817, 8.4209, 108_577.0),
)
"""Bytes of a bank, pJ of a read and of a write of 32 bits, um2: what CACTI printed at 45 nm
(`bitfusion/sram/cacti_sweep.csv`), with a port for reads and one for writes, and with one more for
both. Power laws between them."""


class BitFusion(HardwareModel):
    """Weights in every unit, a bank of inputs a row, a bank of sums a column, DRAM."""

    @property
    def name(self) -> str:
        """As users write it."""
        return "bit-fusion"

    @property
    def space(self) -> ParameterSpace:
        """The design space."""
        return ParameterSpace(
            (
                Parameter("rows", (8, 16, 32), 16, "units", "take channels"),
                Parameter("columns", (8, 16, 32, 64), 32, "units", "take filters"),
                Parameter("weight_kb", (16, 32, 64, 128, 256), 64, "KB", "of weights, all banks"),
                Parameter("input_kb", (16, 32, 64, 128), 32, "KB", "of inputs, all banks"),
                Parameter("sum_kb", (8, 16, 32, 64, 128), 16, "KB", "of sums, all banks"),
                Parameter("port_bits", (64, 128, 192, 256, 512), 192, "bits/cycle", "of DRAM"),
            )
        )

    def build(self, configuration: Configuration) -> SpatialAccelerator:
        """Return the machine, or raise Infeasible where CACTI's banks are not known."""
        size = {name: int(value) for name, value in self.check(configuration).items()}
        n, m = size["rows"], size["columns"]
        weights = _bank("weights", size["weight_kb"] * 1024 // (n * m), OPERAND_BANKS)
        inputs = _bank("inputs", size["input_kb"] * 1024 // n, OPERAND_BANKS)
        sums = _bank("sums", size["sum_kb"] * 1024 // m, SUM_BANKS)
        parts: dict[Role, Partition] = {
            "Inputs": Partition(size["input_kb"] * 1024, inputs.energy(BYTE), BYTE),
            "Outputs": Partition(size["sum_kb"] * 1024 * BYTE // SUM_BITS,
                                 sums.energy(SUM_BITS), SUM_BITS, (SUM_BITS,)),
        }  # fmt: skip
        levels = (
            Memory("weights", weights.size, weights.energy(BYTE), BYTE, mesh_x=n, mesh_y=m,
                   keeps={"Weights"}, packs=STORED, multiple_buffering=2,
                   area_um2=weights.area_um2),
            Memory("accumulator", 1, AccessEnergy.uniform(0.0), SUM_BITS, mesh_y=m,
                   keeps={"Outputs"}, packs=(SUM_BITS,)),
            Memory("buffers", added(part.entries for part in parts.values()),
                   AccessEnergy.uniform(0.0), BYTE, partitions=parts, keeps={"Inputs", "Outputs"},
                   packs=STORED, multiple_buffering=2,
                   area_um2=n * inputs.area_um2 + m * sums.area_um2),
            Memory("DRAM", None, AccessEnergy.uniform(BYTE * DRAM_PJ_PER_BIT), BYTE, is_dram=True,
                   shared_bandwidth=size["port_bits"] / BYTE),
        )  # fmt: skip
        unit = Compute(UNIT_PJ, n * LANES, m, WIDEST, UNIT_UM2 / LANES, "fused", MODES)
        return BitFusionAccelerator(Architecture("bit-fusion", levels, unit, CLOCK_MHZ, SOURCES))


class _Bank:
    """A bank of so many bytes, by power laws between CACTI's."""

    def __init__(self, size: int, read_pj: float, write_pj: float, area_um2: float) -> None:
        self.size, self.area_um2 = size, area_um2
        self._read_pj, self._write_pj = read_pj, write_pj

    def energy(self, bits: int) -> AccessEnergy:
        """Return the energy of so many of its 32 bits, in proportion, as the simulator does."""
        read, write = (bits / 32 * pj for pj in (self._read_pj, self._write_pj))
        return AccessEnergy(read, write, write)


def _bank(name: str, size: int, known: tuple[tuple[float, ...], ...]) -> _Bank:
    """Return a bank, or raise Infeasible where it lies outside of those that are known."""
    sizes, *columns = np.array(known).T
    least, most = sizes[0], sizes[-1]
    if not least <= size <= most:
        raise Infeasible(
            f"a bank of {size} bytes of {name} is not among those whose energy was published "
            f"({least:.0f} to {most:.0f})",
            {name: max(size / most, least / max(size, 1))},
        )
    at = np.log(size)
    read, write, area = (float(np.exp(np.interp(at, np.log(sizes), np.log(c)))) for c in columns)
    return _Bank(size, read, write, area)


STORED = (2, 4, 8)
"""Bits of an operand as it is stored: what units fuse to."""

MODES = tuple(Mode(w, a, UNIT_PJ / ((WIDEST // w) * (WIDEST // a))) for w in STORED for a in STORED)
"""Units work all the time; of their energy in a cycle a product has its share."""

SOURCES = {
    "shape, memories, port, clock": "hsharma35/bitfusion, bf_e_conf.ini, commit cf2d5c8a",
    "rate": "hsharma35/bitfusion, Accelerator.get_perf_factor and get_compute_cycles",
    "units": "hsharma35/bitfusion, results/systolic_array_synth.csv: 4 x 4 units of 8 to 2 bits, "
    "dynamic power over clock; leakage left out, as in the simulator's energy",
    "buffers": "hsharma35/bitfusion, bitfusion/sram/cacti_sweep.csv: CACTI at 45 nm, power laws "
    "between its sizes, half of each for the tile to come",
    "DRAM": "15 pJ a bit: hsharma35/bitfusion, Stats.get_energy",
    "accumulator": "one sum a column at the array's own energy: its output-stationary order",
}


class BitFusionAccelerator(SpatialAccelerator):
    """The array's wiring: rows and the lanes of a unit take channels, columns take filters."""

    def constraints_for(self, layer: Einsum) -> Constraints:
        """Return where loops may run: a unit has as many lanes as the layer's widths leave."""
        dims = Dimensions.of(layer)
        channels = frozenset(sorted(dims.reduced, key=lambda d: (-layer.bounds[d], d))[:1])
        fused = mode(self.architecture, layer)
        lanes = (WIDEST // fused.weights) * (WIDEST // fused.inputs)
        return {
            "weights": LevelConstraint(
                x_dims=channels, y_dims=NOTHING, spatial_most=dict.fromkeys(channels, lanes)
            ),
            "accumulator": spread(channels, NOTHING),
            "buffers": spread(NOTHING, dims.produced),
        }
