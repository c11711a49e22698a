"""A machine in a few lines: declare it, and cosearch maps, prices, searches and reports it."""

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.architecture import Architecture, Compute, Memory
from cosearch.machine.hardware import HardwareModel
from cosearch.machine.technology import UNPRICED, priced
from cosearch.search.parameters import Parameter, ParameterSpace, Rule

BITS = Parameter("bits", (16, 8), unit="bits", doc="of every word")
PRICES = Parameter("prices", ("eyeriss-chip",), free=True, plugin="technologies")


class TinyCore(HardwareModel):
    """A row of multipliers with registers of their own, one SRAM and DRAM."""

    name = "tinycore"
    options = ParameterSpace((BITS, PRICES))

    def __init__(self, prices, bits=16):
        self.bits, self.technology = bits, prices

    @property
    def space(self):
        return ParameterSpace(
            (
                Parameter("multipliers", (4, 8, 16, 32, 64), 16, doc="in the row"),
                Parameter("registers", (8, 16, 32, 64), 16, "words", "of each multiplier"),
                Parameter("sram_kb", (4, 8, 16, 32), 8, "KB", "shared by all"),
            ),
            (
                Rule(
                    "the registers together are larger than the SRAM",
                    lambda c: c["multipliers"] * c["registers"] * self.bits <= c["sram_kb"] * 8192,
                ),
            ),
        )

    def build(self, configuration):
        chosen = self.check(configuration)
        row = chosen["multipliers"]
        machine = Architecture(
            "tinycore",
            (
                Memory("registers", chosen["registers"], UNPRICED, self.bits, mesh_x=row),
                Memory(
                    "sram",
                    chosen["sram_kb"] * 8192 // self.bits,
                    UNPRICED,
                    self.bits,
                    read_bandwidth=row,
                    write_bandwidth=row,
                ),
                Memory("DRAM", None, UNPRICED, self.bits, shared_bandwidth=4.0, is_dram=True),
            ),
            Compute(0.0, mesh_x=row, word_bits=self.bits),
            clock_mhz=200.0,
            sources={"clock": "an example, no chip"},
        )
        return SpatialAccelerator(priced(machine, self.technology, kinds={"registers": "regfile"}))
