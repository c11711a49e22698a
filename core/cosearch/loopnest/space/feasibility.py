"""What no mapping of a layer can do: known before a single one is tried.

The smallest tile that a level can hold follows from the constraints alone. Where even that does
not fit, the layer fits nowhere; where one choice makes the smallest tile too large, no feasible
mapping contains the choice and it is left out of the mapspace.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TypeAlias

import numpy as np
from attrs import frozen

from cosearch.errors import Infeasible
from cosearch.lately import Lately
from cosearch.loopnest.kernel.pack import CAPACITY, INSTANCES, SPREAD_X, SPREAD_Y, Pack, reasons
from cosearch.loopnest.slots import SHARED_CHOICES, FactorColumn, X, Y
from cosearch.machine.architecture import Architecture
from cosearch.typing import BoolArray, IntArray
from cosearch.workload.einsum import Einsum

Axes: TypeAlias = list[list[tuple[int, int]]]
"""Of a tensor: the turning dimensions of each axis, with their coefficients."""


@frozen(eq=False)
class Limits:
    """The checks of a machine on a layer, applied to smallest tiles.

    Attributes:
        architecture, layer: whose.
        dims: the turning dimensions.
        pack: holds the checks.
        kept: bool[L, T]: tensors that the level keeps in every mapping.
    """

    architecture: Architecture
    layer: Einsum
    dims: tuple[str, ...]
    pack: Pack
    kept: BoolArray

    def used(self, check: int, least: list[float]) -> float:
        """Return what a check compares with its limit.

        Args:
            check: which.
            least: of each dimension, the extent of the tile (capacity), or the factors spread over
                the levels outside the place.
        """
        kept = self._kept_axes[check]
        if kept is None:
            return math.prod(least)
        total = 0.0
        for takes, axes in kept:
            words = takes
            for terms in axes:
                side = 1.0
                for dim, coefficient in terms:
                    side += coefficient * (least[dim] - 1.0)
                words *= side
            total += words
        return total

    @cached_property
    def _kept_axes(self) -> list[list[tuple[float, Axes]] | None]:
        """By check, what the tensors that share a level's room in every mapping take, and axes."""
        place = {dim: number for number, dim in enumerate(self.dims)}
        axes = [
            [[(place[d], c) for d, c in axis.terms if d in place] for axis in tensor.axes]
            for tensor in self.layer.tensors
        ]
        kinds, places = self.pack.check_kind.tolist(), self.pack.check_place.tolist()
        return [
            [(float(takes[t]), axes[t]) for t in np.flatnonzero((takes > 0) & self.kept[level])]
            if kind == CAPACITY
            else None
            for kind, level, takes in zip(kinds, places, self.pack.check_tensors, strict=True)
        ]

    def level(self, check: int) -> int:
        """Return the level whose factors a check looks at, with all inside or all outside it."""
        place = int(self.pack.check_place[check])
        return place if int(self.pack.check_kind[check]) == CAPACITY else place + 1


def trimmed(limits: Limits, columns: list[FactorColumn]) -> list[FactorColumn]:
    """Return the columns without the choices that no feasible mapping contains.

    Raises:
        Infeasible: even the smallest tile overflows a level, or no choice of a column is left.
    """
    powers = [_powers_of(column) for column in columns]
    alive = [np.ones(len(column.exponents), dtype=bool) for column in columns]
    for check in range(len(limits.pack.check_kind)):
        kind, level = int(limits.pack.check_kind[check]), limits.level(check)
        if kind > CAPACITY:
            continue
        seen = [own[kind] for own in powers]
        least = [1.0] * len(limits.dims)
        for column, power in zip(columns, seen, strict=True):
            least[column.dim] *= float(column.prime) ** power.least[level]
        smallest = limits.used(check, least)
        if smallest > limits.pack.check_limit[check]:
            raise _overflow(limits, check, smallest)
        for column, power, living in zip(columns, seen, alive, strict=True):
            bounds = (power.least[level], power.most[level])
            most = _largest_exponent(limits, check, least, column, *bounds)
            if most < power.most[level]:
                np.logical_and(living, power.exponents[:, level] <= most, out=living)
    for column, living in zip(columns, alive, strict=True):
        if not living.any():
            raise Infeasible(
                f"layer {limits.layer.name!r}: no place for the factors {column.prime} of "
                f"{limits.dims[column.dim]}: wherever they go, a level overflows",
                hint="enlarge the innermost memories, or loosen the constraints",
            )
    return [
        column if living.all() else _without(column, living)
        for column, living in zip(columns, alive, strict=True)
    ]


