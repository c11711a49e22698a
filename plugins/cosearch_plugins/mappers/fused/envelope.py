"""What is known of a least weighted sum from other weights: it is concave in their ratio.

The least energy + r * cycles over a set of mappings is a minimum of straight lines in r: concave,
and never falling. Between two ratios it is not below the chord; beyond the known ones it is not
below the last value, nor below the ray from zero. Where one mapping is the best at both ends, it is
the best between them.
"""

from __future__ import annotations

import bisect
from typing import Generic, TypeVar

from attrs import define, field

from cosearch.mapping.outline import Weights

T = TypeVar("T")


@define(eq=False)
class Envelope(Generic[T]):
    """Least weighted sums at some ratios, with what has them."""

    _ratios: list[float] = field(init=False, factory=list)
    _leasts: list[float] = field(init=False, factory=list)
    _found: list[T] = field(init=False, factory=list)

    def learn(self, weights: Weights, least: float, found: T) -> None:
        """Take in that no weighted sum is below a value; `found` is what was found there."""
        if weights[0] <= 0:
            return
        ratio, least = weights[1] / weights[0], least / weights[0]
        i = bisect.bisect_left(self._ratios, ratio)
        if i < len(self._ratios) and self._ratios[i] == ratio:
            if least >= self._leasts[i]:
                self._leasts[i], self._found[i] = least, found
            return
        self._ratios.insert(i, ratio)
        self._leasts.insert(i, least)
        self._found.insert(i, found)

    def least(self, weights: Weights) -> float:
        """Return a value that no weighted sum is below; 0 where nothing is known."""
        if weights[0] <= 0 or not self._ratios:
            return 0.0
        ratio = weights[1] / weights[0]
        i = bisect.bisect_left(self._ratios, ratio)
        if i == len(self._ratios):
            return weights[0] * self._leasts[-1]
        high, above = self._ratios[i], self._leasts[i]
        if high == ratio:
            return weights[0] * above
        low, below = (self._ratios[i - 1], self._leasts[i - 1]) if i else (0.0, 0.0)
        share = (ratio - low) / (high - low)
        return weights[0] * (share * above + (1 - share) * below)

    def around(self, weights: Weights) -> tuple[T, T] | None:
        """Return what was found at the nearest ratios on both sides, or None."""
        if weights[0] <= 0:
            return None
        i = bisect.bisect_left(self._ratios, weights[1] / weights[0])
        if not 0 < i < len(self._ratios):
            return None
        return self._found[i - 1], self._found[i]
