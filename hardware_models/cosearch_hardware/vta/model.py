"""VTA as a hardware model: its configuration space, devices and prices."""

from __future__ import annotations

import math
from typing import ClassVar, cast

from attrs import frozen

from cosearch.errors import Infeasible
from cosearch.machine.hardware import HardwareModel
from cosearch.machine.technology import Storage
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Configuration
from cosearch_hardware.pricing import AREA, TECHNOLOGY, sources_of, technologies
from cosearch_hardware.vta.isa import ISA_RULES, LIMITS, UOP_BYTES, VtaConfiguration
from cosearch_hardware.vta.machine import VtaAccelerator
from cosearch_hardware.vta.pricing import Prices

MEMORY_LATENCY = 32
"""Cycles from a burst's request to its first beat. VTA's sources state none; this is an assumption,
and an option."""


@frozen
class Device:
    """Where a configuration is to be built.

    Attributes:
        clock_mhz: as VTA ships its target.
        bus_bytes: width of the memory port as shipped.
        dsps: multipliers of the FPGA; None for an ASIC.
        ram_kb: block RAM of the FPGA, KB; None for an ASIC.
        source: of these numbers.
    """

    clock_mhz: float
    bus_bytes: int
    dsps: int | None
    ram_kb: int | None
    source: str


DEVICES: dict[str, Device] = {
    "pynq": Device(
        100,
        8,
        220,
        630,
        "Pynq-Z1: 100 MHz, 64-bit AXI (apache/tvm-vta); Zynq-7020: 220 DSPs, "
        "140 block RAMs of 36 Kb (Xilinx DS190)",
    ),
    "ultra96": Device(
        333,
        16,
        360,
        972,
        "Ultra96: 333 MHz, 128-bit AXI (apache/tvm-vta); ZU3EG: 360 DSPs, 216 "
        "block RAMs of 36 Kb (Xilinx DS891)",
    ),
    "asic": Device(500, 16, None, None, "no device: an area limit; the clock is an assumption"),
}

MACS_PER_DSP = 2
"""Two multiplications of 8 bits share a DSP48 (Xilinx WP486)."""


