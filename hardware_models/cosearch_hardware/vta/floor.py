"""What no schedule of a layer on VTA's GEMM core undercuts.

Every micro-op is run and every output is reset, finished and stored, whatever the tile, so that
part of the energy is exact. What a tile needs is loaded once at least: every input pixel that some
output reads, every weight, and a row of biases. The busiest of the compute queue and the port
decides the cycles, as in `pipeline.bounds`.
"""

from __future__ import annotations

import numpy as np

from cosearch.quantities import added
from cosearch_hardware.vta.blocks import Blocks, Window
from cosearch_hardware.vta.isa import VtaConfiguration
from cosearch_hardware.vta.pricing import Counts, Prices, energies
from cosearch_hardware.vta.schedule import FILL, micro_op, output_operations, row_cycles

ROUNDING = 1e-9
"""Taken off, relative: the bound adds up in another order than a price does."""

MICRO_OPS = 3
"""Loaded at least: one of the layer's, and two that reset and finish."""


def gemm_floor(
    c: VtaConfiguration, prices: Prices, blocks: Blocks, delay: int
) -> tuple[float, float]:
    """Return energy (pJ) and cycles that no schedule undercuts.

    Args:
        c: the machine.
        prices: energies.
        blocks: the layer.
        delay: cycles until the memory serves a read.
    """
    least = _least(c, blocks)
    energy = added(float(pj[0]) for pj in energies(c, prices, least).values())
    return energy * (1 - ROUNDING), _cycles(c, blocks, least, delay)


def _least(c: VtaConfiguration, b: Blocks) -> Counts:
    """Return the least of everything that a schedule does, int64[1] each."""
    outputs = b.groups * b.rows * b.co * b.height.outputs * b.width.outputs
    taps = b.height.taps * b.width.taps
    passed = {
        "inp": b.groups * b.rows * b.ci * _pixels(b.height) * _pixels(b.width),
        "wgt": b.groups * b.co * b.ci * taps,
        "acc": b.groups * b.co,
        "out": outputs,
        "uop": MICRO_OPS,
    }
    rows = {name: np.array([n], dtype=np.int64) for name, n in passed.items()}
    finish, out = output_operations(c), rows["out"]
    return Counts(
        out * b.ci * taps,
        out,
        out * finish.tensor,
        out * finish.immediate,
        out,
        {name: n * c.row_bytes[name] for name, n in rows.items()},
        rows,
    )


def _pixels(window: Window) -> int:
    """Return the input pixels along an axis that tiles load at least: of one output each, or all.

    What all tiles load together is linear in how many they are.
    """
    each, whole = window.inputs(np.array([1, window.outputs]))
    return min(window.outputs * int(each), int(whole))


def _cycles(c: VtaConfiguration, b: Blocks, least: Counts, delay: int) -> float:
    finish = output_operations(c)
    outputs, gemms = int(least.outputs[0]), int(least.gemms[0])
    started = b.groups * (2 + finish.instructions) * FILL
    computing = (outputs + gemms) * micro_op(c) + outputs * row_cycles(c, finish) + started
    read = int(least.moved["acc"][0]) + int(least.moved["uop"][0])
    moved = added(int(n[0]) for n in least.moved.values())
    return float(max(computing + read // c.bus_bytes, moved // c.bus_bytes) + delay)
