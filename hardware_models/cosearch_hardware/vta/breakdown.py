"""One schedule in full: energy by memory, traffic, what bounds it, and its loops."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cosearch.machine.cost import Cost, LevelCost, TensorCost
from cosearch.quantities import added
from cosearch.typing import IntArray
from cosearch.workload.einsum import Einsum
from cosearch_hardware.vta import pipeline
from cosearch_hardware.vta.alu import AluLayer
from cosearch_hardware.vta.blocks import Blocks
from cosearch_hardware.vta.port import Slots
from cosearch_hardware.vta.pricing import Prices, energies
from cosearch_hardware.vta.queues import Instruction, simulate, simulate_in_slots
from cosearch_hardware.vta.slots import run_in_slots
from cosearch_hardware.vta.work import AluWork, GemmWork, Work

TENSOR = {"inp": "Inputs", "wgt": "Weights", "acc": "Bias", "out": "Outputs", "uop": "Micro-ops"}
"""What each memory's traffic with DRAM carries, in bytes; on the ALU `acc` carries all operands."""

READABLE = 5_000_000
"""Instructions and lines up to which a schedule is simulated readably."""


def breakdown(
    work: Work,
    prices: Prices,
    layer: Einsum,
    columns: Mapping[str, np.ndarray],
    delay: int,
    slots: Slots | None = None,
) -> Cost:
    """Return the cost of one schedule.

    Args:
        work: the layer where it is run.
        prices: energies.
        layer: what is computed.
        columns: one row of the mapspace, arrays of one.
        delay: of the memory.
        slots: of its port; None serves who asks first.
    """
    c, table = work.c, work.table(columns)
    counts = work.counts(columns, table)
    parts = {name: float(pj[0]) for name, pj in energies(c, prices, counts).items()}
    moved = {name: int(size[0]) for name, size in counts.moved.items()}
    cycles = float(simulated(schedule_of(work, table[0]), delay, slots))
    use = {name: float(share[0]) for name, share in work.takes(columns).items()}
    levels = [LevelCost("ALU", 0.0, parts["ALU"])]
    levels += [
        LevelCost(name, 0.0, pj, utilization=use.get(name.removesuffix(" memory")))
        for name, pj in parts.items()
        if name.endswith("memory")
    ]
    port = added(moved.values()) / c.bus_bytes
    carried = TENSOR if isinstance(work, GemmWork) else {**TENSOR, "acc": "Operands"}
    levels.append(
        LevelCost("DRAM", port, parts["DRAM"], tensors=_traffic(moved, carried, prices.dram_byte))
    )
    return Cost(
        energy_pj=float(added(parts.values())),
        cycles=cycles,
        macs=layer.macs,
        compute_pj=parts["GEMM core"],
        levels=tuple(levels),
        utilization=layer.macs / (cycles * c.macs),
        bound_by=_busiest(work, table),
        loops=_loops(work, columns),
    )


def schedule_of(work: Work, row: IntArray) -> pipeline.Schedule | pipeline.AluSchedule:
    """Return a row of a work's table by its fields."""
    kind = pipeline.Schedule if isinstance(work, GemmWork) else pipeline.AluSchedule
    return kind(*(int(x) for x in row))


def simulated(
    schedule: pipeline.Schedule | pipeline.AluSchedule, delay: int, slots: Slots | None = None
) -> int:
    """Return the cycles of one schedule by the readable simulation of queues.

    It takes over a microsecond a line; where that is long, the compiled one is asked again.
    """
    if isinstance(schedule, pipeline.Schedule):
        program, length = pipeline.programs(schedule)
    else:
        program, length = pipeline.alu_programs(schedule)
    if length.sum() + program[:, :, 1].sum() > READABLE:
        return int(_compiled(program, length, schedule.threads, delay, slots))
    load, compute, store = (
        [instruction(*(int(x) for x in fields)) for fields in program[queue, :count]]
        for queue, count in enumerate(length)
    )
    if slots is None:
        return simulate(load, compute, store, schedule.threads, delay)
    owners = [int(queue) for queue in slots.owners]
    return simulate_in_slots((load, compute, store), schedule.threads, delay, owners, slots.cycles)


