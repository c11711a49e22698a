"""How a layer is cut over arrays: what is counted and how long it takes, for many cuts at once.

A layer is `B` products of an M x K by a K x N matrix (`cosearch_hardware.gemm_view`); the K x N
weights lie in cells. An array holds a block of up to `rows` of K by as many of N as its columns
have room for, or (`packed`) several of the B matrices, each with rows and columns of its own. All
of it may stand `copies` times, so that as many of the M vectors are worked on at once.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import frozen

from cosearch.quantities import added
from cosearch.typing import FloatArray, IntArray
from cosearch_hardware.crossbar.chip import Chip
from cosearch_hardware.crossbar.pricing import Prices
from cosearch_hardware.gemm_view import GemmView


@frozen(eq=False)
class Cut:
    """Counts of a layer cut in n ways; int64[n] each.

    Attributes:
        arrays: that hold weights, all copies.
        passes: rounds of programming; 1 where all weights fit.
        load, compute, store: cycles of the three stages of one vector.
        vectors: that one copy works on.
        conversions, drives, cells: of the whole layer.
        fed_bits: to the arrays, each its own.
        partial_bits: partial sums that leave their array.
        written: cells programmed.
        rows: in use of the fullest array.
    """

    arrays: IntArray
    passes: IntArray
    load: IntArray
    compute: IntArray
    store: IntArray
    vectors: IntArray
    conversions: IntArray
    drives: IntArray
    cells: IntArray
    fed_bits: IntArray
    partial_bits: IntArray
    written: IntArray
    rows: IntArray

    def cycles(self, chip: Chip, *, streamed: bool) -> FloatArray:
        """Return the cycles, float64[n]: a pipeline of three stages, once a pass.

        Args:
            chip: its sizes.
            streamed: whether the weights are programmed first.
        """
        slowest = np.maximum(np.maximum(self.load, self.compute), self.store)
        run = self.load + self.compute + self.store + (self.vectors - 1) * slowest
        programming = self.rows * chip.write if streamed else 0
        return np.asarray(self.passes * (programming + run), dtype=np.float64)


def ceil_div(a: IntArray | int, b: IntArray | int) -> IntArray:
    """Return a / b rounded up."""
    return np.asarray(-(-np.asarray(a) // b))


def cut(chip: Chip, view: GemmView, columns: Mapping[str, np.ndarray]) -> Cut:
    """Return the counts of cuts.

    Args:
        chip: sizes.
        view: the layer.
        columns: `active_rows`, `copies` and `packed`, int64[n] each.
    """
    B, M, N, K = (view.size(g) for g in ("B", "M", "N", "K"))
    active, copies, packed = (columns[c] for c in ("active_rows", "copies", "packed"))
    wide = min(N, max(chip.cols // chip.slices, 1))
    across = -(-N // wide)
    alone = packed == 1
    blocks = np.where(alone, -(-K // chip.rows), ceil_div(B, packed))
    full = np.where(alone, min(K, chip.rows), packed * K)
    last = np.where(alone, K - (-(-K // chip.rows) - 1) * chip.rows, 0)
    last_packed = B - (blocks - 1) * packed
    last = np.where(alone, last, last_packed * K)
    full_reads, last_reads = ceil_div(full, active), ceil_div(last, active)
    outputs = np.where(alone, wide, packed * N)
    widest = outputs * chip.slices + chip.extra
    arrays = np.where(alone, blocks * across * B, blocks) * copies
    in_row = np.where(alone, B * (N * chip.slices + across * chip.extra), widest)
    in_last = np.where(alone, in_row, last_packed * N * chip.slices + chip.extra)
    reads = (blocks - 1) * full_reads * in_row + last_reads * in_last
    row_blocks = np.where(alone, blocks, 1)
    sum_bits = np.where(row_blocks > 1, sums_bits(chip, K), chip.input_bits)
    shared = chip.arrays_per_tile
    return Cut(
        arrays=arrays,
        passes=ceil_div(arrays, chip.arrays),
        load=ceil_div(full * chip.input_bits * shared, chip.bus_bits),
        compute=chip.steps * full_reads * np.maximum(chip.settle, ceil_div(widest, chip.adcs)),
        store=ceil_div(outputs * sum_bits * shared, chip.bus_bits),
        vectors=ceil_div(M, copies),
        conversions=M * chip.steps * reads,
        drives=M * chip.steps * K * B * np.where(alone, across, 1),
        cells=M * chip.steps * _cells_driven(chip, view, across, blocks, packed),
        fed_bits=M * K * B * chip.input_bits * np.where(alone, across, 1),
        partial_bits=M * N * B * (row_blocks - 1) * sums_bits(chip, K),
        written=K * N * B * chip.slices * copies,
        rows=full,
    )


def _cells_driven(
    chip: Chip, view: GemmView, across: int, blocks: IntArray, packed: IntArray
) -> IntArray:
    """Return the cells that one step of one vector of all matrices drives, int64[n].

    A row drives every column of its array, those of its packed neighbours too.
    """
    B, N, K = (view.size(g) for g in ("B", "N", "K"))
    last = B - (blocks - 1) * packed
    shared = (blocks - 1) * packed * _columns(chip, packed * N) + last * _columns(chip, last * N)
    alone = B * (N * chip.slices + across * chip.extra)
    return np.asarray(K * np.where(packed == 1, alone, shared))


def _columns(chip: Chip, outputs: IntArray) -> IntArray:
    return np.asarray(outputs * chip.slices + chip.extra)


def sums_bits(chip: Chip, K: int) -> int:
    """Return the bits of a sum of K products."""
    return chip.input_bits + chip.weight_bits + (K - 1).bit_length()


def energy(chip: Chip, price: Prices, view: GemmView, of: Cut, *, streamed: bool) -> FloatArray:
    """Return the energy of cuts, pJ, float64[n]."""
    return np.asarray(added(parts(chip, price, view, of, streamed=streamed).values()))


def parts(
    chip: Chip, price: Prices, view: GemmView, of: Cut, *, streamed: bool
) -> dict[str, FloatArray]:
    """Return the energy of each part of the chip, pJ, float64[n], in the order of addition."""
    layer = view.layer
    result_bits = layer.words(layer.output) * chip.input_bits
    network_bits = added(layer.words(t) for t in layer.tensors if t.role != "Weights")
    spent = {
        "arrays": of.cells * price.cell,
        "drivers": of.drives * price.drive,
        "converters": of.conversions * price.convert,
        "eDRAM": (of.fed_bits + result_bits) * price.memory,
        "bus": (of.fed_bits + of.partial_bits + result_bits) * price.bus,
        "network": network_bits * chip.input_bits * price.router * np.ones(len(of.arrays)),
    }
    if streamed:
        spent["programming"] = of.written * price.write
    return {name: np.asarray(value, dtype=np.float64) for name, value in spent.items()}
