"""The network between a level and its children: who shares a word, and how far words travel.

Children of one instance whose tiles coincide form a group: the parent is accessed once for all
of them. An operand is multicast to the group, a result is reduced on its way up. Tiles that only
overlap (a sliding window spread over children) are not shared.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from attrs import frozen

from cosearch.loopnest.mapping import Mapping
from cosearch.loopnest.nest import Nest, Vector, move
from cosearch.machine.architecture import Architecture
from cosearch.typing import IntArray
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

    def double_hops(self, groups: IntArray) -> int:
        """Return twice the hops of one word to each of some groups of children, int64[n, size].

        The word enters in the middle of the left side, runs along X to the farthest column and
        branches up and down in each column that holds a child of the group.
        """
        middle = self.height - 1
        rows, columns = np.divmod(groups, self.width)
        shafts = np.arange(len(groups))[:, None] * self.width + columns
        places, shaft = np.unique(shafts, return_inverse=True)
        top, bottom = np.zeros((2, len(places)), dtype=np.int64)
        np.maximum.at(top, shaft.ravel(), middle - 2 * rows.ravel())
        np.maximum.at(bottom, shaft.ravel(), 2 * rows.ravel() - middle)
        return int(2 * columns.max(axis=1).sum() + top.sum() + bottom.sum())

    def neighbours(self, child: int, used: int) -> list[int]:
        """Return the used children next to one along X or Y, of children numbered up to `used`."""
        row, column = divmod(child, self.width)
        beside = [(row, column - 1), (row, column + 1), (row - 1, column), (row + 1, column)]
        inside = [r * self.width + c for r, c in beside if 0 <= c < self.width and r >= 0]
        return [n for n in inside if n < used]


def offsets(nest: Nest, tensor: Tensor, level: int) -> IntArray:
    """Return where the tile of each used child begins, int64[child, axis], numbered in order."""
    moved = np.zeros((1, len(tensor.axes)), dtype=np.int64)
    for loop in nest.spread(level):
        steps = np.arange(loop.bound)[:, None, None] * np.array(move(tensor, loop), dtype=np.int64)
        moved = (steps + moved).reshape(len(moved) * loop.bound, len(tensor.axes))
    return moved


def groups(places: list[Vector]) -> list[list[int]]:
    """Return the children that share a tile, group by group."""
    together: dict[Vector, list[int]] = defaultdict(list)
    for child, place in enumerate(places):
        together[place].append(child)
    return list(together.values())


def groups_by_size(places: IntArray) -> Iterator[IntArray]:
    """Yield the children that share a tile, int64[n, size]: all groups of a size at once."""
    least = places.min(axis=0)
    sides = places.max(axis=0) - least + 1
    strides = np.append(np.cumprod(sides[:0:-1])[::-1], np.ones(min(1, len(sides)), dtype=np.int64))
    tiles = (places - least) @ strides.astype(np.int64)
    order = np.argsort(tiles, kind="stable")
    starts = np.flatnonzero(np.diff(tiles[order], prepend=-1))
    counts = np.diff(starts, append=len(tiles))
    for size in np.unique(counts):
        yield order[starts[counts == size][:, None] + np.arange(size)]
