"""One tiling in full: accesses and energy by memory, and the loops an architect knows."""

from __future__ import annotations

import math
from collections.abc import Mapping

from cosearch.machine.cost import Cost, LevelCost, TensorCost
from cosearch.quantities import added
from cosearch.workload.einsum import Einsum, Tensor
from cosearch_hardware.gemm_view import GemmView, Group
from cosearch_hardware.systolic.pricing import Array, Priced, Prices

MEMORY_OF = {"Inputs": "input buffer", "Weights": "weight buffer", "Outputs": "output buffer"}


def breakdown(
    array: Array,
    prices: Prices,
    view: GemmView,
    tile: Mapping[str, int],
    order: tuple[Group, ...],
    priced: Priced,
) -> Cost:
    """Return the cost of a tiling (dimension to size), given its prices as arrays of one."""
    layer = view.layer
    cycles, stalls = float(priced.traffic.cycles[0]), float(priced.traffic.stalls[0])
    return Cost(
        energy_pj=float(priced.energy_pj[0]),
        cycles=cycles,
        macs=layer.macs,
        compute_pj=priced.array_pj,
        levels=(
            *(_buffer(array, prices, tensor, tile, priced) for tensor in layer.tensors),
            _dram(array, prices, layer, priced),
        ),
        utilization=layer.macs / (cycles * array.rows * array.cols),
        bound_by="DRAM" if stalls > cycles - stalls else "compute",
        loops=_loops(array, view, tile, order),
    )


def _buffer(
    array: Array, prices: Prices, tensor: Tensor, tile: Mapping[str, int], priced: Priced
) -> LevelCost:
    role = tensor.role
    words = tensor.footprint(tile)
    streamed = round(float(priced.streamed[role][0]))
    moved = round(float(priced.moved_bits[role][0]) / array.bits(role))
    energy = float(priced.sram_words(array, role)[0]) * prices.word(role)
    reads, updates = (0, streamed) if role == "Outputs" else (streamed, 0)
    cost = TensorCost(tensor.name, words, 1, reads, moved, updates, energy)
    used = words * array.bits(role) / array.half(role)
    return LevelCost(MEMORY_OF[role], 0.0, energy, utilization=used, tensors=(cost,))


def _dram(array: Array, prices: Prices, layer: Einsum, priced: Priced) -> LevelCost:
    costs = []
    for tensor in layer.tensors:
        bits = float(priced.moved_bits[tensor.role][0])
        words = round(bits / array.word_bits)
        reads, updates = (0, words) if tensor.role == "Outputs" else (words, 0)
        energy = bits * prices.dram_bit
        costs.append(TensorCost(tensor.name, layer.words(tensor), 1, reads, 0, updates, energy))
    total = added(float(bits[0]) for bits in priced.moved_bits.values())
    cycles = math.ceil(total / array.dram_bits_per_cycle)
    return LevelCost("DRAM", cycles, total * prices.dram_bit, tensors=tuple(costs))


def _loops(
    array: Array, view: GemmView, tile: Mapping[str, int], order: tuple[Group, ...]
) -> tuple[str, ...]:
    lines: list[str] = []
    for group in ("B", *reversed(order)):
        for dim, size, member in zip(view.layer.dims, view.layer.sizes, view.groups, strict=True):
            steps = size // tile[dim]
            if member == group and steps > 1:
                lines.append(f"{'  ' * len(lines)}for {dim.lower()} in 0..{steps}")
    inner = " ".join(f"{dim}={size}" for dim, size in tile.items() if size > 1) or "1 MAC"
    onto = f"{array.rows}x{array.cols} ({array.dataflow})"
    return (*lines, f"{'  ' * len(lines)}fold {inner} onto {onto}")
