"""VTA as a hardware model: its configuration space, devices and prices."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
from attrs import frozen

from cosearch.errors import Infeasible
from cosearch.machine.hardware import HardwareModel, ManyMachines
from cosearch.machine.technology import Storage, StoragePrice, Technology
from cosearch.quantities import added
from cosearch.search.objective import Objective
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Configuration, Rows
from cosearch.workload.einsum import Einsum
from cosearch_hardware.pricing import AREA, CHIP, TECHNOLOGY, sources_of
from cosearch_hardware.vta.alu import priced_operations
from cosearch_hardware.vta.isa import ENUMERATOR, LIMITS, Stack, VtaConfiguration
from cosearch_hardware.vta.machine import VtaAccelerator
from cosearch_hardware.vta.port import SHARED, Slots
from cosearch_hardware.vta.pricing import Prices

if TYPE_CHECKING:
    from cosearch_hardware.vta.many import Known

MEMORY_LATENCY = 16
"""Cycles until the memory serves a read that found no other waiting or under way: `DPI_DELAY` of
every shipped intel configuration, the constant in apache's memory module (`VTAMemDPI`)."""


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

SOURCES: dict[Stack, str] = {
    "apache": "apache/tvm-vta, commit d4a15f62 (January 2022): hw_spec.h, HLS and Chisel",
    "intel": "pasqoc/incubator-tvm-vta, branch il_contrib_0421, commit 66bcb00b (2021): Chisel",
}

MACS_PER_DSP = 2
"""Two multiplications of 8 bits share a DSP48 (Xilinx WP486)."""


