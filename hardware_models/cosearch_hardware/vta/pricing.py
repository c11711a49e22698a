"""What n schedules of a layer move and what that costs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import frozen

from cosearch.quantities import added
from cosearch.typing import FloatArray, IntArray
from cosearch_hardware.vta.alu import AluLayer, AluTile
from cosearch_hardware.vta.blocks import Blocks, Tile
from cosearch_hardware.vta.isa import VtaConfiguration
from cosearch_hardware.vta.schedule import output_operations


@frozen
class Prices:
    """Energy, pJ.

    Attributes:
        mac: of one multiply-accumulate, and of one operation of an ALU lane.
        inp, wgt, acc, out, uop: of one access of a memory's row.
        dram_byte: of one byte.
    """

    mac: float
    inp: float
    wgt: float
    acc: float
    out: float
    uop: float
    dram_byte: float


@frozen(eq=False)
class Counts:
    """What n schedules of one layer do, int64[n] each.

    Attributes:
        gemms: micro-ops run by the GEMM core.
        resets: accumulator rows that it clears.
        tensor, immediate: rows that the ALU works on, by the kind of operation.
        outputs: rows written to the output memory.
        moved: bytes to or from DRAM, by memory.
        passed: rows that these bytes fill or empty, by memory.
    """

    gemms: IntArray
    resets: IntArray
    tensor: IntArray
    immediate: IntArray
    outputs: IntArray
    moved: Mapping[str, IntArray]
    passed: Mapping[str, IntArray]


def count(
    c: VtaConfiguration, b: Blocks, columns: Mapping[str, np.ndarray], table: IntArray
) -> Counts:
    """Count what n schedules (columns of a mapspace, and their int64[n, 17]) do."""
    from cosearch_hardware.vta import pipeline

    s, tile = pipeline.columns(table), Tile.of(columns)
    inp, wgt = pipeline.fetches(table)
    tiles = s["spatial_tiles"] * s["channel_tiles"] * s["repeats"]
    entries = tile.entries(b)
    passed = {
        "inp": inp * (entries["inp"] // tile.threads),
        "wgt": wgt * (entries["wgt"] // tile.threads),
        "acc": tiles * tile.co,
        "out": tiles * tile.outputs,
        "uop": entries["uop"],
    }
    gemms = tiles * s["reduction_tiles"] * tile.gemm_loops(b).runs
    outputs = tiles * tile.outputs
    finish = output_operations(c)
    return Counts(
        gemms,
        outputs,
        outputs * finish.tensor,
        outputs * finish.immediate,
        outputs,
        {name: rows * c.row_bytes[name] for name, rows in passed.items()},
        passed,
    )


def alu_count(
    c: VtaConfiguration,
    a: AluLayer,
    columns: Mapping[str, np.ndarray],
    table: IntArray,
    load_bytes: int,
) -> Counts:
    """Count what n schedules (columns of a mapspace, and their int64[n, 12]) do on the ALU."""
    from cosearch_hardware.vta import pipeline

    s, tile = pipeline.alu_columns(table), AluTile.of(columns)
    loaded = s["steps"] * s["operands"] * tile.inputs(a) + tile.parameters(a)
    outputs, none = s["tiles"] * tile.outputs, np.zeros_like(tile.rows)
    passed = {
        "acc": s["tiles"] * loaded,
        "out": outputs,
        "uop": tile.entries(a)["uop"],
    }
    width = {"acc": load_bytes, "out": c.out_bytes, "uop": c.uop_bytes}
    taps = a.height.taps * a.width.taps

    def rows(each_tap: int, finish: int) -> IntArray:
        return outputs * (taps * each_tap + finish)

    return Counts(
        none,
        none,
        rows(a.each_tap.tensor, a.finish.tensor),
        rows(a.each_tap.immediate, a.finish.immediate),
        outputs,
        {name: n * width[name] for name, n in passed.items()},
        passed,
    )


def energies(c: VtaConfiguration, prices: Prices, counts: Counts) -> dict[str, FloatArray]:
    """Return the energy of each part of the machine, pJ, float64[n].

    A micro-op reads an input, a weight and an accumulator row and writes the accumulator; a reset
    writes it. An ALU operation reads one row, or two, and writes one. An output row is written once
    to the output memory. What is loaded or stored passes its memory once more.
    """
    gemms, outputs = counts.gemms.astype(np.float64), counts.outputs.astype(np.float64)
    none = np.zeros_like(gemms)
    passed = {name: counts.passed.get(name, none) for name in c.row_bytes}
    alu = counts.tensor + counts.immediate
    accumulated = 2 * gemms + counts.resets + 3 * counts.tensor + 2 * counts.immediate
    moved = added(counts.moved.values(), none)
    parts = {
        "GEMM core": gemms * c.macs * prices.mac,
        "ALU": alu * c.lanes * prices.mac,
        "inp memory": (gemms + passed["inp"]) * prices.inp,
        "wgt memory": (gemms + passed["wgt"]) * prices.wgt,
        "acc memory": (accumulated + passed["acc"]) * prices.acc,
        "out memory": (outputs + passed["out"]) * prices.out,
        "uop memory": (gemms + alu + passed["uop"]) * prices.uop,
        "DRAM": moved * prices.dram_byte,
    }
    return {name: np.asarray(pj, dtype=np.float64) for name, pj in parts.items()}
