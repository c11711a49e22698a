"""The least bound of a space too large to go through: best first, over boxes of its points."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from cosearch.typing import Rows

Box = tuple[tuple[int, int], ...]
"""Of every column the first choice, and the one behind the last."""


def least_over(
    cardinalities: Sequence[int],
    bound: Callable[[Box], float],
    exact: Callable[[Rows], float],
    *,
    enough: float,
    most: int,
) -> float:
    """Return what no point of a space undercuts, those left out that do not count.

    The box of the least bound is split, along the column that takes the two bounds up most, until
    it is a point.

    Args:
        cardinalities: choices of each column.
        bound: what no point of a box undercuts; minus infinity where nothing is known.
        exact: the same of one row, int64[d]; infinite where it does not count.
        enough: nothing is asked of boxes whose bound is no less.
        most: bounds asked for, about; what was not split by then counts as its bound says.
    """
    whole = tuple((0, int(n)) for n in cardinalities)
    heap: list[tuple[float, Box]] = [(bound(whole), whole)]
    asked = 1
    while heap and -math.inf < heap[0][0] < enough and asked < most:
        low, box = heapq.heappop(heap)
        if not box:
            return low
        splits = [[(bound(half), half) for half in halves] for halves in _halved(box)]
        asked += 2 * len(splits)
        if splits:
            best = max(splits, key=lambda halves: sorted(low for low, _ in halves))
        else:
            best = [(max(low, exact(np.array([first for first, _ in box]))), ())]
            asked += 1
        for each in best:
            heapq.heappush(heap, each)
    return min(enough, heap[0][0]) if heap else enough


def _halved(box: Box) -> Iterator[tuple[Box, Box]]:
    """Yield the two halves along each column that has a choice."""
    for j, (first, end) in enumerate(box):
        middle = (first + end) // 2
        if middle > first:
            yield (
                (*box[:j], (first, middle), *box[j + 1 :]),
                (*box[:j], (middle, end), *box[j + 1 :]),
            )
