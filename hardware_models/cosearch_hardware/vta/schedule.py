"""How long one task of a tile takes each queue: transfers over the port, micro-ops, ALU rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cosearch.typing import IntArray
from cosearch_hardware.vta.alu import AluLayer, AluTile, Operations, clips
from cosearch_hardware.vta.blocks import Blocks, Tile
from cosearch_hardware.vta.isa import VtaConfiguration

FILL = 6
"""Cycles to fill the GEMM and to drain the ALU pipeline (read in the Chisel sources)."""

UNPIPELINED = 4
"""Cycles a micro-op of the older GEMM core (`TensorGemmOrig.scala`: four states)."""

ALU_CYCLES = {True: (2, 1), False: (6, 5)}
"""A row of a tensor-tensor operation and of one with an immediate. The pipelined ALU reads source
and destination one after the other; the older one (`TensorAluOrig.scala`) goes through five states
a row, the last of them twice where the second operand comes from memory."""


def micro_op(c: VtaConfiguration) -> int:
    """Return the cycles of a micro-op of the GEMM core."""
    return 1 if c.pipelined else UNPIPELINED


def row_cycles(c: VtaConfiguration, operations: Operations) -> int:
    """Return the cycles that operations on one row of the ALU take."""
    tensor, immediate = ALU_CYCLES[c.pipelined]
    return operations.tensor * tensor + operations.immediate * immediate


def output_operations(c: VtaConfiguration) -> Operations:
    """Return what is done to a row of a GEMM's sums: bias, shift and clip."""
    return Operations(tensor=1, immediate=1 + clips(c))


def line(c: VtaConfiguration, elements: IntArray, element_bytes: int) -> IntArray:
    """Return the cycles of the port for a run of consecutive elements."""
    return -(-elements * element_bytes // c.bus_bytes)


def schedules(c: VtaConfiguration, b: Blocks, columns: Mapping[str, np.ndarray]) -> IntArray:
    """Return int64[n, 17], the fields of `pipeline.Schedule`, of n rows of a mapspace."""
    tile, finish = Tile.of(columns), output_operations(c)
    loops = tile.gemm_loops(b)
    uops = tile.threads * (loops.stored + 2)
    spatial = (
        (b.rows // tile.rows) * (b.height.outputs // tile.height) * (b.width.outputs // tile.width)
    )
    inputs = b.height.inputs(tile.height), b.width.inputs(tile.width)
    inp_lines, inp_run = _lines(b, tile.rows, tile.ci, *inputs)
    out_lines, out_run = _lines(b, tile.rows, tile.co, tile.height, tile.width)
    fields = {
        "spatial_tiles": spatial,
        "channel_tiles": b.co // tile.co,
        "reduction_tiles": b.ci // tile.ci,
        "spatial_inside": columns["inside"] == "spatial",
        "threads": tile.threads,
        "repeats": np.full_like(uops, b.groups),
        "inp_lines": inp_lines,
        "inp_line": line(c, inp_run, c.inp_bytes),
        "wgt_lines": tile.co,
        "wgt_line": line(c, tile.ci * b.height.taps * b.width.taps, c.wgt_bytes),
        "acc_line": line(c, tile.co, c.acc_bytes),
        "uop_line": line(c, uops, c.uop_bytes),
        "store_lines": out_lines,
        "store_line": line(c, out_run, c.out_bytes),
        "reset": tile.outputs * micro_op(c) + FILL,
        "gemm": loops.runs * micro_op(c) + FILL,
        "alu": tile.outputs * row_cycles(c, finish) + finish.instructions * FILL,
    }
    return _table(fields)


def alu_schedules(
    c: VtaConfiguration, a: AluLayer, columns: Mapping[str, np.ndarray], load_bytes: int
) -> IntArray:
    """Return int64[n, 12], the fields of `pipeline.AluSchedule`, of n rows of a mapspace.

    Args:
        c: the configuration.
        a: the layer in rows.
        columns: of the mapspace.
        load_bytes: bytes of an accumulator row in the outer memory.
    """
    tile = AluTile.of(columns)
    height, width = tile.pixels(a)
    tiles = (a.rows // tile.rows) * (a.co // tile.co)
    tiles = tiles * (a.height.outputs // tile.height) * (a.width.outputs // tile.width)
    taps, one = tile.step_taps(a), np.ones_like(tile.rows)
    fields = {
        "tiles": tiles,
        "steps": a.height.taps // tile.taps,
        "threads": tile.threads,
        "operands": one * a.operands,
        "load_lines": tile.rows * tile.co * height,
        "load_line": line(c, width, load_bytes),
        "parameter_line": line(c, one * tile.parameters(a), load_bytes),
        "uop_line": line(c, tile.entries(a)["uop"], c.uop_bytes),
        "store_lines": tile.rows * tile.co * tile.height,
        "store_line": line(c, tile.width, c.out_bytes),
        "step": tile.outputs * taps * row_cycles(c, a.each_tap) + a.each_tap.instructions * FILL,
        "finish": tile.outputs * row_cycles(c, a.finish) + a.finish.instructions * FILL,
    }
    return _table(fields)


def _table(fields: Mapping[str, IntArray]) -> IntArray:
    return np.stack([np.asarray(f, dtype=np.int64) for f in fields.values()], axis=1)


def _lines(
    b: Blocks, rows: IntArray, channels: IntArray, height: IntArray, width: IntArray
) -> tuple[IntArray, IntArray]:
    """Return how many runs of consecutive elements a tile of activations has, and their length.

    Blocks lie in memory as rows, channels, height, width; without a spatial axis a run goes on
    through the channels.
    """
    if b.height.outputs * b.width.outputs * b.height.taps * b.width.taps == 1:
        return rows, channels
    return rows * channels * height, width
