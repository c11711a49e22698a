"""How long one task of a tile takes each queue: transfers over the port, micro-ops, ALU rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cosearch.typing import IntArray
from cosearch_hardware.vta.blocks import Blocks, Tile
from cosearch_hardware.vta.isa import UOP_BYTES, VtaConfiguration

GEMM_FILL = 6
"""Cycles to fill the GEMM and ALU pipelines (read in the Chisel sources)."""

UNPIPELINED = 4
"""Cycles a micro-op of the older GEMM core."""

ALU_CYCLES = 5
"""A row: adding the bias tensor takes two; shifting and clipping, three immediates, one each."""

ALU_INSTRUCTIONS = 4
BURST_BEATS = 256


def schedules(
    c: VtaConfiguration, memory_latency: int, b: Blocks, columns: Mapping[str, np.ndarray]
) -> IntArray:
    """Return int64[n, 17], the fields of `pipeline.Schedule`, of n rows of a mapspace."""
    tile = Tile.of(columns)
    runs, stored, _ = tile.gemm_loops(b)
    uops = tile.threads * (stored + 2)
    micro_op = 1 if c.pipelined else UNPIPELINED
    spatial = (
        (b.rows // tile.rows) * (b.height.outputs // tile.height) * (b.width.outputs // tile.width)
    )

    def line(elements: IntArray, element_bytes: int) -> IntArray:
        beats = -(-elements * element_bytes // c.bus_bytes)
        return beats + -(-beats // BURST_BEATS) * memory_latency

    inp_lines, inp_run = _lines(
        b, tile.rows, tile.ci, b.height.inputs(tile.height), b.width.inputs(tile.width)
    )
    out_lines, out_run = _lines(b, tile.rows, tile.co, tile.height, tile.width)
    fields = {
        "spatial_tiles": spatial,
        "channel_tiles": b.co // tile.co,
        "reduction_tiles": b.ci // tile.ci,
        "spatial_inside": columns["inside"] == "spatial",
        "threads": tile.threads,
        "repeats": np.full_like(uops, b.groups),
        "inp_lines": inp_lines,
        "inp_line": line(inp_run, c.inp_bytes),
        "wgt_lines": tile.co,
        "wgt_line": line(tile.ci * b.height.taps * b.width.taps, c.wgt_bytes),
        "acc_line": line(tile.co, c.acc_bytes),
        "uop_line": line(uops, UOP_BYTES),
        "store_lines": out_lines,
        "store_line": line(out_run, c.out_bytes),
        "reset": tile.outputs * micro_op + GEMM_FILL,
        "gemm": runs * micro_op + GEMM_FILL,
        "alu": tile.outputs * ALU_CYCLES + ALU_INSTRUCTIONS * GEMM_FILL,
    }
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
