"""What no mapping of a layer can do: known before a single one is tried.

The smallest tile that a level can hold follows from the constraints alone. Where even that does
not fit, the layer fits nowhere; where one choice makes the smallest tile too large, no feasible
mapping contains the choice and it is left out of the mapspace.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from cosearch.architecture import Architecture
from cosearch.einsum import Einsum, Tensor
from cosearch.errors import Infeasible
from cosearch.loopnest.pack import CAPACITY, INSTANCES, SPREAD_X, SPREAD_Y, Pack, reasons
from cosearch.loopnest.slots import FactorColumn, X, Y
from cosearch.typing import BoolArray, FloatArray


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

    def used(self, check: int, least: FloatArray) -> FloatArray:
        """Return what a check compares with its limit, float64[n].

        Args:
            check: which.
            least: float64[n, L, D]: of each dimension, the tile at each level (capacity), or the
                spatial factors of the level and all levels outside it.
        """
        place = int(self.pack.check_place[check])
        kind = int(self.pack.check_kind[check])
        if kind == CAPACITY:
            sharing = self.pack.check_tensors[check] & self.kept[place]
            tensors = [t for t, shares in zip(self.layer.tensors, sharing, strict=True) if shares]
            tiles = [self._words(t, least[:, place]) for t in tensors]
            return np.asarray(np.sum(tiles, axis=0)) if tiles else np.zeros(len(least))
        return np.asarray(least[:, place + 1].prod(axis=1))

    def _words(self, tensor: Tensor, extent: FloatArray) -> FloatArray:
        words = np.ones(len(extent))
        for axis in tensor.axes:
            side = np.ones(len(extent))
            for dim, coefficient in axis.terms:
                if dim in self.dims:
                    side += coefficient * (extent[:, self.dims.index(dim)] - 1)
            words *= side
        return words


def trimmed(limits: Limits, columns: list[FactorColumn]) -> list[FactorColumn]:
    """Return the columns without the choices that no feasible mapping contains.

    Raises:
        Infeasible: even the smallest tile overflows a level, or no choice of a column is left.
    """
    shares = [_shares(limits, column) for column in columns]
    checks = len(limits.pack.check_kind)
    least = [_least(limits, shares, columns, kind) for kind in range(CAPACITY + 1)]
    alive = [np.ones(len(column.exponents), dtype=bool) for column in columns]
    for check in range(checks):
        kind, limit = int(limits.pack.check_kind[check]), limits.pack.check_limit[check]
        smallest = float(limits.used(check, least[kind][None])[0])
        if smallest > limit:
            raise _overflow(limits, check, smallest)
        for column, own, living in zip(columns, shares, alive, strict=True):
            with_choice = _with(least[kind], column, own[kind])
            np.logical_and(living, limits.used(check, with_choice) <= limit, out=living)
    for column, living in zip(columns, alive, strict=True):
        if not living.any():
            raise Infeasible(
                f"layer {limits.layer.name!r}: no place for the factors {column.prime} of "
                f"{limits.dims[column.dim]}: wherever they go, a level overflows",
                hint="enlarge the innermost memories, or loosen the constraints",
            )
    return [
        FactorColumn(c.dim, c.prime, c.slots, c.exponents[living])
        for c, living in zip(columns, alive, strict=True)
    ]


def _shares(limits: Limits, column: FactorColumn) -> list[FloatArray]:
    """Return the column's factors, float64[choices, L], as each kind of check looks at them.

    Capacity looks at the tile: all factors in a level and inside it. The spread looks at the X
    (or Y, or both) factors of a level and outside it.
    """
    levels = len(limits.architecture.levels)
    by_slot = np.zeros((len(column.exponents), 3 * levels), dtype=np.int64)
    by_slot[:, column.slots] = column.exponents
    blocks = by_slot.reshape(-1, levels, 3)
    prime = float(column.prime)
    outward = {
        SPREAD_X: blocks[:, :, X],
        SPREAD_Y: blocks[:, :, Y],
        INSTANCES: blocks[:, :, X] + blocks[:, :, Y],
    }
    found = [prime ** outward[kind][:, ::-1].cumsum(axis=1)[:, ::-1] for kind in range(CAPACITY)]
    return [*found, prime ** blocks.sum(axis=2).cumsum(axis=1)]


def _least(
    limits: Limits, shares: list[list[FloatArray]], columns: list[FactorColumn], kind: int
) -> FloatArray:
    """Return float64[L, D]: the least that each dimension can be at each level."""
    least = np.ones((len(limits.architecture.levels), len(limits.dims)))
    for column, own in zip(columns, shares, strict=True):
        least[:, column.dim] *= own[kind].min(axis=0)
    return least


def _with(least: FloatArray, column: FactorColumn, own: FloatArray) -> FloatArray:
    """Return float64[choices, L, D]: the least, but with each choice of one column."""
    out = np.broadcast_to(least, (len(own), *least.shape)).copy()
    out[:, :, column.dim] *= own / own.min(axis=0)
    return out


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
    kept = limits.pack.check_tensors[check] & limits.kept[place]
    tensors = [t.name for t, keeps in zip(limits.layer.tensors, kept, strict=True) if keeps]
    return Infeasible(
        f"layer {limits.layer.name!r} fits nowhere: {memory.name} has room for {allowed:.0f} "
        f"words, the smallest possible tiles of {', '.join(tensors)} need {smallest:.0f} "
        f"({excess:.3g} times as much)",
        {name: excess},
        f"enlarge {memory.name}, or let a tensor bypass it",
    )
