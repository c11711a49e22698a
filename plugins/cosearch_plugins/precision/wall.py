"""The action wall of HAQ: a policy beyond its budget loses bits, layer by layer, until it fits.

K. Wang, Z. Liu, Y. Lin, J. Lin, S. Han, *HAQ: Hardware-Aware Automated Quantization with Mixed
Precision*, CVPR 2019 (arXiv 1811.08886), as its public repository does it: while the cost exceeds
the budget, from the last layer to the first, one bit off the activations, a look at the cost, one
bit off the weights, a look. It is a repair rule: what comes out depends on the policy alone.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from cosearch.errors import Infeasible
from cosearch.typing import FloatArray, IntArray

WEIGHTS, INPUTS = 0, 1

Costs: TypeAlias = FloatArray
"""float64[l, most + 1, most + 1]: of a layer, by the bits of its weights and of its inputs."""


def cost_of(costs: Costs, bits: IntArray) -> float:
    """Return the cost of a policy, int64[l, 2]: weights, inputs."""
    layers = np.arange(len(bits))
    return float(costs[layers, bits[:, WEIGHTS], bits[:, INPUTS]].sum())


def walled(costs: Costs, bits: IntArray, budget: float, least: int, free: IntArray) -> IntArray:
    """Return a policy within a budget.

    Args:
        costs: of each layer.
        bits: int64[l, 2].
        budget: the most that it may cost.
        least: bits of a free layer at least.
        free: the layers that may lose bits; the others keep theirs.

    Raises:
        Infeasible: the narrowest policy costs more.
    """
    found = bits.copy()
    narrowest = bits.copy()
    narrowest[free] = np.minimum(bits[free], least)
    if (lowest := cost_of(costs, narrowest)) > budget:
        raise Infeasible(
            f"{least} bits everywhere cost {lowest:.6g}, the budget is {budget:.6g}",
            {"budget": lowest / budget if budget else np.inf},
        )
    while True:
        for layer in reversed(free):
            for what in (INPUTS, WEIGHTS):
                if cost_of(costs, found) <= budget:
                    return found
                found[layer, what] = max(min(least, found[layer, what]), found[layer, what] - 1)
