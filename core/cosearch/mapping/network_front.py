"""The best choice of one mapping per layer for a whole network's energy and delay.

The network's energy is the sum over its layers, and so are its cycles; what is minimized, a
product of powers of the two sums (EDP, ED2P), prefers neither. The best network EDP is therefore
not made of the layers' best EDPs: a layer may have to be fast where others cannot be.

The exact optimum is cheap all the same. `energy**a * cycles**b` is quasi-concave on positive
numbers (its logarithm is concave), so over the convex hull of all sums it is least at a corner,
and a corner of a sum of sets is a sum of corners that one direction picks in every set (the
Minkowski sum of polygons). It is enough to merge the edges of all layers' lower hulls by slope
and to look at the points passed: one walk, no product of choices. For the same reason a layer
that is run many times takes the same mapping each time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.quantities import added
from cosearch.typing import FloatArray, IntArray


@frozen(eq=False)
class Front:
    """Mappings of one layer that trade energy for cycles.

    Attributes:
        energy_pj: float64[n].
        cycles: float64[n].
    """

    energy_pj: FloatArray
    cycles: FloatArray

    def hull(self) -> IntArray:
        """Return the corners of the lower left convex hull, fastest first."""
        order = np.lexsort((self.energy_pj, self.cycles))
        corners: list[int] = []
        for i in order:
            if corners and self.energy_pj[i] >= self.energy_pj[corners[-1]]:
                continue
            while len(corners) > 1 and not self._turns(corners[-2], corners[-1], int(i)):
                corners.pop()
            corners.append(int(i))
        return np.array(corners, dtype=np.int64)

    def sums(self, weights: tuple[float, float]) -> FloatArray:
        """Return the weighted sums of energy and cycles, float64[n]."""
        return np.asarray(weights[0] * self.energy_pj + weights[1] * self.cycles)

    def _turns(self, a: int, b: int, c: int) -> bool:
        """Return whether b lies below the line from a to c."""
        e, t = self.energy_pj, self.cycles
        return bool((e[b] - e[a]) * (t[c] - t[b]) < (e[c] - e[b]) * (t[b] - t[a]))


@frozen(eq=False)
class Combination:
    """One mapping for every layer.

    Attributes:
        choice: int64[layers], an index into each front.
        energy_pj, cycles: of the whole network, counts included.
    """

    choice: IntArray
    energy_pj: float
    cycles: float


def network_hull(fronts: Sequence[Front], counts: Sequence[int]) -> list[Combination]:
    """Return every corner of the network's lower hull of energy and cycles, fastest first.

    Args:
        fronts: one per layer, none empty.
        counts: how often each layer is run, at least 1.

    Raises:
        CosearchError: a layer has no mapping, or a count is not positive.
    """
    if len(fronts) != len(counts):
        raise CosearchError(f"{len(fronts)} fronts and {len(counts)} counts do not match")
    for number, (front, count) in enumerate(zip(fronts, counts, strict=True)):
        if len(front.cycles) == 0 or count < 1:
            raise CosearchError(f"layer {number} has no mapping, or is not run at all")
    hulls = [front.hull() for front in fronts]
    edges = sorted(
        (_slope(front, hull[k], hull[k + 1]), layer, k)
        for layer, (front, hull) in enumerate(zip(fronts, hulls, strict=True))
        for k in range(len(hull) - 1)
    )
    position = np.zeros(len(fronts), dtype=np.int64)
    corners = [_combined(fronts, counts, hulls, position)]
    for number, (slope, layer, k) in enumerate(edges):
        position[layer] = k + 1
        if number + 1 == len(edges) or edges[number + 1][0] != slope:
            corners.append(_combined(fronts, counts, hulls, position))
    return corners


def best_combination(
    fronts: Sequence[Front],
    counts: Sequence[int],
    energy_power: int = 1,
    cycles_power: int = 1,
) -> Combination:
    """Return the choice that minimizes `energy**energy_power * cycles**cycles_power`.

    Exact, for whole powers of 0 or more, over all choices of one mapping a layer.
    """
    return min(
        network_hull(fronts, counts),
        key=lambda c: c.energy_pj**energy_power * c.cycles**cycles_power,
    )


def _slope(front: Front, a: int, b: int) -> float:
    """Return energy gained per cycle lost, negative: the steepest edge comes first."""
    energy = float(front.energy_pj[b] - front.energy_pj[a])
    return energy / float(front.cycles[b] - front.cycles[a])


def _combined(
    fronts: Sequence[Front], counts: Sequence[int], hulls: Sequence[IntArray], position: IntArray
) -> Combination:
    choice = np.array([hull[k] for hull, k in zip(hulls, position, strict=True)], dtype=np.int64)
    energy = added(
        n * float(f.energy_pj[c]) for f, n, c in zip(fronts, counts, choice, strict=True)
    )
    cycles = added(n * float(f.cycles[c]) for f, n, c in zip(fronts, counts, choice, strict=True))
    return Combination(choice, energy, cycles)
