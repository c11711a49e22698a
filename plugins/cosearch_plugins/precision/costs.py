"""What layers cost by their bits: operations, size, or a table that the user brings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from cosearch.errors import InputError
from cosearch.quantities import added
from cosearch.typing import FloatArray
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Layer
from cosearch_plugins.precision.wall import Costs
from cosearch_plugins.workloads.measured_table import read_measured

COLUMNS = ("layer", "w_bits", "a_bits", "latency")


def bit_operations(layers: Sequence[Layer], most: int) -> Costs:
    """Return multiply-accumulates times both widths: what a bit-serial machine is busy with."""
    bits = np.arange(most + 1, dtype=np.float64)
    macs = np.array([x.einsum.macs * x.count for x in layers], dtype=np.float64)
    return macs[:, None, None] * np.multiply.outer(bits, bits)


def weight_bits(layers: Sequence[Layer], most: int) -> Costs:
    """Return the bits of all weights."""
    bits = np.arange(most + 1, dtype=np.float64)
    words = np.array([_weights(x.einsum) * x.count for x in layers], dtype=np.float64)
    return np.repeat(words[:, None, None] * bits[None, :, None], most + 1, axis=2)


def _weights(einsum: Einsum) -> int:
    return added(einsum.words(t) for t in einsum.tensors if t.role == "Weights")


def priced_by(
    layers: Sequence[Layer], most: int, price: Callable[[Einsum], float], widths: Sequence[int]
) -> Costs:
    """Return what a machine charges, infinite at widths that are not asked for.

    Args:
        layers: of a network.
        most: the widest.
        price: of one run of a layer at its widths, such as the cycles of its best mapping.
        widths: of weights and inputs that are priced.
    """
    costs = np.full((len(layers), most + 1, most + 1), np.inf)
    known: dict[Einsum, float] = {}
    for i, layer in enumerate(layers):
        for w in widths:
            for a in widths:
                einsum = layer.einsum.with_bits({"Weights": w, "Inputs": a})
                if einsum not in known:
                    known[einsum] = price(einsum)
                costs[i, w, a] = layer.count * known[einsum]
    return costs


def table_costs(file: str, layers: int, most: int) -> Costs:
    """Return the costs in a file with the columns layer (from 0), w_bits, a_bits and latency.

    Raises:
        InputError: a column is missing, a number is none, or a layer or width has no line.
    """
    table = read_measured(file)
    layer, w, a, latency = (table.numbers(name) for name in COLUMNS)
    costs: FloatArray = np.full((layers, most + 1, most + 1), np.nan)
    whole = [np.nan_to_num(column, nan=-1.0).astype(np.int64) for column in (layer, w, a)]
    inside = (whole[0] < layers) & (whole[1] <= most) & (whole[2] <= most)
    if not (inside & (np.min(whole, axis=0) >= 0)).all():
        raise InputError(
            file, [f"has lines beyond layer {layers - 1} or {most} bits: it is another network's"]
        )
    costs[whole[0], whole[1], whole[2]] = latency
    missing = np.argwhere(np.isnan(costs[:, 1:, 1:]))
    if len(missing):
        i, w_bits, a_bits = missing[0] + (0, 1, 1)
        raise InputError(file, [f"has no latency of layer {i} at {w_bits} x {a_bits} bits"])
    costs[:, 0, :] = costs[:, :, 0] = np.inf
    return costs
