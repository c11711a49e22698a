"""The two kinds of work that VTA does, behind one face: on the GEMM core, or on the ALU."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from cosearch.search.parameters import Parameter
from cosearch.typing import FloatArray, IntArray
from cosearch.workload.einsum import Einsum
from cosearch_hardware.systolic.machine import divisors
from cosearch_hardware.vta.alu import AluTile, alu_layer, on_alu
from cosearch_hardware.vta.blocks import Tile, blocks_of
from cosearch_hardware.vta.isa import LOOP_BITS, SIZE_BITS, VtaConfiguration
from cosearch_hardware.vta.port import Slots
from cosearch_hardware.vta.pricing import Counts, alu_count, count
from cosearch_hardware.vta.schedule import alu_schedules, schedules

Columns = Mapping[str, np.ndarray]


class Work(ABC):
    """A layer on a configuration: its tiles, what they take, and the instructions they become.

    Attributes:
        sizes: of the axes that tiles cut, by name.
        orders: which loop over tiles may be inside; empty where only one order is run.
        reasons: what each of `takes` is a share of.
    """

    sizes: dict[str, int]
    orders: ClassVar[tuple[str, ...]] = ()
    reasons: ClassVar[dict[str, str]]

    def __init__(self, configuration: VtaConfiguration) -> None:
        self.c = configuration

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The choices of a mapping."""
        tiles = [
            Parameter(f"tile_{name}", divisors(size), doc=f"{name} of one task")
            for name, size in self.sizes.items()
        ]
        threads = Parameter("threads", (1, 2), doc="virtual threads; two hide loads")
        if not self.orders:
            return (*tiles, threads)
        order = Parameter("inside", self.orders, doc="the inner loop over tiles")
        return (*tiles, threads, order)

    def smallest(self) -> Columns:
        """Return the columns of the smallest tile."""
        one = np.array([1])
        return {**{f"tile_{name}": one for name in self.sizes}, "threads": one}

    def takes(self, columns: Columns) -> dict[str, FloatArray]:
        """Return the share of each limit that tiles take, float64[n]; over 1 cannot be run."""
        room = self.room(self.c)
        return {name: n / room[name] for name, n in self.needs(columns).items()}

    @abstractmethod
    def needs(self, columns: Columns) -> dict[str, IntArray]:
        """Return what tiles need of each limit, int64[n], whatever the sizes of memories."""

    @classmethod
    @abstractmethod
    def room(cls, c: VtaConfiguration) -> dict[str, int]:
        """Return what a configuration has of each limit."""

    @abstractmethod
    def table(self, columns: Columns) -> IntArray:
        """Return the schedules of tiles, a row each."""

    @abstractmethod
    def cycles(self, table: IntArray, delay: int, slots: Slots | None = None) -> IntArray:
        """Return the simulated cycles of schedules, int64[n]; without slots on demand."""

    @abstractmethod
    def events(self, table: IntArray) -> IntArray:
        """Return how many instructions and lines schedules have, int64[n]."""

    @abstractmethod
    def least(self, table: IntArray, delay: int) -> IntArray:
        """Return cycles that no run of schedules can stay below, int64[n]."""

    @abstractmethod
    def counts(self, columns: Columns, table: IntArray) -> Counts:
        """Return what schedules do."""


def memories(c: VtaConfiguration) -> dict[str, int]:
    """Return the entries of each memory that one instruction reaches."""
    return {name: min(depth, 1 << SIZE_BITS) for name, depth in c.depths.items()}


class GemmWork(Work):
    """A convolution or matrix product on the GEMM core."""

    orders = ("spatial", "channels")
    reasons: ClassVar[dict[str, str]] = {
        **{m: f"the {m} memory holds a tile for each thread" for m in ("inp", "wgt", "acc", "uop")},
        "loops": f"loops count to 2^{LOOP_BITS}",
        **{f"{m} stride": f"{m} strides fit their fields" for m in ("acc", "inp", "wgt")},
    }

    def __init__(self, layer: Einsum, configuration: VtaConfiguration) -> None:
        super().__init__(configuration)
        self.blocks = b = blocks_of(layer, configuration)
        self.sizes = {
            "rows": b.rows,
            "co": b.co,
            "ci": b.ci,
            "height": b.height.outputs,
            "width": b.width.outputs,
        }

    def needs(self, columns: Columns) -> dict[str, IntArray]:
        """Return what tiles need of each limit, int64[n], whatever the sizes of memories."""
        tile = Tile.of(columns)
        loops = tile.gemm_loops(self.blocks)
        return {
            **tile.entries(self.blocks),
            "loops": loops.longest,
            **{f"{name} stride": n + 1 for name, n in loops.strides.items()},
        }

    @classmethod
    def room(cls, c: VtaConfiguration) -> dict[str, int]:
        """Return what a configuration has of each limit."""
        strides = {f"{name} stride": n for name, n in c.strides.items()}
        return {**memories(c), "loops": (1 << LOOP_BITS) - 1, **strides}

    def table(self, columns: Columns) -> IntArray:
        """Return the schedules of tiles, int64[n, 17]."""
        return schedules(self.c, self.blocks, columns)

    def cycles(self, table: IntArray, delay: int, slots: Slots | None = None) -> IntArray:
        """Return the simulated cycles of schedules, int64[n]; without slots on demand."""
        from cosearch_hardware.vta import pipeline

        rows = np.ascontiguousarray(table)
        if slots is None:
            return np.asarray(pipeline.latency(rows, delay))
        from cosearch_hardware.vta import slots as in_slots

        return np.asarray(in_slots.latency(rows, delay, slots.owners, slots.cycles))

    def events(self, table: IntArray) -> IntArray:
        """Return how many instructions and lines schedules have, int64[n]."""
        from cosearch_hardware.vta import pipeline

        s, (inp, wgt) = pipeline.columns(table), pipeline.fetches(table)
        tiles = s["spatial_tiles"] * s["channel_tiles"] * s["repeats"]
        lines = inp * s["inp_lines"] + wgt * s["wgt_lines"] + tiles * s["store_lines"]
        return np.asarray(tiles * (4 + s["reduction_tiles"]) + inp + wgt + lines)

    def least(self, table: IntArray, delay: int) -> IntArray:
        """Return the cycles of the busiest queue, or the port, int64[n]."""
        from cosearch_hardware.vta.pipeline import bounds

        return bounds(table, delay)

    def counts(self, columns: Columns, table: IntArray) -> Counts:
        """Return what schedules do."""
        return count(self.c, self.blocks, columns, table)


