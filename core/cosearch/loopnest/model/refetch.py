"""What small memories must be sent again: the least over all tiles and loops outside them.

Of the loops outside a memory only what the innermost one moves is looked at. A tensor that it
moves comes again at every step of every loop, whoever else moves; of a tensor that it leaves in
place each word is counted once, unless a smaller memory further in must hold it and cannot: then
loops in between move it, and it comes again all the same. All instances of a memory together hold
what the factors inside span, so their rooms are added up. Each of these makes the bound smaller,
never larger.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from attrs import frozen

from cosearch.machine.architecture import Architecture
from cosearch.machine.widths import rooms
from cosearch.quantities import added
from cosearch.typing import BoolArray, FloatArray
from cosearch.workload.einsum import Axis, Einsum

MOST = 20_000
"""Tiles looked at; a layer with more of them is granted that nothing comes again."""


@frozen
class Repeat:
    """What a tensor costs that comes to a memory over and over.

    Attributes:
        level: of the memory that must hold it.
        each: of every time that all its words come.
        again: costs of every time but the first ones, and how many are first: each copy of a
            partial sum begins with no read.
    """

    level: int
    each: float
    again: tuple[tuple[float, int], ...] = ()

    def of(self, times: FloatArray) -> FloatArray:
        """Return the cost of so many times, float64[n]."""
        more = (cost * np.maximum(0.0, times - first) for cost, first in self.again)
        return np.asarray(added(more, self.each * times))


@frozen(eq=False)
class _Tiles:
    """All tiles of a layer, the whole layer last; dimensions that move the same count as one.

    Attributes:
        outside: float64[g, n]: factors of the loops outside, of each group of dimensions.
        moves: bool[g, t]: whether a group moves a tensor.
        words: float64[t, n]: of a tensor's tile, or fewer.
        visits: float64[t, n]: how often all words come where the innermost loop moves them.
    """

    outside: FloatArray
    moves: BoolArray
    words: FloatArray
    visits: FloatArray


def least_repeated(
    architecture: Architecture, layer: Einsum, level: int, kinds: Sequence[Mapping[str, Repeat]]
) -> list[float]:
    """Return the least that tensors cost which come from the memory above a level.

    Args:
        architecture: the machine.
        layer: mapped with factors that divide its sizes.
        level: at or below which they must be held.
        kinds: of costs: by name of tensors that lie under no window.
    """
    once = [added((cost.each for cost in costs.values()), 0.0) for costs in kinds]
    tiles = None if architecture.rules.link_transfers or not any(kinds) else _tiles(layer)
    if tiles is None:
        return once
    fits = _fit(architecture, layer, level, tiles)
    if fits[-1] or not fits.any():
        return once
    names = [tensor.name for tensor in layer.tensors]
    times = {
        cost.level: np.where(
            _fit(architecture, layer, cost.level, tiles, each=True), 1.0, tiles.visits
        )
        if cost.level < level
        else np.ones_like(tiles.visits)
        for costs in kinds
        for cost in costs.values()
    }
    least = [math.inf] * len(kinds)
    for group, moved in enumerate(tiles.moves):
        here = fits & (tiles.outside[group] > 1)
        if not here.any():
            continue
        for k, costs in enumerate(kinds):
            total = np.zeros(int(here.sum()))
            for name, cost in costs.items():
                t = names.index(name)
                total += cost.of((tiles.visits if moved[t] else times[cost.level])[t, here])
            least[k] = min(least[k], float(total.min()))
    return [a if math.isfinite(a) else b for a, b in zip(least, once, strict=True)]


def _fit(
    architecture: Architecture, layer: Einsum, level: int, tiles: _Tiles, *, each: bool = False
) -> BoolArray:
    """Return bool[n]: which tiles all instances of a memory have room for together.

    Args:
        architecture: the machine.
        layer: that it runs.
        level: of the memory.
        tiles: of the layer.
        each: look at every tensor by itself: bool[t, n].
    """
    memory = architecture.levels[level]
    held = np.array([tensor.role in memory.keeps for tensor in layer.tensors])
    fits = np.ones(tiles.words.shape if each else tiles.words.shape[1:], dtype=bool)
    for room in rooms(architecture, memory, layer):
        takes = np.where(held, room.takes, 0)[:, None] * tiles.words
        fits &= (takes if each else takes.sum(axis=0)) <= room.limit * memory.instances
    return fits


@lru_cache(maxsize=256)
def _tiles(layer: Einsum) -> _Tiles | None:
    """Return all tiles of a layer; None where there are too many."""
    counted = [{_longest(layer, axis) for axis in tensor.axes} for tensor in layer.tensors]
    sizes: dict[tuple[tuple[bool, bool], ...], int] = {}
    for dim, size in layer.bounds.items():
        pairs = zip(layer.tensors, counted, strict=True)
        key = tuple((dim in tensor.dims, dim in long) for tensor, long in pairs)
        sizes[key] = sizes.get(key, 1) * size
    divisors = [[n for n in range(1, size + 1) if size % n == 0] for size in sizes.values()]
    if math.prod(map(len, divisors)) > MOST:
        return None
    inside = np.array(list(itertools.product(*divisors)), dtype=np.float64).T
    outside = np.array([*sizes.values()], dtype=np.float64)[:, None] / inside
    moves, spans = np.moveaxis(np.array([*sizes], dtype=bool), 2, 0)
    words = np.array([inside[own].prod(axis=0) for own in spans.T])
    visits = np.array([outside[~own].prod(axis=0) for own in moves.T])
    return _Tiles(outside, moves, words, visits)


def _longest(layer: Einsum, axis: Axis) -> str:
    """Return the dimension of an axis that is counted; others only make its side longer."""
    return max(axis.terms, key=lambda term: (layer.bounds[term[0]], term[0]))[0]
