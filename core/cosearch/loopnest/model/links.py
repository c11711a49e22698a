"""Link transfers: children that take a word from a neighbour instead of from their parent.

Timeloop looks at pairs of consecutive steps. A child whose newly needed words are exactly those
that a neighbour in the grid received one step before takes them from the neighbour. A step
follows this scheme only if fewer groups are then left for the parent to serve.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

from attrs import frozen

from cosearch.loopnest.model.delivery import Tick, ticks
from cosearch.loopnest.model.grid import Grid, groups
from cosearch.loopnest.nest import MAC, Nest, Vector, add
from cosearch.machine.architecture import CostRules
from cosearch.workload.einsum import Tensor

Region: TypeAlias = tuple[Vector, ...] | None
"""The new words of a tile: corner and sides of a box, and of the hole in it if there is one."""


@frozen
class Step:
    """Steps of one kind.

    Attributes:
        count: how often they happen.
        tick: how the tiles move into this step.
        before: how they moved into the step before; None at the start, where tiles are new.
    """

    count: int
    tick: Tick
    before: Tick | None


def exchange(
    nest: Nest, tensor: Tensor, level: int, grid: Grid, places: list[Vector], rules: CostRules
) -> tuple[Counter[tuple[tuple[int, ...], ...]], int]:
    """Return what the parent still serves and the words that neighbours hand on.

    Returns:
        the words served to each combination of groups (groups of children, each sent the same
        number of words), and the words taken from neighbours by all children together.
    """
    child = level - 1
    box = nest.box(tensor, child)
    served: Counter[tuple[tuple[int, ...], ...]] = Counter()
    served[_combination(groups(places))] += math.prod(box)
    handed_on = 0
    for step in _steps(nest, tensor, child, rules):
        now = [_new(place, box, step.tick) for place in places]
        if now[0] is None:
            continue
        earlier = [add(place, step.tick.shift, -1) for place in places]
        had = [_new(place, box, step.before) for place in earlier]
        rest = [
            i
            for i, need in enumerate(now)
            if all(had[n] != need for n in grid.neighbours(i, len(now)))
        ]
        everyone = groups(places)
        left = groups([places[i] for i in rest])
        words = step.count * step.tick.new_words
        if len(left) < len(everyone):
            served[_combination([[rest[i] for i in group] for group in left])] += words
            handed_on += words * (len(now) - len(rest))
        else:
            served[_combination(everyone)] += words
    return served, handed_on


def _combination(together: list[list[int]]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(group) for group in together)


def _steps(nest: Nest, tensor: Tensor, child: int, rules: CostRules) -> Iterator[Step]:
    """Yield the pairs of steps that Timeloop samples: the second of each loop's first two."""
    moves = ticks(nest, tensor, child, rules)
    if child == MAC:
        moves = [Tick(t.count, t.shift, 1) for t in moves]
    if not moves:
        return
    bounds = [loop.bound for loop in nest.outside(child)]
    inner = moves[0]
    yield Step(bounds[0] - 1, inner, None)
    for tick in moves[1:]:
        yield Step(tick.count, tick, inner)
        yield Step((bounds[0] - 1) * tick.count, inner, tick)


def _new(place: Vector, box: Vector, tick: Tick | None) -> Region:
    """Return the words of a tile at a place that were not there before a tick."""
    size = math.prod(box)
    if tick is None or tick.new_words == size:
        return place, box
    if tick.new_words == 0:
        return None
    corner = tuple(p + max(0, -by) for p, by in zip(place, tick.shift, strict=True))
    sides = tuple(side - abs(by) for side, by in zip(box, tick.shift, strict=True))
    moved = [axis for axis, by in enumerate(tick.shift) if by]
    if len(moved) > 1:
        return place, box, corner, sides
    (axis,) = moved
    by = tick.shift[axis]
    start = place[axis] + (box[axis] - by if by > 0 else 0)
    return (
        (*place[:axis], start, *place[axis + 1 :]),
        (*box[:axis], abs(by), *box[axis + 1 :]),
    )