def _compiled(
    program: IntArray, length: IntArray, threads: int, delay: int, slots: Slots | None
) -> np.int64:
    if slots is None:
        return pipeline.run(program, length, threads, delay)
    return run_in_slots(program, length, threads, delay, slots.owners, slots.cycles)


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


def _traffic(
    moved: Mapping[str, int], carried: Mapping[str, str], pj_per_byte: float
) -> tuple[TensorCost, ...]:
    costs = []
    for name, size in moved.items():
        reads, updates = (0, size) if name == "out" else (size, 0)
        costs.append(TensorCost(carried[name], 0, 1, reads, 0, updates, size * pj_per_byte))
    return tuple(costs)


def _busiest(work: Work, table: IntArray) -> str:
    names = pipeline.columns if isinstance(work, GemmWork) else pipeline.alu_columns
    s = {name: int(values[0]) for name, values in names(table).items()}
    computing, port = _gemm_load(s, table) if isinstance(work, GemmWork) else _alu_load(s)
    return "compute" if computing >= port else "memory port"


def _gemm_load(s: Mapping[str, int], table: IntArray) -> tuple[int, int]:
    """Return the cycles that the core and the ALU, and the port, are busy."""
    inp, wgt = (int(n[0]) for n in pipeline.fetches(table))
    tiles = s["spatial_tiles"] * s["channel_tiles"] * s["repeats"]
    computing = tiles * (s["reset"] + s["alu"] + s["reduction_tiles"] * s["gemm"])
    loads = inp * s["inp_lines"] * s["inp_line"] + wgt * s["wgt_lines"] * s["wgt_line"]
    return computing, loads + tiles * (s["acc_line"] + s["store_lines"] * s["store_line"])


def _alu_load(s: Mapping[str, int]) -> tuple[int, int]:
    """Return the cycles that the ALU, and the port, are busy."""
    loads = s["steps"] * s["operands"] * s["load_lines"] * s["load_line"] + s["parameter_line"]
    computing = s["tiles"] * (s["steps"] * s["step"] + s["finish"])
    return computing, s["tiles"] * (loads + s["store_lines"] * s["store_line"])


def _loops(work: Work, columns: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    tile = {name: int(values[0]) for name, values in columns.items() if name != "inside"}
    if isinstance(work, GemmWork):
        axes = _gemm_axes(work.blocks, inside=str(columns["inside"][0]))
        lines = [f"for g in 0..{work.blocks.groups}"] if work.blocks.groups > 1 else []
        task = "task"
    else:
        axes = _alu_axes(work.layer) if isinstance(work, AluWork) else []
        lines, task = [], "ALU task"
    for letter, size, name in axes:
        steps = size // tile[f"tile_{name}"]
        if steps > 1:
            lines.append(f"{'  ' * len(lines)}for {letter} in 0..{steps}")
    inner = " ".join(f"{n.removeprefix('tile_')}={v}" for n, v in tile.items() if n != "threads")
    threads = f"{tile['threads']} virtual thread{'s' if tile['threads'] > 1 else ''}"
    return (*lines, f"{'  ' * len(lines)}{task} {inner}, {threads}")


def _gemm_axes(b: Blocks, *, inside: str) -> list[tuple[str, int, str]]:
    """Return letter, size and name of the loops over tiles, outermost first."""
    spatial = [
        ("n", b.rows, "rows"),
        ("h", b.height.outputs, "height"),
        ("w", b.width.outputs, "width"),
    ]
    channels = [("co", b.co, "co")]
    order = channels + spatial if inside == "spatial" else spatial + channels
    return [*order, ("ci", b.ci, "ci")]


def _alu_axes(a: AluLayer) -> list[tuple[str, int, str]]:
    """Return letter, size and name of the loops over tiles, outermost first."""
    return [
        ("co", a.co, "co"),
        ("n", a.rows, "rows"),
        ("h", a.height.outputs, "height"),
        ("w", a.width.outputs, "width"),
        ("kh", a.height.taps, "taps"),
    ]
