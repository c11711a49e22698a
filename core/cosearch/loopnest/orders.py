"""Loop orders as numbers: every permutation of the dimensions at a level, inner to outer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from attrs import field, frozen

from cosearch.errors import CosearchError
from cosearch.typing import IntArray

ORDER_BITS = 8
"""Bits per dimension in an order word; with more dimensions than this the slow walk is taken."""

MOST_FREE = 10
"""Dimensions that may be ordered freely; 10! orders take 29 MB."""


@frozen(eq=False)
class Orders:
    """The orders that one level may have: some dimensions in a fixed order inside all others.

    Attributes:
        inside: the dimensions whose order is fixed, inner to outer.
        free: the others, ascending; they stand outside, in any order.
        table: int8[choices, D], dimensions inner to outer, in lexicographic order of the free ones.
        words: int64[choices], the same as order words (see `pack.order_word`).
    """

    inside: tuple[int, ...]
    free: tuple[int, ...]
    table: np.ndarray = field(repr=False)
    words: IntArray = field(repr=False)

    def rank(self, orders: np.ndarray) -> IntArray:
        """Return the choice, int64[n], of each order, int[n, D], that begins as the fixed one."""
        place = np.full(len(self.inside) + len(self.free), -1)
        place[list(self.free)] = np.arange(len(self.free))
        digits = place[orders[:, len(self.inside) :]]
        rank = np.zeros(len(orders), dtype=np.int64)
        for i in range(digits.shape[1]):
            smaller_later = (digits[:, i + 1 :] < digits[:, i : i + 1]).sum(axis=1)
            rank += smaller_later * math.factorial(digits.shape[1] - 1 - i)
        return rank

    def rank_of(self, order: Sequence[int]) -> int:
        """Return the choice of one order that begins as the fixed one."""
        rest = list(self.free)
        rank = 0
        for dim in order[len(self.inside) :]:
            rank = rank * len(rest) + rest.index(dim)
            rest.remove(dim)
        return rank


@lru_cache(maxsize=64)
def orders(dims: int, inside: tuple[int, ...] = ()) -> Orders:
    """Return all orders of a number of dimensions, some of them fixed.

    Raises:
        CosearchError: more than 10 dimensions are free.
    """
    free = tuple(d for d in range(dims) if d not in inside)
    if len(free) > MOST_FREE:
        raise CosearchError(
            f"{len(free)} dimensions of more than one step may be ordered freely, "
            f"more than {MOST_FREE}",
            "fix an order at every level with a constraint",
        )
    tail = np.array(free, dtype=np.int8)[_permutations(len(free))]
    head = np.broadcast_to(np.array(inside, dtype=np.int8), (len(tail), len(inside)))
    table = np.hstack([head, tail])
    return Orders(inside, free, table, order_words(table))


@lru_cache(maxsize=16)
def _permutations(n: int) -> np.ndarray:
    """Return int8[n!, n], in lexicographic order."""
    if n == 0:
        return np.zeros((1, 0), dtype=np.int8)
    smaller = _permutations(n - 1)
    blocks = []
    for first in range(n):
        rest = smaller + (smaller >= first)
        blocks.append(np.hstack([np.full((len(rest), 1), first), rest]))
    return np.concatenate(blocks).astype(np.int8)


def order_words(table: np.ndarray) -> IntArray:
    """Return int64[n], the order words of orders, int[n, D]; see `pack.order_word`."""
    dims = table.shape[1]
    one = np.uint64(1)
    words = np.zeros(len(table), dtype=np.uint64)
    inside = np.zeros(len(table), dtype=np.uint64)
    for position in range(dims):
        dim = table[:, position].astype(np.uint64)
        if dims > ORDER_BITS:
            words |= dim << np.uint64(4 * position)
        else:
            words |= inside << (dim * np.uint64(ORDER_BITS))
            inside |= one << dim
    return words.view(np.int64)


def order_of_word(word: int, dims: int) -> tuple[int, ...]:
    """Return the dimensions inner to outer, the inverse of `pack.order_word`."""
    if dims > ORDER_BITS:
        return tuple((word >> (4 * i)) & 15 for i in range(dims))
    inside = [((word >> (ORDER_BITS * d)) & 255).bit_count() for d in range(dims)]
    return tuple(inside.index(position) for position in range(dims))
