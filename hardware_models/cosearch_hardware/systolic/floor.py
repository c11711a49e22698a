"""What no tiling of a layer on the systolic array undercuts: each part at its least, on its own.

Tiles cut what lies along a side of the array into folds, never fewer than the whole would take;
so the words streamed, and the cycles, are at least those of the whole layer in one tile. Each word
passes DRAM once at least, and the array waits for the first tile and for the last.
"""

from __future__ import annotations

import math

import numpy as np

from cosearch.quantities import added
from cosearch.workload.einsum import Axis, Tensor
from cosearch_hardware.gemm_view import GemmView
from cosearch_hardware.systolic.folds import fold
from cosearch_hardware.systolic.pricing import REGISTERS_PER_MAC, Array, Prices

ROUNDING = 1e-9
"""Taken off, relative: the bound adds up in another order than a price does."""

EDGES = 2
"""Cycles that the first fetch and the last store take at least."""


def floor(
    array: Array, prices: Prices, view: GemmView, smallest: Array | None = None
) -> tuple[float, float]:
    """Return energy (pJ) and cycles that no tiling undercuts.

    Args:
        array: the machine; of many, each size the largest, and the dataflow of all.
        prices: its own; of many, each the least.
        view: the layer.
        smallest: of many, each size the smallest; the machine's own if left out.
    """
    small = smallest or array
    sizes = {group: np.array([view.size(group)]) for group in ("M", "N", "K")}
    folded = fold(array.dataflow, array.rows, array.cols, **sizes)
    filled = fold(array.dataflow, small.rows, small.cols, **sizes)
    of_a_fold = filled.cycles // (filled.folds_rows * filled.folds_cols)
    busy = folded.folds_rows * folded.folds_cols * of_a_fold
    each, outputs = view.size("B"), int(sizes["M"][0] * sizes["N"][0])
    streamed = {
        "Inputs": int(folded.input_reads[0]),
        "Weights": int(folded.weight_reads[0]),
        "Outputs": 2 * int(folded.output_writes[0]) - outputs,
    }
    bits = {t.role: least_words(view, t) * small.word_bits for t in view.layer.tensors}
    moved = added(bits.values())
    energy = view.layer.macs * (prices.mac + REGISTERS_PER_MAC * prices.register)
    energy += moved * prices.dram_bit
    for tensor in view.layer.tensors:
        role = tensor.role
        energy += (each * streamed[role] + bits[role] / array.bits(role)) * prices.word(role)
    cycles = max(float(busy[0] * each) + EDGES, moved / array.dram_bits_per_cycle)
    return energy * (1 - ROUNDING), cycles * (1 - ROUNDING)


def least_words(view: GemmView, tensor: Tensor) -> int:
    """Return the words of a tensor that all its tiles hold together at least.

    What the tiles along an axis hold is linear in how many they are, so it is least for the
    smallest tiles or for the whole. One word is all that is said of an axis that more than one
    dimension cuts, or that shares a dimension with another.
    """
    dims = [dim for axis in tensor.axes for dim, _ in axis.terms]
    if len(dims) > len(set(dims)):
        return 1
    return math.prod(_least_along(view, axis) for axis in tensor.axes)


def _least_along(view: GemmView, axis: Axis) -> int:
    bounds = view.layer.bounds
    whole = 1 + added(step * (bounds[dim] - 1) for dim, step in axis.terms)
    cut = [(dim, step) for dim, step in axis.terms if dim not in view.windows]
    if len(cut) != 1:
        return 1 if cut else whole
    dim, step = cut[0]
    each = whole - step * (bounds[dim] - 1)
    return min(whole, bounds[dim] * each)
