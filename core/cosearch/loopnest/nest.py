"""A mapping laid out as one loop nest, and the boxes of each tensor that its tiles touch."""

from __future__ import annotations

import math
from typing import TypeAlias

from attrs import field, frozen

from cosearch.loopnest.mapping import Mapping
from cosearch.quantities import added
from cosearch.workload.einsum import Einsum, Tensor

Vector: TypeAlias = tuple[int, ...]
"""One whole number per axis of a tensor: the sides of a box, or how far a box moves."""

MAC = -1
"""The place below level 0, where every dimension has extent 1."""


@frozen
class PlacedLoop:
    """A loop and where it stands in the nest.

    Attributes:
        level: of the block that holds it.
        spatial: whether it is spread over the level's children instead of over time.
        step: how far its dimension moves when the loop steps by one, which is the product of all
            bounds of the dimension inside it.
    """

    level: int
    spatial: bool
    dim: str
    bound: int
    step: int


@frozen
class Nest:
    """The whole nest of a mapping, inner to outer: spatial loops inside temporal, level by level.

    Loops of bound 1 are left out: they change nothing.
    """

    layer: Einsum
    depth: int
    loops: tuple[PlacedLoop, ...] = field(repr=False)

    @classmethod
    def of(cls, layer: Einsum, mapping: Mapping) -> Nest:
        """Lay out a mapping."""
        extent = dict.fromkeys(layer.dims, 1)
        loops = []
        for level, entry in enumerate(mapping.levels):
            for spatial, block in ((True, entry.spatial), (False, entry.temporal)):
                for loop in block:
                    if loop.bound != 1:
                        step = extent[loop.dim]
                        loops.append(PlacedLoop(level, spatial, loop.dim, loop.bound, step))
                        extent[loop.dim] *= loop.bound
        return cls(layer, len(mapping.levels), tuple(loops))

    @property
    def steps(self) -> int:
        """Compute steps: the product of all temporal bounds."""
        return math.prod(loop.bound for loop in self.loops if not loop.spatial)

    def instances(self, level: int) -> int:
        """Return how many instances of a level are used: all spatial bounds above it."""
        return math.prod(p.bound for p in self.loops if p.spatial and p.level > level)

    def fanout(self, level: int) -> int:
        """Return how many children of one instance of a level are used."""
        return math.prod(p.bound for p in self.loops if p.spatial and p.level == level)

    def box(self, tensor: Tensor, level: int) -> Vector:
        """Return the sides of the tensor's tile in one instance of a level."""
        return self._sides(tensor, [p for p in self.loops if p.level <= level])

    def box_of_children(self, tensor: Tensor, level: int) -> Vector:
        """Return the sides of the box around the tiles of all children of one instance."""
        inside = [p for p in self.loops if p.level < level or (p.level == level and p.spatial)]
        return self._sides(tensor, inside)

    def _sides(self, tensor: Tensor, loops: list[PlacedLoop]) -> Vector:
        extent = dict.fromkeys(self.layer.dims, 1)
        for loop in loops:
            extent[loop.dim] *= loop.bound
        return tuple(axis.extent(extent) for axis in tensor.axes)

    def outside(self, level: int) -> list[PlacedLoop]:
        """Return the temporal loops outside a level's tile, inner to outer."""
        return [p for p in self.loops if not p.spatial and p.level > level]

    def spread(self, level: int) -> list[PlacedLoop]:
        """Return the spatial loops of a level, inner to outer."""
        return [p for p in self.loops if p.spatial and p.level == level]


def move(tensor: Tensor, loop: PlacedLoop) -> Vector:
    """Return how far the tensor's box moves, in its own axes, when a loop steps by one."""
    return tuple(
        added(coefficient * loop.step for dim, coefficient in axis.terms if dim == loop.dim)
        for axis in tensor.axes
    )


def add(a: Vector, b: Vector, times: int = 1) -> Vector:
    """Return `a + times * b`."""
    return tuple(x + times * y for x, y in zip(a, b, strict=True))


def overlap(box: Vector, shift: Vector) -> int:
    """Return the words that a box shares with itself moved by a shift."""
    return math.prod(max(0, side - abs(by)) for side, by in zip(box, shift, strict=True))
