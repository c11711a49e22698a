"""Imperfect factors as padded loops: dimensions rounded up until an array is filled.

A dimension of 512 leaves two of 14 columns idle, for 14 does not divide it. Rounded up to 518 it
fills them all, and the six extra steps are run and paid for like any other, in multiplications
and in words: what is priced is a schedule that can be run as it is, so its cost bounds that of
true imperfect factors, whose last tile is partial, from above.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
from attrs import evolve, frozen

from cosearch.architecture import Architecture
from cosearch.einsum import Einsum
from cosearch.errors import Infeasible
from cosearch.loopnest.exact.arrays import Aim
from cosearch.loopnest.exact.problem import OrderTables
from cosearch.loopnest.exact.solve import NO_LIMITS, Certificate, Limits, Solver
from cosearch.loopnest.mapping import Constraints
from cosearch.loopnest.mapspace import MapSpace

MOST_EXTRA = 1.25
"""Padded multiplications over those needed, at most."""


@frozen(eq=False)
class Padded:
    """The best mapping of a layer whose dimensions may be rounded up.

    Attributes:
        layer: as it is run, padding included.
        found: its mapping; `proven` holds over all sizes, and without a proof there is no gap.
        sizes: how many were tried.
    """

    layer: Einsum
    found: Certificate
    sizes: int


def solve_padded(
    architecture: Architecture,
    layer: Einsum,
    aim: Aim,
    constraints: Constraints | None = None,
    limits: Limits = NO_LIMITS,
    most_extra: float = MOST_EXTRA,
) -> Padded:
    """Return the best mapping over all padded sizes of a layer, itself included.

    Args:
        architecture: the machine.
        layer: to be mapped.
        aim: what is minimized.
        constraints: what a mapping may do, by level name.
        limits: on the whole search.
        most_extra: padded multiplications over those needed, at most.

    Raises:
        Infeasible: the layer fits nowhere.
    """
    tables = OrderTables()
    best_layer = layer
    best = Solver(MapSpace(architecture, layer, constraints), tables).solve(aim, limits)
    proven, nodes, priced, tried = best.proven, best.nodes, best.evaluations, 1
    for padded in _padded(architecture, layer, most_extra):
        if limits.reached(priced):
            proven = False
            break
        try:
            solver = Solver(MapSpace(architecture, padded, constraints), tables)
        except Infeasible:
            continue
        found = solver.solve(aim, limits, aim_value(aim, best))
        proven &= found.proven
        tried, nodes, priced = tried + 1, nodes + found.nodes, priced + found.evaluations
        if found.mapping is not None:
            best_layer, best = padded, found
    gap = 0.0 if proven else None
    total = evolve(best, proven=proven, gap=gap, nodes=nodes, evaluations=priced)
    return Padded(best_layer, total, tried)


def aim_value(aim: Aim, found: Certificate) -> float:
    """Return what a search minimized; infinite where nothing was found."""
    if found.mapping is None:
        return np.inf
    return aim.value(found.energy_pj, found.cycles)


def _padded(architecture: Architecture, layer: Einsum, most_extra: float) -> Iterator[Einsum]:
    """Yield the layer at larger sizes, those with the fewest multiplications first.

    A dimension is rounded up to multiples of the factors that fill an array side, and only where
    that is not what its size is a multiple of already.
    """
    sides = {
        side
        for level in range(len(architecture.levels))
        for fan in architecture.fanout(level)
        for side in range(2, fan + 1)
    }
    choices = []
    for size in layer.sizes:
        larger = {side * math.ceil(size / side) for side in sides} if size > 1 else set()
        choices.append(sorted({size, *(s for s in larger if s <= size * most_extra)}))
    sized = [
        sizes
        for sizes in itertools.product(*choices)
        if layer.macs < math.prod(sizes) <= layer.macs * most_extra
    ]
    for sizes in sorted(sized, key=math.prod):
        yield evolve(layer, sizes=sizes)
