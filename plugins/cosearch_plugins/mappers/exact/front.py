"""All mappings of a layer worth having: none is better in energy without being worse in cycles."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from cosearch_plugins.mappers.exact.arrays import Aim
from cosearch_plugins.mappers.exact.solve import NO_LIMITS, Certificate, Limits, Solver

SAME = 1e-12
"""Energies closer than this, relative, count as equal: the margin of the proofs."""


@frozen(eq=False)
class LayerFront:
    """The Pareto front of one layer.

    Attributes:
        points: least energy first, so that cycles fall and energy rises from one to the next.
        complete: every point is proven, and no other is missing between or beyond them.
    """

    points: tuple[Certificate, ...]
    complete: bool


def layer_front(solver: Solver, limits: Limits = NO_LIMITS) -> LayerFront:
    """Return the front of energy and cycles, exactly.

    One search finds the least energy, a second the least cycles at that energy; then the same
    among mappings that are faster, until there are none.
    """
    points: list[Certificate] = []
    most_cycles = np.inf
    while True:
        cheapest = solver.solve(Aim(1, 0, np.inf, most_cycles), limits)
        if cheapest.mapping is None:
            return LayerFront(tuple(points), cheapest.proven)
        at_most = cheapest.energy_pj * (1 + SAME)
        fastest = solver.solve(Aim(0, 1, at_most, most_cycles), limits)
        point = cheapest.then(fastest)
        points.append(point)
        if not point.proven:
            return LayerFront(tuple(points), complete=False)
        most_cycles = point.cycles - 1