_TRIMMED: Lately[tuple[FactorColumn, bytes], FactorColumn] = Lately(512)
"""Of columns that layers and machines share: machines of one family leave out the same."""

SHARED_TRIMMED = 1_000
"""Columns of more choices, some hundred bytes each, are not among them."""


def _without(column: FactorColumn, living: BoolArray) -> FactorColumn:
    """Return the column with some of its choices."""

    def made() -> FactorColumn:
        return FactorColumn(column.dim, column.prime, column.slots, column.exponents[living])

    if len(living) > SHARED_TRIMMED:
        return made()
    return _TRIMMED.get((column, living.tobytes()), made)


@frozen(eq=False)
class _Powers:
    """A column's exponents as one kind of check looks at them.

    Attributes:
        exponents: int64[choices, L].
        least, most: of all choices, by level.
    """

    exponents: IntArray
    least: list[int]
    most: list[int]

    @classmethod
    def of(cls, exponents: IntArray) -> _Powers:
        """Find the least and the most."""
        return cls(exponents, exponents.min(axis=0).tolist(), exponents.max(axis=0).tolist())


_POWERS: Lately[FactorColumn, list[_Powers]] = Lately(512)
"""Of columns that layers and machines share."""


def _powers_of(column: FactorColumn) -> list[_Powers]:
    if len(column.exponents) > SHARED_CHOICES:
        return _powers(column)
    return _POWERS.get(column, lambda: _powers(column))


def _powers(column: FactorColumn) -> list[_Powers]:
    """Return the exponents by kind of check.

    Capacity looks at the tile: all factors in a level and inside it. The spread looks at the X
    (or Y, or both) factors of a level and outside it. The last slot is one of the outermost level.
    """
    levels = int(column.slots[-1]) // 3 + 1
    by_slot = np.zeros((len(column.exponents), 3 * levels), dtype=np.int64)
    by_slot[:, column.slots] = column.exponents
    blocks = by_slot.reshape(-1, levels, 3)
    outward = {
        SPREAD_X: blocks[:, :, X],
        SPREAD_Y: blocks[:, :, Y],
        INSTANCES: blocks[:, :, X] + blocks[:, :, Y],
    }
    found = [outward[kind][:, ::-1].cumsum(axis=1)[:, ::-1] for kind in range(CAPACITY)]
    return [_Powers.of(x) for x in (*found, blocks.sum(axis=2).cumsum(axis=1))]


def _largest_exponent(
    limits: Limits,
    check: int,
    least: list[float],
    column: FactorColumn,
    smallest: int,
    exponent: int,
) -> int:
    """Return the largest exponent of a prime that still meets a check, all else at its least."""
    if exponent == smallest:
        return exponent
    trial = least.copy()
    while exponent > smallest:
        trial[column.dim] = least[column.dim] * float(column.prime) ** (exponent - smallest)
        if limits.used(check, trial) <= limits.pack.check_limit[check]:
            return exponent
        exponent -= 1
    return exponent


def _overflow(limits: Limits, check: int, smallest: float) -> Infeasible:
    place = int(limits.pack.check_place[check])
    allowed = float(limits.pack.check_limit[check])
    name = reasons(limits.architecture, limits.layer)[check + 1]
    excess = smallest / allowed if allowed else np.inf
    if int(limits.pack.check_kind[check]) != CAPACITY:
        return Infeasible(
            f"layer {limits.layer.name!r} fits nowhere: {name}: the constraints ask for "
            f"{smallest:.0f}, there are {allowed:.0f}",
            {name: excess},
            "lower the fixed spatial factors",
        )
    memory = limits.architecture.levels[place]
    takes = limits.pack.check_tensors[check]
    kept, unit = (takes > 0) & limits.kept[place], "bits" if takes.max() > 1 else "words"
    tensors = [t.name for t, keeps in zip(limits.layer.tensors, kept, strict=True) if keeps]
    return Infeasible(
        f"layer {limits.layer.name!r} fits nowhere: {memory.name} has room for {allowed:.0f} "
        f"{unit}, the smallest possible tiles of {', '.join(tensors)} need {smallest:.0f} "
        f"({excess:.3g} times as much)",
        {name: excess},
        f"enlarge {memory.name}, or let a tensor bypass it",
    )
