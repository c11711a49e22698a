"""Words delivered to a child over a whole layer: what stays, what slides, what comes again."""

from __future__ import annotations

import math

from attrs import frozen

from cosearch.loopnest.nest import MAC, Nest, Vector, add, move, overlap
from cosearch.machine.architecture import CostRules
from cosearch.quantities import added
from cosearch.workload.einsum import Tensor


@frozen
class Tick:
    """All the moments at which one temporal loop steps and those inside it start again.

    Attributes:
        count: how often that happens.
        shift: how far the tile moves.
        new_words: of the tile that were not in the child before.
    """

    count: int
    shift: Vector
    new_words: int


def ticks(nest: Nest, tensor: Tensor, child: int, rules: CostRules) -> list[Tick]:
    """Return the ticks of the temporal loops outside a child's tile, inner to outer.

    Timeloop walks only the iterations 0 and 1 of each loop and extrapolates: when loop k steps
    from 0 to 1, the loops inside it go back from 1 to 0, whatever their bounds. It credits an
    overlap with the tile before only when the tile moves as it does in the innermost loop that
    moves it. Both are artefacts of the sampling.

    Args:
        nest: the loops.
        tensor: whose tile moves.
        child: level that is delivered to.
        rules: `geometric_halo` lets the loops inside go back from their true last iteration and
            credits every overlap of two consecutive tiles.
    """
    box = nest.box(tensor, child)
    loops = nest.outside(child)
    still = (0,) * len(box)
    gone: Vector = still
    credited: set[Vector] = set() if rules.only_innermost_loop_slides else {still}
    most = 1 if rules.only_innermost_loop_slides else 2
    out = []
    for k, loop in enumerate(loops):
        step = move(tensor, loop)
        shift = add(step, gone, -1)
        gone = add(gone, step, loop.bound - 1 if rules.geometric_halo else 1)
        if len(credited) < most:
            credited.add(shift)
        slides = rules.geometric_halo or shift in credited
        new_words = math.prod(box) - (overlap(box, shift) if slides else 0)
        count = (loop.bound - 1) * math.prod(outer.bound for outer in loops[k + 1 :])
        out.append(Tick(count, shift, new_words))
    return out


def delivered(nest: Nest, tensor: Tensor, child: int, rules: CostRules) -> int:
    """Return the words that one child receives over the layer.

    A multiplier (child MAC) keeps nothing from one step to the next: one word every step.
    """
    if child == MAC:
        return nest.steps
    first = math.prod(nest.box(tensor, child))
    return first + added(t.count * t.new_words for t in ticks(nest, tensor, child, rules))
