"""The cheapest policy whose noise is within a bound: a knapsack, exact by dynamic programming."""

from __future__ import annotations

import numpy as np

from cosearch.errors import Infeasible
from cosearch.typing import FloatArray, IntArray


def cheapest(costs: FloatArray, noise: IntArray, most: int) -> tuple[float, IntArray]:
    """Return the least cost and the choice of each layer, int64[l].

    `best[n]` is the least cost of the layers so far whose noise adds up to n at most; a layer more
    is the minimum over its choices. Costs are added in the order of the layers.

    Args:
        costs: float64[l, c], of each choice of each layer.
        noise: int64[l, c], none negative.
        most: of the noise of all layers together.

    Raises:
        Infeasible: no policy is within the bound.
    """
    best = np.zeros(most + 1)
    chosen = np.zeros((len(costs), most + 1), dtype=np.int64)
    for layer, (price, adds) in enumerate(zip(costs, noise, strict=True)):
        after = np.full(most + 1, np.inf)
        for choice, (more, step) in enumerate(zip(price, adds, strict=True)):
            if step > most:
                continue
            with_it = best[: most + 1 - step] + more
            better = with_it < after[step:]
            after[step:][better] = with_it[better]
            chosen[layer, step:][better] = choice
        best = after
    if not np.isfinite(best[most]):
        least = int(noise.min(axis=1).sum())
        raise Infeasible(
            f"the least noise is {least}, the bound is {most}",
            {"noise": least / most if most else np.inf},
        )
    return float(best[most]), _traced(chosen, noise, most)


def _traced(chosen: IntArray, noise: IntArray, most: int) -> IntArray:
    """Return the choices that lead to the best value at a bound."""
    policy = np.zeros(len(chosen), dtype=np.int64)
    for layer in range(len(chosen) - 1, -1, -1):
        policy[layer] = chosen[layer, most]
        most -= int(noise[layer, policy[layer]])
    return policy