class AluWork(Work):
    """A depthwise convolution, pooling, addition or product of numbers on the ALU.

    Args:
        layer: the einsum.
        configuration: sizes.
        load_bits: of a number in the outer memory.
    """

    reasons: ClassVar[dict[str, str]] = {
        **{m: f"the {m} memory holds a tile for each thread" for m in ("acc", "uop")},
        "loops": f"loops count to 2^{LOOP_BITS}",
        "destination stride": "accumulator strides fit their fields",
        "source stride": "the strides of what is read fit their fields",
    }

    def __init__(self, layer: Einsum, configuration: VtaConfiguration, load_bits: int) -> None:
        super().__init__(configuration)
        self.layer = a = alu_layer(layer, configuration)
        self.load_bytes = configuration.lanes * load_bits // 8
        self.sizes = {
            "rows": a.rows,
            "co": a.co,
            "height": a.height.outputs,
            "width": a.width.outputs,
            "taps": a.height.taps,
        }

    def needs(self, columns: Columns) -> dict[str, IntArray]:
        """Return what tiles need of each limit, int64[n], whatever the sizes of memories."""
        tile = AluTile.of(columns)
        loops = tile.loops(self.layer)
        return {
            **tile.entries(self.layer),
            "loops": loops.longest,
            **{f"{name} stride": n + 1 for name, n in loops.strides.items()},
        }

    @classmethod
    def room(cls, c: VtaConfiguration) -> dict[str, int]:
        """Return what a configuration has; intel's source fields have the input memory's width."""
        source = c.strides["inp" if c.stack == "intel" else "acc"]
        strides = {"destination stride": c.strides["acc"], "source stride": source}
        return {**memories(c), "loops": (1 << LOOP_BITS) - 1, **strides}

    def table(self, columns: Columns) -> IntArray:
        """Return the schedules of tiles, int64[n, 12]."""
        return alu_schedules(self.c, self.layer, columns, self.load_bytes)

    def cycles(self, table: IntArray, delay: int, slots: Slots | None = None) -> IntArray:
        """Return the simulated cycles of schedules, int64[n]; without slots on demand."""
        from cosearch_hardware.vta import pipeline

        rows = np.ascontiguousarray(table)
        if slots is None:
            return np.asarray(pipeline.alu_latency(rows, delay))
        from cosearch_hardware.vta import slots as in_slots

        return np.asarray(in_slots.alu_latency(rows, delay, slots.owners, slots.cycles))

    def events(self, table: IntArray) -> IntArray:
        """Return how many instructions and lines schedules have, int64[n]."""
        from cosearch_hardware.vta import pipeline

        s = pipeline.alu_columns(table)
        loads = s["operands"] * (s["load_lines"] + 1) + 1
        return np.asarray(s["tiles"] * (s["steps"] * loads + s["store_lines"] + 3))

    def least(self, table: IntArray, delay: int) -> IntArray:
        """Return the cycles of the compute queue, or the port, int64[n]."""
        from cosearch_hardware.vta.pipeline import alu_bounds

        return alu_bounds(table, delay)

    def counts(self, columns: Columns, table: IntArray) -> Counts:
        """Return what schedules do."""
        return alu_count(self.c, self.layer, columns, table, self.load_bytes)


def work_of(layer: Einsum, configuration: VtaConfiguration, load_bits: int) -> Work:
    """Return a layer where it is run; raises Infeasible for one that is run nowhere."""
    if on_alu(layer, configuration):
        return AluWork(layer, configuration, load_bits)
    return GemmWork(layer, configuration)