class Vta(HardwareModel):
    """The Versatile Tensor Accelerator (Moreau et al., IEEE Micro 2019; apache/tvm-vta).

    Most configurations cannot be built: the instruction set's bit fields, the bus, and the device
    forbid them. With `rules=known` strategies never propose what the instruction set forbids; with
    `rules=hidden` every rule is met only when a design is built, as when synthesis fails; with
    `rules=enumerator` strategies propose what the intel stack's design-space script would.

    Args:
        stack: whose instruction set and compiler: `intel` separates the two blocks of the core, and
            runs depthwise convolutions on the ALU; `apache` is the upstream.
        device: whose resources and clock hold.
        rules: what strategies know of the instruction set's rules.
        area_limit_mm2: of an ASIC.
        memory_latency: cycles until the memory serves a read that found no other.
        slots: who may use the memory port when: `shared` serves who asks first; a table such as
            `LLCS` gives slots to the load, compute and store queues in turn, so that no transfer
            takes longer for what the others do.
        slot_cycles: of a slot.
        alu_loads: bits of a number that is loaded for the ALU: 32 is all that the Chisel of either
            stack decodes; 8 is a load that apache's instruction header names beside it.
        technology: prices energies.
        area: prices areas; None is the same.
    """

    compiled: ClassVar[tuple[str, ...]] = (
        "cosearch_hardware.vta.pipeline:QUEUES=cosearch_hardware.vta.pipeline",
        "cosearch_hardware.vta.slots:SLOTS=cosearch_hardware.vta.slots",
    )
    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter("stack", ("intel", "apache"), doc="whose instruction set and compiler"),
            Parameter("device", tuple(DEVICES), doc="whose resources and clock hold"),
            Parameter(
                "rules",
                ("known", "hidden", "enumerator"),
                doc="known to strategies, met when built, or those of the intel stack's script",
            ),
            Parameter("area_limit_mm2", (0.1, 10_000.0), 20.0, "mm2", "of an ASIC", free=True),
            Parameter(
                "memory_latency",
                (0, 1_000),
                MEMORY_LATENCY,
                "cycles",
                "until the memory serves a read that found no other",
                free=True,
            ),
            Parameter(
                "slots", (SHARED, "LLCS"), doc="of the memory port, in turn: L, C and S", free=True
            ),
            Parameter("slot_cycles", (1, 4096), 16, "cycles", "of a slot", free=True),
            Parameter("alu_loads", (32, 8), 32, "bits", "of a number that is loaded for the ALU"),
            TECHNOLOGY,
            AREA,
        )
    )

    def __init__(
        self,
        stack: Stack = "intel",
        device: str = "pynq",
        rules: str = "known",
        area_limit_mm2: float = 20.0,
        memory_latency: int = MEMORY_LATENCY,
        slots: str = SHARED,
        slot_cycles: int = 16,
        alu_loads: int = 32,
        technology: Technology = CHIP,
        area: Technology | None = None,
    ) -> None:
        self._stack, self._device, self._alu_loads = stack, DEVICES[device], alu_loads
        self._area_limit_mm2, self._memory_latency = area_limit_mm2, memory_latency
        self._slots = None if slots == SHARED else Slots.of(slots, slot_cycles)
        self._energy, self._area = technology, area or technology
        self._schedules: Known = {}
        self._known: dict[tuple[bool, Storage], StoragePrice] = {}
        known = {"known": LIMITS[stack], "hidden": (), "enumerator": ENUMERATOR}[rules]
        parameters = _parameters(stack, self._device.bus_bytes)
        self._space = ParameterSpace(parameters, tuple(limit.rule for limit in known))

    @property
    def name(self) -> str:
        """As users write it."""
        return "vta"

    @property
    def space(self) -> ParameterSpace:
        """The configuration space; sizes are log2."""
        return self._space

    def left_out(self, layer: Einsum) -> str:
        """Return why a layer costs nothing: element-wise work that no opcode of the ALU does."""
        if layer.operation in (None, *priced_operations(self._stack)):
            return ""
        return f"no opcode of the {self._stack} stack's ALU does it"

    def build(self, configuration: Configuration) -> VtaAccelerator:
        """Return the machine, or raise Infeasible with every rule it breaks."""
        values = self.check(configuration)
        c = self._sized(values)
        columns = c.columns
        over = {
            limit.reason: float(limit.used(columns)[0]) / limit.allowed
            for limit in LIMITS[self._stack]
            if not limit.holds(columns).all()
        }
        if over:
            raise Infeasible("not realizable: " + "; ".join(over), over)
        accelerator = self._priced(c)
        self._check_device(c, accelerator.area_mm2)
        return accelerator

    def _sized(self, values: Configuration) -> VtaConfiguration:
        """Return the configuration of a design's values."""
        sizes = {name: cast("int", value) for name, value in values.items() if name != "gemm"}
        if "block" in sizes:
            sizes["block_in"] = sizes["block_out"] = sizes.pop("block")
        return VtaConfiguration(self._stack, pipelined=values["gemm"] == "pipelined", **sizes)

    def price_many(
        self, rows: Rows, layers: Sequence[Einsum], objective: Objective
    ) -> ManyMachines:
        """Return what many machines' best mappings cost: each schedule is simulated once a core."""
        from cosearch_hardware.vta.many import price_many

        return price_many(len(rows), self._buildable(rows), layers, objective, self._schedules)

    def _buildable(self, rows: Rows) -> Iterator[tuple[int, VtaAccelerator]]:
        """Yield the machines that can be built, with their numbers."""
        columns = self._space.columns(rows)
        possible = self._space.feasible(rows)
        for limit in LIMITS[self._stack]:
            possible &= limit.holds(columns)
        for i in np.flatnonzero(possible).tolist():
            c = self._sized(self._space.decode(rows[i]))
            try:
                self._check_device(c, math.nan)
                machine = self._priced(c)
                self._check_device(c, machine.area_mm2)
            except Infeasible:
                continue
            yield i, machine

    def _stored(self, technology: Technology, memory: Storage) -> StoragePrice:
        """Return the price of a memory, of which a space has few different ones."""
        key = (technology is self._area, memory)
        if key not in self._known:
            self._known[key] = technology.storage(memory)
        return self._known[key]

    def _check_device(self, c: VtaConfiguration, area_mm2: float) -> None:
        device, use = self._device, {}
        if device.dsps is not None and device.ram_kb is not None:
            multipliers = c.macs + c.lanes * c.multiplies
            use["DSPs"] = multipliers / MACS_PER_DSP / device.dsps
            use["block RAM"] = added(c.memory_bytes.values()) / 1024 / device.ram_kb
        elif not math.isnan(area_mm2):
            use["area"] = area_mm2 / self._area_limit_mm2
        over = {what: share for what, share in use.items() if share > 1}
        if over:
            parts = ", ".join(f"{what} {100 * share:.0f} %" for what, share in over.items())
            raise Infeasible(f"over the device's resources: {parts}", over)

    def _priced(self, c: VtaConfiguration) -> VtaAccelerator:
        parts = {
            f"{name} memory": Storage(
                f"{name} memory", "sram", max(1, c.memory_bytes[name] // width), 8 * width
            )
            for name, width in c.row_bytes.items()
        }
        dram = self._stored(self._energy, Storage("DRAM", "dram", None, 8 * c.bus_bytes))
        energy = {name: self._stored(self._energy, part) for name, part in parts.items()}
        room = {name: self._stored(self._area, part) for name, part in parts.items()}
        bits = 1 << max(c.inp_width, c.wgt_width)
        mac, cell = self._energy.compute(bits), self._area.compute(bits)
        prices = Prices(
            mac=mac.energy_pj,
            dram_byte=dram.energy.read / c.bus_bytes,
            **{name: energy[f"{name} memory"].energy.read for name in c.row_bytes},
        )
        units = c.macs + c.lanes
        area = (units * cell.area_um2 + added(p.area_um2 for p in room.values())) / 1e6
        sources = {
            "device": self._device.source,
            "instruction set": SOURCES[self._stack],
            "memory latency": f"{self._memory_latency} cycles when no read is under way; the "
            f"sources have {MEMORY_LATENCY} (DPI_DELAY, VTAMemDPI)",
            "MAC": mac.energy_source,
            "ALU": "a lane is priced, area and energy, as one more MAC: it multiplies 8 by 8 bits "
            "and adds; MIN, MAX and SHR are not priced apart",
            "DRAM": dram.energy_source,
            **sources_of(energy, room),
        }
        return VtaAccelerator(
            c,
            self._memory_latency,
            prices,
            area,
            self._device.clock_mhz,
            sources,
            self._alu_loads,
            self._slots,
        )


def _parameters(stack: Stack, bus_bytes: int) -> tuple[Parameter, ...]:
    bus = Parameter("bus_bytes", (8, 16, 32, 64), bus_bytes, "B", "width of the memory port")
    pace = Parameter(
        "gemm",
        ("pipelined", "unpipelined"),
        doc="one micro-op and one ALU row a cycle, or the older core and ALU",
    )
    if stack == "apache":
        return (
            Parameter("batch", (0, 1, 2, 3), 0, "log2", "rows of the GEMM core"),
            Parameter("block", (2, 3, 4, 5, 6), 4, "log2", "columns and depth of the GEMM core"),
            Parameter("uop", tuple(range(12, 18)), 15, "log2 B", "micro-op memory"),
            Parameter("inp", tuple(range(12, 19)), 15, "log2 B", "input memory"),
            Parameter("wgt", tuple(range(14, 21)), 18, "log2 B", "weight memory"),
            Parameter("acc", tuple(range(13, 20)), 17, "log2 B", "accumulator memory"),
            bus,
            pace,
        )
    restricts = tuple(
        Parameter(f"{name}_restrict", (0, 1, 2), 0, "bits", f"taken off the strides of {name}")
        for name in ("inp", "wgt", "acc")
    )
    return (
        Parameter("batch", (0, 1, 2, 3, 4), 0, "log2", "rows of the GEMM core"),
        Parameter("block_in", (1, 2, 3, 4, 5, 6), 4, "log2", "depth of the GEMM core"),
        Parameter("block_out", (0, 1, 2, 3, 4, 5, 6), 4, "log2", "columns of the core, ALU lanes"),
        Parameter("uop", tuple(range(7, 18)), 15, "log2 B", "micro-op memory"),
        Parameter("inp", tuple(range(12, 19)), 15, "log2 B", "input memory"),
        Parameter("wgt", tuple(range(13, 21)), 18, "log2 B", "weight memory"),
        Parameter("acc", tuple(range(13, 20)), 17, "log2 B", "accumulator memory"),
        Parameter("uop_width", (5, 6), 5, "log2 b", "micro-op"),
        *restricts,
        bus,
        pace,
    )
