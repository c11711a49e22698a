"""A mapping: how a layer's loops are cut into tiles, ordered, spread and stored."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Mapping as AbstractMapping

from attrs import field, frozen


@frozen
class Loop:
    """One loop of a nest: a dimension and its bound at this place."""

    dim: str
    bound: int


def _loops(loops: Iterable[Loop]) -> tuple[Loop, ...]:
    return tuple(loops)


def _names(names: Iterable[str]) -> frozenset[str]:
    return frozenset(names)


@frozen
class LevelMapping:
    """What a mapping does at one storage level.

    Attributes:
        level: its name.
        keep: names of the tensors stored here; the others bypass the level.
        temporal: loops in time, inner to outer; bounds of 1 may be left out.
        spatial_x, spatial_y: loops spread over the level's children, inner to outer.
    """

    level: str
    keep: frozenset[str] = field(converter=_names)
    temporal: tuple[Loop, ...] = field(default=(), converter=_loops)
    spatial_x: tuple[Loop, ...] = field(default=(), converter=_loops)
    spatial_y: tuple[Loop, ...] = field(default=(), converter=_loops)

    @property
    def spatial(self) -> tuple[Loop, ...]:
        """X loops inside Y loops."""
        return self.spatial_x + self.spatial_y

    def factors(self) -> dict[str, int]:
        """Return the product of all bounds of each dimension at this level."""
        out: dict[str, int] = {}
        for loop in self.spatial + self.temporal:
            out[loop.dim] = out.get(loop.dim, 1) * loop.bound
        return out


def _levels(levels: Iterable[LevelMapping]) -> tuple[LevelMapping, ...]:
    return tuple(levels)


@frozen
class Mapping:
    """One entry a storage level, inner to outer."""

    levels: tuple[LevelMapping, ...] = field(converter=_levels)

    def tile(self, level: int, dims: tuple[str, ...]) -> dict[str, int]:
        """Return the extent of each dimension inside a level: the product of all factors to it."""
        extent = dict.fromkeys(dims, 1)
        for entry in self.levels[: level + 1]:
            for dim, factor in entry.factors().items():
                extent[dim] = extent.get(dim, 1) * factor
        return extent

    @property
    def steps(self) -> int:
        """Compute steps: the product of all temporal bounds."""
        return math.prod(loop.bound for entry in self.levels for loop in entry.temporal)


@frozen
class LevelConstraint:
    """What a mapping may do at one level; a field left at None or empty constrains nothing.

    Attributes:
        temporal: fixed temporal factors, by dimension.
        spatial: fixed spatial factors (X times Y), by dimension.
        temporal_most, spatial_most: the largest such factors allowed, by dimension.
        order: dimensions of the temporal loops, inner to outer; those not named come outside.
        x_dims, y_dims: dimensions that may be spread over X and over Y.
        keep, bypass: names or roles of tensors that must be, or must not be stored here.
        least_multipliers: how many multipliers of the whole machine have to be in use.
    """

    temporal: AbstractMapping[str, int] = field(factory=dict)
    spatial: AbstractMapping[str, int] = field(factory=dict)
    order: tuple[str, ...] | None = None
    x_dims: frozenset[str] | None = None
    y_dims: frozenset[str] | None = None
    keep: frozenset[str] = field(default=frozenset(), converter=_names)
    bypass: frozenset[str] = field(default=frozenset(), converter=_names)
    temporal_most: AbstractMapping[str, int] = field(factory=dict)
    spatial_most: AbstractMapping[str, int] = field(factory=dict)
    least_multipliers: int = 0

    @property
    def key(self) -> str:
        """A text that is the same for equal constraints, in every process."""
        factors = sorted(self.temporal.items()), sorted(self.spatial.items())
        stored = sorted(self.keep), sorted(self.bypass)
        dims = [None if d is None else sorted(d) for d in (self.x_dims, self.y_dims)]
        facts = (*factors, *stored, self.order, *dims)
        most = sorted(self.temporal_most.items()), sorted(self.spatial_most.items())
        limits = (*most, self.least_multipliers)
        return repr((*facts, *limits) if any(limits) else facts)


UNCONSTRAINED = LevelConstraint()
"""What holds for a level that no constraint names."""

Constraints = AbstractMapping[str, LevelConstraint]
"""Level name to what a mapping may do there."""