class Vta(HardwareModel):
    """The Versatile Tensor Accelerator (Moreau et al., IEEE Micro 2019; apache/tvm-vta).

    Most configurations cannot be built: the instruction set's bit fields, the bus, and the device
    forbid them. With `rules=known` strategies never propose what the instruction set forbids; with
    `rules=hidden` every rule is met only when a design is built, as when synthesis fails, which is
    how RHNAS (arXiv 2106.09180) poses the problem.

    Args:
        device: whose resources and clock hold.
        rules: whether strategies know the instruction set's rules.
        area_limit_mm2: of an ASIC.
        memory_latency: cycles before a burst's first beat.
        technology: prices energies.
        area: prices areas.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter("device", tuple(DEVICES), doc="whose resources and clock hold"),
            Parameter("rules", ("known", "hidden"), doc="known to strategies, or met when built"),
            Parameter("area_limit_mm2", (0.1, 10_000.0), 20.0, "mm2", "of an ASIC", free=True),
            Parameter(
                "memory_latency",
                (0, 1_000),
                MEMORY_LATENCY,
                "cycles",
                "before a burst's first beat; assumed",
                free=True,
            ),
            TECHNOLOGY,
            AREA,
        )
    )

    def __init__(
        self,
        device: str = "pynq",
        rules: str = "known",
        area_limit_mm2: float = 20.0,
        memory_latency: int = MEMORY_LATENCY,
        technology: str = "eyeriss-chip",
        area: str = "same",
    ) -> None:
        self._device = DEVICES[device]
        self._area_limit_mm2, self._memory_latency = area_limit_mm2, memory_latency
        self._energy, self._area = technologies(technology, area)
        known = ISA_RULES if rules == "known" else ()
        self._space = ParameterSpace(_parameters(self._device.bus_bytes), known)

    @property
    def name(self) -> str:
        """As users write it."""
        return "vta"

    @property
    def space(self) -> ParameterSpace:
        """The configuration space; sizes are log2."""
        return self._space

    def build(self, configuration: Configuration) -> VtaAccelerator:
        """Return the machine, or raise Infeasible with every rule it breaks."""
        values = self.check(configuration)
        sizes = {name: cast("int", value) for name, value in values.items() if name != "gemm"}
        c = VtaConfiguration(pipelined=values["gemm"] == "pipelined", **sizes)
        over = {
            limit.reason: float(limit.used(c.columns)[0]) / limit.allowed
            for limit in LIMITS
            if not limit.holds(c.columns).all()
        }
        if over:
            raise Infeasible("not realizable: " + "; ".join(over), over)
        accelerator = self._priced(c)
        self._check_device(c, accelerator.area_mm2)
        return accelerator

    def _check_device(self, c: VtaConfiguration, area_mm2: float) -> None:
        device, use = self._device, {}
        if device.dsps is not None and device.ram_kb is not None:
            use["DSPs"] = c.macs / MACS_PER_DSP / device.dsps
            use["block RAM"] = sum(c.memory_bytes.values()) / 1024 / device.ram_kb
        elif not math.isnan(area_mm2):
            use["area"] = area_mm2 / self._area_limit_mm2
        over = {what: share for what, share in use.items() if share > 1}
        if over:
            parts = ", ".join(f"{what} {100 * share:.0f} %" for what, share in over.items())
            raise Infeasible(f"over the device's resources: {parts}", over)

    def _priced(self, c: VtaConfiguration) -> VtaAccelerator:
        row_bytes = {
            "inp": c.inp_bytes,
            "wgt": c.wgt_bytes,
            "acc": c.acc_bytes,
            "out": c.out_bytes,
            "uop": UOP_BYTES,
        }
        parts = {
            f"{name} memory": Storage(
                f"{name} memory", "sram", max(1, c.memory_bytes[name] // width), 8 * width
            )
            for name, width in row_bytes.items()
        }
        dram = self._energy.storage(Storage("DRAM", "dram", None, 8 * c.bus_bytes))
        energy = {name: self._energy.storage(part) for name, part in parts.items()}
        room = {name: self._area.storage(part) for name, part in parts.items()}
        bits = 1 << max(c.inp_width, c.wgt_width)
        mac, cell = self._energy.compute(bits), self._area.compute(bits)
        prices = Prices(
            mac=mac.energy_pj,
            dram_byte=dram.energy.read / c.bus_bytes,
            **{name: energy[f"{name} memory"].energy.read for name in row_bytes},
        )
        area = (c.macs * cell.area_um2 + sum(p.area_um2 for p in room.values())) / 1e6
        sources = {
            "device": self._device.source,
            "memory latency": f"{self._memory_latency} cycles a burst: assumed",
            "MAC": mac.energy_source,
            "DRAM": dram.energy_source,
            **sources_of(energy, room),
        }
        return VtaAccelerator(
            c, self._memory_latency, prices, area, self._device.clock_mhz, sources
        )


def _parameters(bus_bytes: int) -> tuple[Parameter, ...]:
    return (
        Parameter("batch", (0, 1, 2, 3), 0, "log2", "rows of the GEMM core"),
        Parameter("block", (2, 3, 4, 5, 6), 4, "log2", "columns and depth of the GEMM core"),
        Parameter("uop", tuple(range(12, 18)), 15, "log2 B", "micro-op memory"),
        Parameter("inp", tuple(range(12, 19)), 15, "log2 B", "input memory"),
        Parameter("wgt", tuple(range(14, 21)), 18, "log2 B", "weight memory"),
        Parameter("acc", tuple(range(13, 20)), 17, "log2 B", "accumulator memory"),
        Parameter("bus_bytes", (8, 16, 32, 64), bus_bytes, "B", "width of the memory port"),
        Parameter("gemm", ("pipelined", "unpipelined"), doc="one or four cycles a micro-op"),
    )
