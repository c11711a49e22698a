"""One schedule in full: energy by memory, traffic, what bounds it, and its loops."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cosearch.machine.cost import Cost, LevelCost, TensorCost
from cosearch.typing import IntArray
from cosearch.workload.einsum import Einsum
from cosearch_hardware.vta import pipeline
from cosearch_hardware.vta.blocks import Blocks
from cosearch_hardware.vta.isa import VtaConfiguration
from cosearch_hardware.vta.pricing import Prices, count, energies
from cosearch_hardware.vta.queues import Instruction, simulate

TENSOR = {"inp": "Inputs", "wgt": "Weights", "acc": "Bias", "out": "Outputs", "uop": "Micro-ops"}
"""What each memory's traffic with DRAM carries, in bytes."""


def breakdown(
    c: VtaConfiguration,
    prices: Prices,
    layer: Einsum,
    b: Blocks,
    columns: Mapping[str, np.ndarray],
    table: IntArray,
    use: Mapping[str, float],
) -> Cost:
    """Return the cost of one schedule.

    Args:
        c: the configuration.
        prices: energies.
        layer: what is computed.
        b: the layer in blocks.
        columns: one row of the mapspace, arrays of one.
        table: its schedule, int64[1, 17].
        use: share of each memory taken.
    """
    counts = count(c, b, columns, table)
    parts = {name: float(pj[0]) for name, pj in energies(c, prices, counts).items()}
    moved = {name: int(size[0]) for name, size in counts.moved.items()}
    cycles = float(simulated(table[0]))
    levels = [
        LevelCost(name, 0.0, pj, utilization=use.get(name.removesuffix(" memory")))
        for name, pj in parts.items()
        if name.endswith("memory")
    ]
    port = sum(moved.values()) / c.bus_bytes
    levels.append(LevelCost("DRAM", port, parts["DRAM"], tensors=_traffic(moved, prices)))
    return Cost(
        energy_pj=float(sum(parts.values())),
        cycles=cycles,
        macs=layer.macs,
        compute_pj=parts["GEMM core"],
        levels=tuple(levels),
        utilization=layer.macs / (cycles * c.macs),
        bound_by=_busiest(table),
        loops=_loops(b, columns),
    )


def simulated(row: IntArray) -> int:
    """Return the cycles of one schedule, int64[17], by the event-driven simulation of queues."""
    schedule = pipeline.Schedule(*(int(x) for x in row))
    program, length = pipeline.programs(schedule)
    load, compute, store = (
        [instruction(*(int(x) for x in fields)) for fields in program[queue, :count]]
        for queue, count in enumerate(length)
    )
    return simulate(load, compute, store, schedule.threads)


def instruction(cycles: int, lines: int, flags: int) -> Instruction:
    """Return the instruction that the pipeline writes as three numbers."""
    return Instruction(
        cycles,
        lines,
        pop_prev=bool(flags & pipeline.POP_PREV),
        pop_next=bool(flags & pipeline.POP_NEXT),
        push_prev=bool(flags & pipeline.PUSH_PREV),
        push_next=bool(flags & pipeline.PUSH_NEXT),
    )


def _traffic(moved: Mapping[str, int], prices: Prices) -> tuple[TensorCost, ...]:
    costs = []
    for name, size in moved.items():
        reads, updates = (0, size) if name == "out" else (size, 0)
        costs.append(TensorCost(TENSOR[name], 0, 1, reads, 0, updates, size * prices.dram_byte))
    return tuple(costs)


def _busiest(table: IntArray) -> str:
    s = {name: int(values[0]) for name, values in pipeline.columns(table).items()}
    inp, wgt = (int(n[0]) for n in pipeline.fetches(table))
    tiles = s["spatial_tiles"] * s["channel_tiles"] * s["repeats"]
    computing = tiles * (s["reset"] + s["alu"] + s["reduction_tiles"] * s["gemm"])
    loads = inp * s["inp_lines"] * s["inp_line"] + wgt * s["wgt_lines"] * s["wgt_line"]
    port = loads + tiles * (s["acc_line"] + s["store_lines"] * s["store_line"])
    return "compute" if computing >= port else "memory port"


def _loops(b: Blocks, columns: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    tile = {name: int(values[0]) for name, values in columns.items() if name != "inside"}
    spatial = [
        ("n", b.rows, "rows"),
        ("h", b.height.outputs, "height"),
        ("w", b.width.outputs, "width"),
    ]
    channels = [("co", b.co, "co")]
    inside = str(columns["inside"][0]) == "spatial"
    order = channels + spatial if inside else spatial + channels
    lines: list[str] = [f"for g in 0..{b.groups}"] if b.groups > 1 else []
    for letter, size, name in (*order, ("ci", b.ci, "ci")):
        steps = size // tile[f"tile_{name}"]
        if steps > 1:
            lines.append(f"{'  ' * len(lines)}for {letter} in 0..{steps}")
    inner = " ".join(f"{n.removeprefix('tile_')}={v}" for n, v in tile.items() if n != "threads")
    threads = f"{tile['threads']} virtual thread{'s' if tile['threads'] > 1 else ''}"
    return (*lines, f"{'  ' * len(lines)}task {inner}, {threads}")
