"""What n tilings of one layer cost: accesses, energy and cycles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import frozen

from cosearch.quantities import added
from cosearch.typing import FloatArray, IntArray
from cosearch.workload.einsum import Tensor
from cosearch_hardware.gemm_view import GROUPS, GemmView, Group
from cosearch_hardware.systolic.folds import Dataflow, Folded, fold
from cosearch_hardware.systolic.tiling import Tiles, Traffic, traffic

REGISTERS_PER_MAC = 3
"""A cell reads the operand that stands still and writes the two that it passes on."""


@frozen
class Prices:
    """Energy of one access, pJ.

    Attributes:
        mac, register: of one multiply-accumulate, and of one register access.
        input_word, weight_word, output_word: of one word of the three memories.
        dram_bit: of one bit.
    """

    mac: float
    register: float
    input_word: float
    weight_word: float
    output_word: float
    dram_bit: float

    def word(self, role: str) -> float:
        """Return the energy of one word of the memory that holds a role."""
        by_role = {
            "Inputs": self.input_word,
            "Weights": self.weight_word,
            "Outputs": self.output_word,
        }
        return by_role[role]


@frozen
class Array:
    """The machine's sizes.

    Attributes:
        rows, cols: multipliers.
        dataflow: which operand stands still.
        input_kb, weight_kb, output_kb: of the three memories; half of each is in use while the
            other half is filled or emptied.
        word_bits: of inputs, weights and results.
        accumulator_bits: of partial sums.
        dram_bits_per_cycle: bandwidth.
    """

    rows: int
    cols: int
    dataflow: Dataflow
    input_kb: int
    weight_kb: int
    output_kb: int
    word_bits: int
    accumulator_bits: int
    dram_bits_per_cycle: float

    def half(self, role: str) -> int:
        """Return the bits that one tile of a tensor may take."""
        kb = {"Inputs": self.input_kb, "Weights": self.weight_kb, "Outputs": self.output_kb}[role]
        return kb * 8192 // 2

    def bits(self, role: str) -> int:
        """Return the bits of one word while a tile is in use."""
        return self.accumulator_bits if role == "Outputs" else self.word_bits


@frozen(eq=False)
class Priced:
    """Costs of n tilings of one layer; every field is an array[n] or made of them.

    Attributes:
        traffic: with DRAM, and the cycles.
        streamed: words between each memory and the array, by role; outputs are written and, to be
            added to, read.
        moved_bits: between each memory and DRAM, by role.
        array_pj: multipliers and registers.
        energy_pj: of everything.
    """

    traffic: Traffic
    streamed: Mapping[str, FloatArray]
    moved_bits: Mapping[str, FloatArray]
    array_pj: float
    energy_pj: FloatArray

    def sram_words(self, array: Array, role: str) -> FloatArray:
        """Return every access of a memory, float64[n]."""
        return self.streamed[role] + self.moved_bits[role] / array.bits(role)


def price(
    array: Array,
    prices: Prices,
    view: GemmView,
    tile: Mapping[str, IntArray],
    order: tuple[Group, ...],
) -> Priced:
    """Price n tilings (dimension to int64[n]) that share one loop order (one of ORDERS)."""
    layer = view.layer
    inside, counts = _group_sizes(view, tile)
    folded = fold(array.dataflow, array.rows, array.cols, inside["M"], inside["N"], inside["K"])
    words = {t.role: footprint(t, tile) for t in layer.tensors}
    tiles = Tiles(
        counts=counts,
        input_bits=words["Inputs"] * array.word_bits,
        weight_bits=words["Weights"] * array.word_bits,
        partial_bits=words["Outputs"] * array.accumulator_bits,
        final_bits=words["Outputs"] * array.word_bits,
        compute=folded.cycles * inside["B"],
    )
    moved = traffic(tiles, order, array.dram_bits_per_cycle)
    bits = {"Inputs": moved.input_bits, "Weights": moved.weight_bits, "Outputs": moved.output_bits}
    streamed = _streamed(folded, inside, counts)
    array_pj = layer.macs * (prices.mac + REGISTERS_PER_MAC * prices.register)
    energy = array_pj + added(bits.values()) * prices.dram_bit
    for role, words_moved in streamed.items():
        energy = energy + (words_moved + bits[role] / array.bits(role)) * prices.word(role)
    return Priced(moved, streamed, bits, array_pj, np.asarray(energy))


def _group_sizes(
    view: GemmView, tile: Mapping[str, IntArray]
) -> tuple[dict[Group, IntArray], dict[Group, IntArray]]:
    """Return the size of each group inside a tile, and the number of tiles along it."""
    one = np.ones_like(next(iter(tile.values())))
    inside: dict[Group, IntArray] = dict.fromkeys(GROUPS, one)
    counts: dict[Group, IntArray] = dict.fromkeys(GROUPS, one)
    for dim, size, group in zip(view.layer.dims, view.layer.sizes, view.groups, strict=True):
        inside[group] = inside[group] * tile[dim]
        counts[group] = counts[group] * (size // tile[dim])
    return inside, counts


def _streamed(
    folded: Folded, inside: Mapping[Group, IntArray], counts: Mapping[Group, IntArray]
) -> dict[str, FloatArray]:
    """Return the words between the memories and the array over the whole layer, by role.

    Every output write but the first of all adds to a partial sum that is read for it. SCALE-Sim
    counts the writes only.
    """
    visits = counts["M"] * counts["N"] * counts["K"] * counts["B"] * inside["B"]
    outputs = inside["M"] * inside["N"]
    fresh = counts["M"] * counts["N"] * counts["B"] * inside["B"] * outputs
    writes = visits * folded.output_writes
    return {
        "Inputs": (visits * folded.input_reads).astype(np.float64),
        "Weights": (visits * folded.weight_reads).astype(np.float64),
        "Outputs": (2 * writes - fresh).astype(np.float64),
    }


def footprint(tensor: Tensor, tile: Mapping[str, IntArray]) -> IntArray:
    """Return int64[n]: the words of a tensor's box, for n tiles (dimension to int64[n])."""
    words: IntArray = np.ones(1, dtype=np.int64)
    for axis in tensor.axes:
        words = words * (1 + added((c * (tile[dim] - 1) for dim, c in axis.terms), np.int64(0)))
    return words
