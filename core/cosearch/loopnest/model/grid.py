"""The network between a level and its children: who shares a word, and how far words travel.

Children of one instance whose tiles coincide form a group: the parent is accessed once for all
of them. An operand is multicast to the group, a result is reduced on its way up. Tiles that only
overlap (a sliding window spread over children) are not shared.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence

from attrs import frozen

from cosearch.loopnest.mapping import Mapping
from cosearch.loopnest.nest import Nest, Vector, add, move
from cosearch.machine.architecture import Architecture
from cosearch.quantities import added
from cosearch.workload.einsum import Tensor


@frozen
class Grid:
    """Where the used children of one instance stand: packed row by row, X fastest.

    With fewer columns used than there are, the place in the grid is not the loops' X and Y
    position (Timeloop numbers the children linearly).

    Attributes:
        width, height: the physical fanout, or what the loops use where that is more.
    """

    width: int
    height: int

    @classmethod
    def below(cls, architecture: Architecture, mapping: Mapping, level: int) -> Grid:
        """Return the grid of the children of a level."""
        entry = mapping.levels[level]
        across, down = architecture.fanout(level)
        return cls(
            max(across, math.prod(loop.bound for loop in entry.spatial_x)),
            max(down, math.prod(loop.bound for loop in entry.spatial_y)),
        )

    def double_hops(self, children: Sequence[int]) -> int:
        """Return twice the hops of one word to a group of children.

        The word enters in the middle of the left side, runs along X to the farthest column and
        branches up and down in each column that holds a child.
        """
        middle = self.height - 1
        columns: dict[int, list[int]] = defaultdict(list)
        for child in children:
            row, column = divmod(child, self.width)
            columns[column].append(2 * row)
        branches = added(
            max(0, middle - min(rows)) + max(0, max(rows) - middle) for rows in columns.values()
        )
        return 2 * max(columns) + branches

    def neighbours(self, child: int, used: int) -> list[int]:
        """Return the used children next to one along X or Y, of children numbered up to `used`."""
        row, column = divmod(child, self.width)
        beside = [(row, column - 1), (row, column + 1), (row - 1, column), (row + 1, column)]
        inside = [r * self.width + c for r, c in beside if 0 <= c < self.width and r >= 0]
        return [n for n in inside if n < used]


def offsets(nest: Nest, tensor: Tensor, level: int) -> list[Vector]:
    """Return where the tile of each used child begins, in the order of their numbers."""
    loops = nest.spread(level)
    moves = [move(tensor, loop) for loop in loops]
    origin: Vector = (0,) * len(tensor.axes)
    places = []
    for index in itertools.product(*(range(loop.bound) for loop in reversed(loops))):
        place = origin
        for i, by in zip(reversed(index), moves, strict=True):
            place = add(place, by, i)
        places.append(place)
    return places


def groups(places: list[Vector]) -> list[list[int]]:
    """Return the children that share a tile, group by group."""
    together: dict[Vector, list[int]] = defaultdict(list)
    for child, place in enumerate(places):
        together[place].append(child)
    return list(together.values())
