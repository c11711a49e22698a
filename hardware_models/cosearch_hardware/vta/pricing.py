"""What n schedules of a layer move and what that costs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import frozen

from cosearch.typing import FloatArray, IntArray
from cosearch_hardware.vta.blocks import Blocks, Tile
from cosearch_hardware.vta.isa import UOP_BYTES, VtaConfiguration
from cosearch_hardware.vta.schedule import ALU_INSTRUCTIONS


@frozen
class Prices:
    """Energy, pJ.

    Attributes:
        mac: of one multiply-accumulate.
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
    """Accesses of n schedules of one layer, int64[n] each.

    Attributes:
        gemms: micro-ops run by the GEMM core.
        outputs: accumulator rows written.
        moved: bytes to or from DRAM, by memory.
    """

    gemms: IntArray
    outputs: IntArray
    moved: Mapping[str, IntArray]


def count(
    c: VtaConfiguration, b: Blocks, columns: Mapping[str, np.ndarray], table: IntArray
) -> Counts:
    """Count what n schedules (columns of a mapspace, and their int64[n, 17]) do."""
    from cosearch_hardware.vta import pipeline

    s, tile = pipeline.columns(table), Tile.of(columns)
    inp, wgt = pipeline.fetches(table)
    tiles = s["spatial_tiles"] * s["channel_tiles"] * s["repeats"]
    entries = tile.entries(b)
    moved = {
        "inp": inp * (entries["inp"] // tile.threads) * c.inp_bytes,
        "wgt": wgt * (entries["wgt"] // tile.threads) * c.wgt_bytes,
        "acc": tiles * tile.co * c.acc_bytes,
        "out": tiles * tile.outputs * c.out_bytes,
        "uop": entries["uop"] * UOP_BYTES,
    }
    gemms = tiles * s["reduction_tiles"] * tile.gemm_loops(b)[0]
    return Counts(gemms, tiles * tile.outputs, moved)


def energies(c: VtaConfiguration, prices: Prices, counts: Counts) -> dict[str, FloatArray]:
    """Return the energy of each part of the machine, pJ, float64[n].

    A micro-op reads an input, a weight and an accumulator row and writes the accumulator. An
    output row is written once to reset it, read and written by each ALU instruction, and its bias
    is read. What is loaded or stored passes its memory once more.
    """
    widths = {
        "inp": c.inp_bytes,
        "wgt": c.wgt_bytes,
        "acc": c.acc_bytes,
        "out": c.out_bytes,
        "uop": UOP_BYTES,
    }
    rows = {name: counts.moved[name] / width for name, width in widths.items()}
    gemms, outputs = counts.gemms.astype(np.float64), counts.outputs.astype(np.float64)
    accumulated = 2 * gemms + (1 + 2 * ALU_INSTRUCTIONS + 1) * outputs
    moved = sum(counts.moved.values(), np.zeros_like(gemms))
    parts = {
        "GEMM core": gemms * c.macs * prices.mac,
        "inp memory": (gemms + rows["inp"]) * prices.inp,
        "wgt memory": (gemms + rows["wgt"]) * prices.wgt,
        "acc memory": (accumulated + rows["acc"]) * prices.acc,
        "out memory": (outputs + rows["out"]) * prices.out,
        "uop memory": (gemms + rows["uop"]) * prices.uop,
        "DRAM": moved * prices.dram_byte,
    }
    return {name: np.asarray(pj, dtype=np.float64) for name, pj in parts.items()}
