"""The fewest words of a tensor that the memory below the outermost one can be sent over a layer.

A tensor without sliding windows is sent at least once. Under a window, what stays from one tile to
the next is credited along the first axis that moves, as far as the sampling of iterations 0 and 1
tells (see `cosearch.loopnest.model.delivery`), which may credit more than really stays. So the
least is found by trying: every tile along each axis, and both orders of the two loops that move it.
"""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import TypeAlias

from cosearch.quantities import added
from cosearch.workload.einsum import Einsum, Tensor

Terms: TypeAlias = tuple[tuple[int, int], ...]
"""Of an axis: (size of a dimension, coefficient of its index) each."""


def least_sent(layer: Einsum, tensor: Tensor) -> int:
    """Return words that any tile below and any loops of the outermost memory must send.

    Holds for the default rules of counting and for `only_innermost_loop_slides`, which credits
    less; of a dimension that lies on two axes nothing is known but that a word is sent.
    """
    if len(tensor.dims) < sum(len(axis.terms) for axis in tensor.axes):
        return 1
    bounds = layer.bounds
    axes = [tuple((bounds[dim], step) for dim, step in axis.terms) for axis in tensor.axes]
    every_time = [_least_along(axis, credited=False) for axis in axes]
    once = [_least_along(axis, credited=True) for axis in axes]
    return (
        min(
            math.prod(once[k] if k == credited else words for k, words in enumerate(every_time))
            for credited in range(len(axes))
        )
        if axes
        else 1
    )


@cache
def _least_along(axis: Terms, *, credited: bool) -> int:
    """Return the least words along one axis, over all tiles."""
    sizes = [[n for n in range(1, size + 1) if size % n == 0] for size, _ in axis]
    return min(_sent(axis, tile, credited=credited) for tile in itertools.product(*sizes))


def _sent(axis: Terms, tile: tuple[int, ...], *, credited: bool) -> int:
    """Return the words along one axis that all visits of a tile are sent."""
    side = 1 + added(step * (n - 1) for (_, step), n in zip(axis, tile, strict=True))
    loops = [(size // n, step * n) for (size, step), n in zip(axis, tile, strict=True) if size > n]
    if not credited:
        return side * math.prod(bound for bound, _ in loops)
    return min(_run(side, order) for order in itertools.permutations(loops))


def _run(side: int, loops: tuple[tuple[int, int], ...]) -> int:
    """Return the words sent by loops, (bound, move) inner to outer, that move along one axis."""
    words, first, gone = side, 0, 0
    for bound, move in loops:
        shift = move - gone
        first = first or move
        stays = shift in (0, first)
        new = side - max(0, side - abs(shift)) if stays else side
        words = bound * words - (bound - 1) * (side - new)
        gone += move
    return words
