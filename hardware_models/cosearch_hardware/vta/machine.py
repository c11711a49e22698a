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
from cosearch.search.parameters import Parameter, ParameterSpace, Rule
from cosearch.typing import BoolArray, FloatArray, IntArray, Rows
from cosearch.workload.einsum import Einsum
from cosearch_hardware.systolic.machine import divisors
from cosearch_hardware.vta.blocks import Blocks, Tile, blocks_of
from cosearch_hardware.vta.isa import LOOP_BITS, SIZE_BITS, VtaConfiguration
from cosearch_hardware.vta.pricing import Prices, count, energies
from cosearch_hardware.vta.schedule import UNPIPELINED, schedules


class VtaAccelerator(Accelerator):
    """A configuration with a memory and prices.

    A mapping is a tile in blocks, the number of virtual threads, and which loop over the tiles is
    inside. Its latency is that of the three instruction queues, simulated.

    Args:
        configuration: sizes.
        memory_latency: cycles before the first beat of a burst.
        prices: energies.
        area_mm2: of the machine; NaN where the source has no areas.
        clock_mhz: of the device.
        sources: where the numbers come from, by component.
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
    ) -> None:
        self.configuration, self.prices = configuration, prices
        self.memory_latency = memory_latency
        c = configuration
        self.name = f"vta {1 << c.batch}x{1 << c.block}x{1 << c.block}"
        self.area_mm2, self.clock_mhz, self.sources = area_mm2, clock_mhz, sources
        self.sketch = _sketch(configuration)
        self._spaces = lru_cache(maxsize=64)(self._mapspace)

    @property
    def key(self) -> str:
        """A digest of sizes, latency and energies."""
        text = repr((self.configuration, self.memory_latency, self.prices))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def mapspace(self, layer: Einsum) -> ParameterSpace:
        """Return tiles, threads and orders; raises Infeasible when no tile fits."""
        return self._spaces(layer)

    def _mapspace(self, layer: Einsum) -> ParameterSpace:
        b = blocks_of(layer, self.configuration)
        sizes = {
            "rows": b.rows,
            "co": b.co,
            "ci": b.ci,
            "height": b.height.outputs,
            "width": b.width.outputs,
        }
        tiles = [
            Parameter(f"tile_{name}", divisors(size), doc=f"{name} of one task")
            for name, size in sizes.items()
        ]
        threads = Parameter("threads", (1, 2), doc="virtual threads; two hide loads")
        order = Parameter("inside", ("spatial", "channels"), doc="the inner loop over tiles")
        rules = tuple(
            Rule(f"the {name} memory holds a tile for each thread", partial(self._fits, b, name))
            for name in ("inp", "wgt", "acc", "uop")
        )
        loops = Rule(f"loops count to 2^{LOOP_BITS}", partial(self._loops_fit, b))
        space = ParameterSpace((*tiles, threads, order), (*rules, loops))
        self._refuse_if_nothing_fits(layer, b)
        return space

    def _fits(self, b: Blocks, name: str, columns: Mapping[str, np.ndarray]) -> BoolArray:
        return np.asarray(self._use(b, columns)[name] <= 1)

    def _loops_fit(self, b: Blocks, columns: Mapping[str, np.ndarray]) -> BoolArray:
        return np.asarray(Tile.of(columns).gemm_loops(b)[2] < 1 << LOOP_BITS)

    def _use(self, b: Blocks, columns: Mapping[str, np.ndarray]) -> dict[str, FloatArray]:
        """Return the share of each memory that tiles take, float64[n]; over 1 does not fit."""
        depths = self.configuration.depths
        entries = Tile.of(columns).entries(b)
        limit = {name: min(depths[name], 1 << SIZE_BITS) for name in entries}
        return {name: used / limit[name] for name, used in entries.items()}

    def _refuse_if_nothing_fits(self, layer: Einsum, b: Blocks) -> None:
        one = np.array([1])
        least = {f"tile_{n}": one for n in ("rows", "co", "ci", "height", "width")}
        use = self._use(b, {**least, "threads": one})
        over = {name: float(share[0]) for name, share in use.items() if share[0] > 1}
        if over:
            worst = max(over, key=lambda name: over[name])
            raise Infeasible(
                f"layer {layer.name!r} fits nowhere: its smallest tile takes {over[worst]:.2f} "
                f"times the {worst} memory",
                over,
                f"enlarge the {worst} memory",
            )

    def evaluate(self, layer: Einsum, rows: Rows) -> CostBatch:
        """Price schedules, int64[n, d]: the queues of each feasible one are simulated."""
        from cosearch_hardware.vta.pipeline import latency

        space = self.mapspace(layer)
        b = blocks_of(layer, self.configuration)
        columns = space.columns(rows)
        loops = Tile.of(columns).gemm_loops(b)[2] / ((1 << LOOP_BITS) - 1)
        ratios = np.array([*self._use(b, columns).values(), loops])
        broken = ratios > 1
        reason = np.where(broken.any(axis=0), np.argmax(broken, axis=0) + 1, 0)
        excess = np.where(reason > 0, ratios[reason - 1, np.arange(len(rows))], 1.0)
        feasible = reason == 0
        energy, cycles = np.full((2, len(rows)), np.inf)
        fitting = {name: values[feasible] for name, values in columns.items()}
        table = schedules(self.configuration, self.memory_latency, b, fitting)
        cycles[feasible] = latency(table)
        energy[feasible] = self._energy(b, fitting, table)
        reasons = ("feasible", *(rule.reason for rule in space.rules))
        return CostBatch(energy, cycles, feasible, reason, reasons, excess)

    def bounds(self, layer: Einsum, rows: Rows) -> tuple[FloatArray, FloatArray]:
        """Return the energy, exactly, and the cycles that the busiest queue or the port needs."""
        from cosearch_hardware.vta.pipeline import bounds

        b = blocks_of(layer, self.configuration)
        columns = self.mapspace(layer).columns(rows)
        table = schedules(self.configuration, self.memory_latency, b, columns)
        return self._energy(b, columns, table), bounds(table).astype(np.float64)

    def floor(self, layer: Einsum) -> tuple[float, float]:
        """Return the multipliers' energy, and the cycles of a full core."""
        c = self.configuration
        slowest = 1 if c.pipelined else UNPIPELINED
        return layer.macs * self.prices.mac, layer.macs * slowest / c.macs

    def _energy(self, b: Blocks, columns: Mapping[str, np.ndarray], table: IntArray) -> FloatArray:
        c = self.configuration
        parts = energies(c, self.prices, count(c, b, columns, table))
        return np.asarray(sum(parts.values()))

    def explain(self, layer: Einsum, row: Rows) -> Cost:
        """Return the breakdown of one schedule, int64[d]."""
        from cosearch_hardware.vta.breakdown import breakdown

        space, b = self.mapspace(layer), blocks_of(layer, self.configuration)
        broken = space.broken(row)
        if broken:
            raise Infeasible("not met: " + "; ".join(broken))
        columns = space.columns(row[None, :])
        table = schedules(self.configuration, self.memory_latency, b, columns)
        use = {name: float(share[0]) for name, share in self._use(b, columns).items()}
        return breakdown(self.configuration, self.prices, layer, b, columns, table, use)


def _sketch(c: VtaConfiguration) -> tuple[str, ...]:
    kb = {name: size / 1024 for name, size in c.memory_bytes.items()}
    pace = "pipelined" if c.pipelined else "four cycles a micro-op"
    core = f"{1 << c.batch} x {1 << c.block} x {1 << c.block} = {c.macs} MACs, {pace}"
    return (
        f"DRAM  one port of {c.bus_bytes} bytes a cycle",
        f"├── load queue     inp {kb['inp']:g} KB, wgt {kb['wgt']:g} KB",
        f"├── compute queue  uop {kb['uop']:g} KB, acc {kb['acc']:g} KB",
        f"│   └── GEMM core  {core}",
        f"└── store queue    out {kb['out']:g} KB",
    )
