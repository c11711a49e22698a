"""Off-chip traffic and stalls of a multiplication cut into tiles, double buffered.

Three memories (inputs, weights, outputs) each hold one tile in use and one on its way. Tiles are
visited by three nested loops over the groups M, N and K of `gemm_view`, with B outermost. Between
two tiles (a *tick*) the operands that differ are fetched, the outputs that differ are stored and,
when they were visited before, the partial sums of the next tile are fetched; all of that overlaps
one tile's computing. A tick therefore costs the larger of the two:

    cycles = first fetch + sum over ticks of max(compute, words / bandwidth) + compute + last store

Overlapping input windows of neighbouring tiles are fetched again. Ticks fall into at most nine
kinds (which loop steps, and whether its output is a fresh, a middle or a final partial sum), so the
sum is a closed form; `tests` walk the tiles one by one against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np
from attrs import frozen

from cosearch.typing import FloatArray, IntArray
from cosearch_hardware.gemm_view import Group

ORDERS: tuple[tuple[Group, ...], ...] = tuple(permutations(("M", "N", "K")))
"""Loop orders of the tiles, inner to outer; B is always outermost."""

_MOVES: dict[Group, tuple[bool, bool, bool]] = {
    "M": (True, False, True),
    "N": (False, True, True),
    "K": (True, True, False),
    "B": (True, True, True),
}
"""Whether a group moves the inputs, the weights, the outputs."""


@frozen(eq=False)
class Tiles:
    """n ways of cutting one multiplication; every field is an array[n].

    Attributes:
        counts: tiles along each group.
        input_bits, weight_bits: of one tile.
        partial_bits, final_bits: of one output tile as partial sums, and as results.
        compute: cycles of one tile.
    """

    counts: dict[Group, IntArray]
    input_bits: IntArray
    weight_bits: IntArray
    partial_bits: IntArray
    final_bits: IntArray
    compute: IntArray


@frozen(eq=False)
class Traffic:
    """What n tilings cost; every field is an array[n].

    Attributes:
        input_bits, weight_bits, output_bits: moved to or from DRAM over the whole layer.
        cycles: including stalls.
        stalls: cycles in which the array waits.
    """

    input_bits: FloatArray
    weight_bits: FloatArray
    output_bits: FloatArray
    cycles: FloatArray
    stalls: FloatArray


@frozen(eq=False)
class _Tick:
    """Ticks of one kind: how many there are, and the bits that each moves."""

    times: FloatArray
    inputs: FloatArray
    weights: FloatArray
    outputs: FloatArray


def traffic(tiles: Tiles, order: tuple[Group, ...], bits_per_cycle: float) -> Traffic:
    """Price n tilings that share one loop order (one of ORDERS)."""
    compute = tiles.compute.astype(np.float64)
    first = (tiles.input_bits + tiles.weight_bits) / bits_per_cycle
    last = tiles.final_bits / bits_per_cycle
    inputs = tiles.input_bits.astype(np.float64)
    weights = tiles.weight_bits.astype(np.float64)
    outputs = tiles.final_bits.astype(np.float64)
    cycles = np.ceil(first) + compute + np.ceil(last)
    busy = compute.copy()
    for tick in _ticks(tiles, order):
        moved = tick.inputs + tick.weights + tick.outputs
        inputs += tick.times * tick.inputs
        weights += tick.times * tick.weights
        outputs += tick.times * tick.outputs
        cycles += tick.times * np.maximum(compute, np.ceil(moved / bits_per_cycle))
        busy += tick.times * compute
    return Traffic(inputs, weights, outputs, cycles, cycles - busy)


def _ticks(tiles: Tiles, order: tuple[Group, ...]) -> Iterator[_Tick]:
    """Yield the kinds of ticks: loop j of the nest steps and every loop inside it starts again."""
    nest: tuple[Group, ...] = (*order, "B")
    steps_k = tiles.counts["K"].astype(np.float64)
    for j in range(len(nest)):
        counts = [tiles.counts[g].astype(np.float64) for g in nest]
        times = (counts[j] - 1) * np.prod(counts[j + 1 :], axis=0) * np.ones_like(steps_k)
        moved = [tiles.counts[g] > 1 for g in nest[: j + 1]]
        changes = [
            np.any([m & _MOVES[g][t] for m, g in zip(moved, nest, strict=False)], axis=0)
            for t in range(3)
        ]
        inputs = np.where(changes[0], tiles.input_bits, 0)
        weights = np.where(changes[1], tiles.weight_bits, 0)
        for share, stored, fetched in _output_kinds(nest.index("K") - j, steps_k):
            held = np.where(stored, tiles.final_bits, tiles.partial_bits)
            back = np.where(fetched, tiles.partial_bits, 0)
            outputs = np.where(changes[2], held + back, 0)
            yield _Tick(times * share, inputs, weights, outputs)


def _output_kinds(
    k_outside: int, steps: FloatArray
) -> Iterator[tuple[FloatArray, np.ndarray, np.ndarray]]:
    """Yield (share of the ticks, whether results are stored, whether partial sums are fetched).

    Args:
        k_outside: how many loops the K loop is outside of the one that steps (negative: inside).
        steps: float64[n], bound of the K loop.
    """
    yes, no = np.ones(len(steps), dtype=bool), np.zeros(len(steps), dtype=bool)
    if k_outside < 0:
        yield np.ones_like(steps), yes, no
    elif k_outside == 0:
        yield np.ones_like(steps), no, yes
    else:
        single = steps == 1
        yield 1 / steps, single, no
        yield np.maximum(steps - 2, 0) / steps, no, yes
        yield np.where(single, 0, 1 / steps), yes, yes
