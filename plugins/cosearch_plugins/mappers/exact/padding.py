"""The sizes a layer may be rounded up to, so that factors divide it which do not divide it now.

A dimension of 512 leaves two of 14 columns idle, for 14 does not divide it. Rounded up to 518 it
fills them all, and the six extra steps are run and paid for like any other, in multiplications
and in words: what is priced is a schedule that can be run as it is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache

from attrs import frozen

from cosearch.loopnest.model.floor import floor
from cosearch.machine.architecture import Architecture
from cosearch.workload.einsum import Einsum

MOST_EXTRA = 1.25
"""Multiplications of a padded layer over those needed, at most."""

FACTOR = 16
"""With all factors imperfect, dimensions are rounded up to multiples of factors up to this, or
the longest array side."""

MOST_PADDED = 3
"""Dimensions rounded up at once, at most."""

SLACK = 1.1
"""With imperfect factors over space, least steps of a size over the fewest of any, at most."""


class Scope(StrEnum):
    """Which factors may be imperfect.

    - `spatial`: dimensions are rounded up to multiples of factors up to the longest side of an
      array, as many as arrays have directions (three at most), where that fills the array better:
      in the best case the steps are fewer than the layer's own, and within a tenth of the fewest.
    - `all`: any three dimensions to multiples of factors up to 16 or the longest side.

    Of dimensions that share an axis of a tensor (P and R of a convolution) one is rounded up at
    most, and no layer beyond a quarter more multiplications.
    """

    SPATIAL = "spatial"
    ALL = "all"


@frozen
class Size:
    """A layer rounded up.

    Attributes:
        layer: at that size.
        energy_pj, cycles: that no mapping of it undercuts.
    """

    layer: Einsum
    energy_pj: float
    cycles: float


def padded_sizes(architecture: Architecture, layer: Einsum, scope: Scope) -> list[Size]:
    """Return the layer at all larger sizes of a scope, those with the fewest steps first."""
    fans = [fan for level in range(len(architecture.levels)) for fan in architecture.fanout(level)]
    sides = [fan for fan in fans if fan > 1]
    if scope is Scope.SPATIAL:
        sizes = _rounded_up(layer, max(sides, default=1), min(len(sides), MOST_PADDED))
    else:
        sizes = _rounded_up(layer, max(FACTOR, *sides, 1), MOST_PADDED)
    found = {size: least_steps(architecture, size) for size in sizes}
    if scope is Scope.SPATIAL:
        fewest = min(found.values(), default=0) * SLACK
        own = least_steps(architecture, layer.sizes)
        found = {size: n for size, n in found.items() if n < own and n <= fewest}
    ordered = sorted(found, key=lambda size: (found[size], size))
    return [_size(architecture, layer.resized(size), found[size]) for size in ordered]


def least_steps(architecture: Architecture, sizes: tuple[int, ...]) -> int:
    """Return the steps of a layer of these sizes on the most multipliers it can use.

    Those are p along X and q along Y with p * q dividing the product of all sizes.
    """
    macs = math.prod(sizes)
    return macs // _most_used(macs, architecture.compute.mesh_x, architecture.compute.mesh_y)


@lru_cache(maxsize=4096)
def _most_used(macs: int, x: int, y: int) -> int:
    best = 1
    for p in range(min(x, macs), 0, -1):
        if macs % p == 0 and p * y > best:
            rest = macs // p
            best = max(best, p * next(q for q in range(min(y, rest), 0, -1) if rest % q == 0))
    return best


def _size(architecture: Architecture, layer: Einsum, steps: int) -> Size:
    energy, cycles = floor(architecture, layer)
    return Size(layer, energy, max(cycles, float(steps)))


def _rounded_up(layer: Einsum, largest: int, at_once: int) -> Iterator[tuple[int, ...]]:
    """Yield all sizes with up to so many dimensions rounded up to multiples of small factors."""
    choices = {i: _multiples(n, range(2, largest + 1)) for i, n in enumerate(layer.sizes)}
    padded = [i for i, larger in choices.items() if larger]
    apart = _sharing(layer)
    for number in range(1, at_once + 1):
        for chosen in itertools.combinations(padded, number):
            if any(pair in apart for pair in itertools.combinations(chosen, 2)):
                continue
            for larger in itertools.product(*(choices[i] for i in chosen)):
                sizes = list(layer.sizes)
                for i, size in zip(chosen, larger, strict=True):
                    sizes[i] = size
                if math.prod(sizes) <= layer.macs * MOST_EXTRA:
                    yield tuple(sizes)


def _multiples(size: int, factors: Iterable[int]) -> list[int]:
    larger = {factor * math.ceil(size / factor) for factor in factors} if size > 1 else set()
    return sorted(n for n in larger if size < n <= size * MOST_EXTRA)


def _sharing(layer: Einsum) -> set[tuple[int, int]]:
    """Return the pairs of dimensions, by position, that share an axis of some tensor."""
    axes = [
        sorted(layer.dims.index(d) for d, _ in axis.terms if layer.bounds[d] > 1)
        for tensor in layer.tensors
        for axis in tensor.axes
    ]
    return {pair for axis in axes for pair in itertools.combinations(axis, 2)}
