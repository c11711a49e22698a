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
from functools import cached_property

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

    @cached_property
    def hull(self) -> IntArray:
        """The corners of the lower left convex hull, fastest first."""
        energy, cycles = self.energy_pj.tolist(), self.cycles.tolist()

        def turns(a: int, b: int, c: int) -> bool:
            """Return whether b lies below the line from a to c."""
            rise, fall = (energy[b] - energy[a]), (energy[c] - energy[b])
            return bool(rise * (cycles[c] - cycles[b]) < fall * (cycles[b] - cycles[a]))

        corners: list[int] = []
        for i in np.lexsort((self.energy_pj, self.cycles)).tolist():
            if corners and energy[i] >= energy[corners[-1]]:
                continue
            while len(corners) > 1 and not turns(corners[-2], corners[-1], i):
                corners.pop()
            corners.append(i)
        return np.array(corners, dtype=np.int64)

    def sums(self, weights: tuple[float, float]) -> FloatArray:
        """Return the weighted sums of energy and cycles, float64[n]."""
        return np.asarray(weights[0] * self.energy_pj + weights[1] * self.cycles)


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
    hulls = [front.hull for front in fronts]
    edges = sorted(
        (_slope(front, hull[k], hull[k + 1]), layer, k)
        for layer, (front, hull) in enumerate(zip(fronts, hulls, strict=True))
        for k in range(len(hull) - 1)
    )
    position = [0] * len(fronts)
    passed = [position.copy()]
    for number, (slope, layer, k) in enumerate(edges):
        position[layer] = k + 1
        if number + 1 == len(edges) or edges[number + 1][0] != slope:
            passed.append(position.copy())
    return _combined(fronts, counts, hulls, np.array(passed, dtype=np.int64))


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
    fronts: Sequence[Front], counts: Sequence[int], hulls: Sequence[IntArray], passed: IntArray
) -> list[Combination]:
    """Return the choices at places on the layers' hulls, int64[n, layers]."""
    choices = np.stack([hull[at] for hull, at in zip(hulls, passed.T, strict=True)], axis=1)
    each = list(zip(fronts, counts, choices.T, strict=True))
    energies = added(n * front.energy_pj[choice] for front, n, choice in each)
    cycles = added(n * front.cycles[choice] for front, n, choice in each)
    return list(map(Combination, choices, energies.tolist(), cycles.tolist()))
