"""One concrete VTA: the mapspace of a layer, and prices for batches of schedules."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import ClassVar

import numpy as np

from cosearch.errors import Infeasible
from cosearch.machine.cost import Cost, CostBatch
from cosearch.machine.hardware import Accelerator
from cosearch.machine.widths import refuse_wider
from cosearch.quantities import added
from cosearch.search.parameters import ParameterSpace, Rule
from cosearch.typing import BoolArray, FloatArray, IntArray, Rows
from cosearch.workload.einsum import ROLES, Einsum
from cosearch_hardware.vta.floor import gemm_floor
from cosearch_hardware.vta.isa import VtaConfiguration
from cosearch_hardware.vta.port import Slots
from cosearch_hardware.vta.pricing import Prices, energies
from cosearch_hardware.vta.schedule import row_cycles
from cosearch_hardware.vta.work import AluWork, GemmWork, Work, work_of

SECONDS_AN_EVENT = 2e-8
"""Of simulating an instruction or a line, measured on schedules of 10^5 to 10^7 of them."""


class VtaAccelerator(Accelerator):
    """A configuration with a memory and prices.

    A mapping is a tile in blocks, the number of virtual threads, and, on the GEMM core, which loop
    over the tiles is inside. Its latency is that of the three instruction queues, simulated.

    Args:
        configuration: sizes.
        memory_latency: cycles until the memory serves a read that found no other.
        prices: energies.
        area_mm2: of the machine; NaN where the source has no areas.
        clock_mhz: of the device.
        sources: where the numbers come from, by component.
        alu_load_bits: of a number that is loaded for the ALU.
        slots: of the memory port; None serves who asks first.
    """

    default_mapper: ClassVar[str] = "exhaustive"

    def __init__(
        self,
        configuration: VtaConfiguration,
        memory_latency: int,
        prices: Prices,
        area_mm2: float,
        clock_mhz: float,
        sources: Mapping[str, str],
        alu_load_bits: int = 32,
        slots: Slots | None = None,
    ) -> None:
        self.configuration, self.prices = configuration, prices
        self.memory_latency, self.alu_load_bits = memory_latency, alu_load_bits
        self.slots = slots
        c = configuration
        self.name = f"vta {1 << c.batch}x{1 << c.block_in}x{1 << c.block_out}"
        self.area_mm2, self.clock_mhz, self.sources = area_mm2, clock_mhz, sources
        self.sketch = _sketch(configuration)
        self.work = lru_cache(maxsize=64)(self._work)
        self._spaces = lru_cache(maxsize=64)(self._mapspace)

    @property
    def key(self) -> str:
        """A digest of sizes, delay and energies."""
        facts = (self.configuration, self.memory_latency, self.prices, self.alu_load_bits)
        text = repr(facts if self.slots is None else (*facts, self.slots))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _work(self, layer: Einsum) -> Work:
        """Return a layer where it is run; raises Infeasible for one that is run nowhere."""
        return work_of(layer, self.configuration, self.alu_load_bits)

    def mapspace(self, layer: Einsum) -> ParameterSpace:
        """Return tiles, threads and orders; raises Infeasible when no tile fits."""
        return self._spaces(layer)

    def _mapspace(self, layer: Einsum) -> ParameterSpace:
        c = self.configuration
        widths = {"Weights": c.wgt_width, "Inputs": c.inp_width, "Outputs": c.acc_width}
        refuse_wider(layer, self.name, {role: 1 << widths[role] for role in ROLES})
        work = self.work(layer)
        rules = tuple(Rule(why, partial(_holds, work, name)) for name, why in work.reasons.items())
        space = ParameterSpace(work.parameters, rules)
        self._refuse_if_nothing_fits(layer, work)
        return space

    def _refuse_if_nothing_fits(self, layer: Einsum, work: Work) -> None:
        takes = work.takes(work.smallest())
        over = {name: float(share[0]) for name, share in takes.items() if share[0] > 1}
        memories = {
            name: share for name, share in over.items() if name in self.configuration.depths
        }
        if memories:
            worst = max(memories, key=lambda name: memories[name])
            raise Infeasible(
                f"layer {layer.name!r} fits nowhere: its smallest tile takes {over[worst]:.2f} "
                f"times the {worst} memory",
                over,
                f"enlarge the {worst} memory",
            )

    def screen(self, layer: Einsum, rows: Rows) -> CostBatch:
        """Return which schedules, int64[n, d], can be run; all costs are infinite."""
        space, work = self.mapspace(layer), self.work(layer)
        columns = space.columns(rows)
        ratios = np.array([*work.takes(columns).values()])
        broken = ratios > 1
        reason = np.where(broken.any(axis=0), np.argmax(broken, axis=0) + 1, 0)
        excess = np.where(reason > 0, ratios[reason - 1, np.arange(len(rows))], 1.0)
        feasible = reason == 0
        energy, cycles = np.full((2, len(rows)), np.inf)
        reasons = ("feasible", *(rule.reason for rule in space.rules))
        return CostBatch(energy, cycles, feasible, reason, reasons, excess)

    def evaluate(self, layer: Einsum, rows: Rows) -> CostBatch:
        """Price schedules, int64[n, d]: the queues of each feasible one are simulated."""
        costs, work = self.screen(layer, rows), self.work(layer)
        fitting = self.mapspace(layer).columns(rows[costs.feasible])
        table = work.table(fitting)
        costs.cycles[costs.feasible] = work.cycles(table, self.memory_latency, self.slots)
        costs.energy_pj[costs.feasible] = self._energy(work, fitting, table)
        return costs

    def pricing_seconds(self, layer: Einsum, rows: Rows) -> FloatArray:
        """Return about how long the queues of each schedule are simulated; of some they are not."""
        work, run = self.work(layer), self.screen(layer, rows).feasible
        seconds = np.zeros(len(rows))
        table = work.table(self.mapspace(layer).columns(rows[run]))
        seconds[run] = work.events(table) * SECONDS_AN_EVENT
        return seconds

    def bounds(self, layer: Einsum, rows: Rows) -> tuple[FloatArray, FloatArray]:
        """Return the energy, exactly, and the cycles that the busiest queue or the port needs."""
        work = self.work(layer)
        columns = self.mapspace(layer).columns(rows)
        table = work.table(columns)
        least = work.least(table, self.memory_latency)
        return self._energy(work, columns, table), least.astype(np.float64)

    def floor(self, layer: Einsum) -> tuple[float, float]:
        """Return energy (pJ) and cycles that no schedule undercuts; loads of the ALU left out."""
        c, work = self.configuration, self.work(layer)
        if isinstance(work, GemmWork):
            return gemm_floor(c, self.prices, work.blocks, self.memory_latency)
        return _alu_floor(work, self.prices) if isinstance(work, AluWork) else (0.0, 0.0)

    def _energy(self, work: Work, columns: Mapping[str, np.ndarray], table: IntArray) -> FloatArray:
        parts = energies(self.configuration, self.prices, work.counts(columns, table))
        return np.asarray(added(parts.values()))

    def explain(self, layer: Einsum, row: Rows) -> Cost:
        """Return the breakdown of one schedule, int64[d]."""
        from cosearch_hardware.vta.breakdown import breakdown

        space, work = self.mapspace(layer), self.work(layer)
        broken = space.broken(row)
        if broken:
            raise Infeasible("not met: " + "; ".join(broken))
        columns = space.columns(row[None, :])
        return breakdown(work, self.prices, layer, columns, self.memory_latency, self.slots)


def _holds(work: Work, name: str, columns: Mapping[str, np.ndarray]) -> BoolArray:
    return np.asarray(work.takes(columns)[name] <= 1)


def _alu_floor(work: AluWork, prices: Prices) -> tuple[float, float]:
    """Return the energy of the lanes and the cycles of all rows, loads left out."""
    c, a = work.c, work.layer
    rows = a.rows * a.co * a.height.outputs * a.width.outputs
    taps = a.height.taps * a.width.taps
    done = rows * (taps * a.each_tap.instructions + a.finish.instructions)
    cycles = rows * (taps * row_cycles(c, a.each_tap) + row_cycles(c, a.finish))
    return done * c.lanes * prices.mac, float(cycles)


def _sketch(c: VtaConfiguration) -> tuple[str, ...]:
    kb = {name: size / 1024 for name, size in c.memory_bytes.items()}
    pace = "pipelined" if c.pipelined else "several cycles a micro-op"
    core = f"{1 << c.batch} x {1 << c.block_in} x {1 << c.block_out} = {c.macs} MACs, {pace}"
    does = "MIN MAX ADD SHR" + (" CLP MOV MUL" if c.multiplies else "")
    return (
        f"DRAM  one port of {c.bus_bytes} bytes a cycle",
        f"├── load queue     inp {kb['inp']:g} KB, wgt {kb['wgt']:g} KB",
        f"├── compute queue  uop {kb['uop']:g} KB, acc {kb['acc']:g} KB",
        f"│   ├── GEMM core  {core}",
        f"│   └── ALU        {c.lanes} lanes: {does}",
        f"└── store queue    out {kb['out']:g} KB",
    )
