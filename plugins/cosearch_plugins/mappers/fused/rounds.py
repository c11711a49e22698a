"""Where time is limited: every group is searched for a little while first, then for longer.

One group's search can take all the time there is, and ends with nothing. So a round gives each as
much, the next more, near the energy and cycles that the last has come to; what is known of bodies
and groups is not searched again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from cosearch_plugins.mappers.fused.chain import ChainFound
from cosearch_plugins.mappers.fused.group import GroupSearch

LONGER = 4
"""How many times longer a group is searched in the next round."""

Sums: TypeAlias = tuple[float, float]
"""Energy (pJ) and cycles of a network."""

Found: TypeAlias = tuple[list[ChainFound], float]
"""Groups of a network's chains, and how much better others can be at most, relative."""


def in_rounds(
    search: GroupSearch,
    groups: int,
    once: Callable[[Sums], Found],
    judged: Callable[[list[ChainFound]], tuple[float, Sums]],
    sums: Sums,
) -> Found:
    """Return the best of all rounds; without a deadline there is one.

    Args:
        search: of groups, told how long each may take.
        groups: there are, at most.
        once: one round, near some sums.
        judged: the value of what was found, and its sums.
        sums: to begin near.
    """
    search.patience = search.left / groups
    best, gap = once(sums)
    while gap > 0 and search.patience < math.inf and search.left > 0:
        longer = LONGER * search.patience
        search.patience = longer if longer < search.left else math.inf
        value, sums = judged(best)
        found, left = once(sums)
        other = judged(found)[0]
        least = max(value * (1 - gap), other * (1 - left))
        if left == 0 or other <= value:
            best, value = found, other
        gap = 0.0 if left == 0 else 1 - least / value
    return best, gap
