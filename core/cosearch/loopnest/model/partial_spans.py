"""Where the tiles of clipped loops start, how far they reach, and which of them share a place."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from functools import reduce

import numpy as np
from attrs import frozen

from cosearch.loopnest.nest import PlacedLoop
from cosearch.quantities import added
from cosearch.typing import IntArray
from cosearch.workload.einsum import Axis


@frozen(eq=False)
class Spans:
    """A dimension's extents, int64[instances, children, moments], and those of the tiles before.

    Attributes:
        extent, before: the extents.
        places: per child, how far each loop over space has moved it.
        levels: of those loops.
    """

    extent: IntArray
    before: IntArray
    places: list[tuple[int, ...]]
    levels: list[int]

    @property
    def counts(self) -> IntArray:
        """int64[instances]: occurrences at which there is a tile."""
        return np.asarray((self.extent > 0).sum(axis=(1, 2)), dtype=np.int64)


def largest_at_place(axis: Axis, spans: Sequence[Spans], extents: Sequence[IntArray]) -> IntArray:
    """Return the sides, int64[instances of each dimension..., places, moments of each...].

    Children whose tiles start at one place count once, with the largest.
    """
    n = len(spans)
    side: IntArray = np.ones((1,) * (3 * n), dtype=np.int64)
    there = np.ones_like(side, dtype=bool)
    for i, ((_, coefficient), extent) in enumerate(zip(axis.terms, extents, strict=True)):
        shape = [1] * (3 * n)
        shape[i], shape[n + i], shape[2 * n + i] = extent.shape
        laid = extent.reshape(shape)
        side = side + coefficient * (laid - 1)
        there = there & (laid > 0)
    side = np.where(there, side, 0)
    instances, children, moments = side.shape[:n], side.shape[n : 2 * n], side.shape[2 * n :]
    flat = side.reshape(*instances, math.prod(children), *moments)
    together: dict[tuple[int, ...], list[int]] = {}
    for number, place in enumerate(_places(axis, spans)):
        together.setdefault(place, []).append(number)
    groups = [flat.take(group, axis=n).max(axis=n) for group in together.values()]
    return np.stack(groups, axis=n)


def _places(axis: Axis, spans: Sequence[Spans]) -> Iterator[tuple[int, ...]]:
    """Yield where each child's tile starts on an axis, level by level."""
    levels = sorted({level for span in spans for level in span.levels})
    for chosen in itertools.product(*(span.places for span in spans)):
        yield tuple(
            added(
                coefficient * offset
                for (_, coefficient), span, offsets in zip(axis.terms, spans, chosen, strict=True)
                for at, offset in zip(span.levels, offsets, strict=True)
                if at == level
            )
            for level in levels
        )


def indices(loops: Sequence[PlacedLoop]) -> Iterator[tuple[int, ...]]:
    """Yield all indices of loops, the last one turning fastest."""
    return itertools.product(*(range(p.bound) for p in loops))


def starts_of(loops: Sequence[PlacedLoop], turns: Sequence[range] | None = None) -> IntArray:
    """Return where tiles start, int64[n], over all indices of loops (or those given)."""
    starts: IntArray = np.zeros(1, dtype=np.int64)
    for loop, turn in zip(loops, turns or [range(p.bound) for p in loops], strict=True):
        moved = np.arange(turn.start, turn.stop, dtype=np.int64) * loop.step
        starts = (starts[:, None] + moved[None, :]).ravel()
    return starts


def sums_of(*starts: IntArray) -> IntArray:
    """Return all sums of one start of each kind, an array axis a kind."""
    return reduce(np.add.outer, starts)
