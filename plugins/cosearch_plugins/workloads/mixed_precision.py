"""Networks of one shape with bits for each layer, as a space to search beside a machine's.

The problem is HAQ's (K. Wang et al., CVPR 2019, arXiv 1811.08886): weights and inputs of every
layer between the first and the last have 2 to 8 bits each, those two 8; a budget of cost is kept by
taking bits away, see `cosearch_plugins.precision.wall`.

What widths do to accuracy takes training to know, so no accuracy is given unless the user has a
function for it. The score `noise` is a stand-in that ranks policies of one network and is no
accuracy: the power of uniform quantization's rounding error, a twelfth of a step squared, falls to
a quarter with each bit; it is added up over layers and operands, in units of that at 8 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import ClassVar

import numpy as np
from attrs import evolve

from cosearch.errors import InputError, UnknownNameError
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import FloatArray, IntArray, Rows
from cosearch.workload.network import Layer, Network, NetworkSpace, Workload
from cosearch_plugins.precision.costs import bit_operations, table_costs, weight_bits
from cosearch_plugins.precision.wall import Costs, cost_of, walled
from cosearch_plugins.workloads.mobilenet import MobileNetV2

MOST = 8
"""Bits of the first and the last layer, and of all others at most."""

NOISE, BUDGETED = "noise", "budgeted"

Accuracy = Callable[[IntArray], FloatArray]
"""From policies, int64[n, l, 2], bits of weights and of inputs, to per cent, float64[n]."""


class MixedPrecision(NetworkSpace):
    """One network, bits for the weights and the inputs of each layer.

    Args:
        network: whose layers get bits.
        wall: the cost that a policy may have, over that at 8 bits; 0 is without limit. A policy
            beyond it is the one that the action wall makes of it.
        cost: what the wall counts: `operations` (multiply-accumulates times both widths) or `size`
            (of the weights).
        table: file of costs to count instead: columns layer (from 0), w_bits, a_bits, latency.
        least: bits at least.
        accuracy: the user's own function; without one no accuracy is known.

    Raises:
        InputError: the network has fewer than three products, or the table is another network's.
        Infeasible: the narrowest policy is beyond the wall.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter(
                "network", ("mobilenetv2",), free=True, doc="whose layers", plugin="workloads"
            ),
            Parameter("wall", (0.0, 1.0), 0.0, doc="cost over that at 8 bits; 0: any", free=True),
            Parameter("cost", ("operations", "size"), doc="what the wall counts"),
            Parameter("table", ("",), "", doc="file of costs; none if empty", free=True),
            Parameter("least", (1, 2, 3, 4), 2, "bits", "at least"),
        )
    )
    accuracy_note = "no accuracy is known at mixed widths: `noise` ranks, it does not predict"
    scores = (NOISE, BUDGETED)

    def __init__(
        self,
        network: Workload | None = None,
        wall: float = 0.0,
        cost: str = "operations",
        table: str = "",
        least: int = 2,
        accuracy: Accuracy | None = None,
    ) -> None:
        self.original = (network or MobileNetV2()).network()
        self.wall, self.least, self._accuracy = wall, least, accuracy
        self._counted, self._table = cost, table
        self.layers = self.original.products
        if len(self.layers) < 3:
            raise InputError(
                self.original.name, ["has no layer between its first and its last product"]
            )
        if wall:
            self.policies(np.zeros((1, len(self.space.names)), dtype=np.int64))

    @cached_property
    def costs(self) -> Costs:
        """float64[l, 9, 9]: what the wall counts, by the bits of weights and inputs."""
        if self._table:
            return table_costs(self._table, len(self.layers), MOST)
        count = bit_operations if self._counted == "operations" else weight_bits
        return count(self.layers, MOST)

    @cached_property
    def space(self) -> ParameterSpace:
        """Bits of the weights and of the inputs of each layer between the first and the last."""
        widths = tuple(range(self.least, MOST + 1))
        return ParameterSpace(
            tuple(
                Parameter(f"{what}{i}", widths, MOST, "bits", f"of the {text} of {layer.name}")
                for i, layer in list(enumerate(self.layers))[1:-1]
                for what, text in (("w", "weights"), ("a", "inputs"))
            )
        )

    @property
    def free(self) -> IntArray:
        """The layers whose bits are chosen."""
        return np.arange(1, len(self.layers) - 1)

    def policies(self, rows: Rows) -> IntArray:
        """Return bits, int64[n, l, 2], of rows int64[n, 2 (l - 2)], within the wall."""
        bits = np.full((len(rows), len(self.layers), 2), MOST, dtype=np.int64)
        bits[:, 1:-1] = np.asarray(rows).reshape(len(rows), -1, 2) + self.least
        if not self.wall:
            return bits
        full = np.full_like(bits[0], MOST) if len(bits) else bits
        budget = self.wall * cost_of(self.costs, full) if len(bits) else 0.0
        return np.array(
            [walled(self.costs, own, budget, self.least, self.free) for own in bits], dtype=np.int64
        ).reshape(bits.shape)

    def build(self, row: Rows) -> Network:
        """Return the network of one row."""
        return self.at(self.policies(row[None])[0])

    def at(self, bits: IntArray) -> Network:
        """Return the network at some widths, int64[l, 2]."""
        chosen = iter(bits.tolist())

        def of(layer: Layer) -> Layer:
            if layer.einsum.operation:
                return layer
            w, a = next(chosen)
            return evolve(layer, einsum=layer.einsum.with_bits({"Weights": w, "Inputs": a}))

        return evolve(self.original, layers=tuple(of(layer) for layer in self.original.layers))

    def accuracy(self, rows: Rows) -> FloatArray:
        """Return what the user's function says, float64[n]; NaN without one: it is not known."""
        if self._accuracy is None:
            return np.full(len(rows), np.nan)
        return np.asarray(self._accuracy(self.policies(rows)), dtype=np.float64)

    def score(self, name: str, rows: Rows) -> FloatArray:
        """Return `noise`, or `budgeted`: the cost that the wall counts, over that at 8 bits."""
        policies = self.policies(rows)
        if name == NOISE:
            return np.asarray(noise_of(policies).sum(axis=(1, 2)), dtype=np.float64)
        if name != BUDGETED:
            raise UnknownNameError("score", name, self.scores)
        full = cost_of(self.costs, np.full((len(self.layers), 2), MOST))
        return np.array([cost_of(self.costs, own) / full for own in policies])


def noise_of(bits: IntArray) -> IntArray:
    """Return the rounding noise of elements of so many bits, in units of that at 8 bits."""
    return np.asarray(4 ** (MOST - bits), dtype=np.int64)
