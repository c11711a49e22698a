"""Moves between mappings, on whole batches of rows, each in the words of the mapspace."""

from __future__ import annotations

import numpy as np

from cosearch.loopnest.orders import Orders
from cosearch.loopnest.slots import FactorColumn
from cosearch.loopnest.space.layout import RowLayout
from cosearch.typing import IntArray, Rows


def neighbours(space: RowLayout, rows: Rows, rng: np.random.Generator) -> Rows:
    """Return one neighbour of each row.

    One column is changed: a prime moves from one slot to another, or two loops of an order change
    places, or a tensor that was kept bypasses a level or the other way round.
    """
    out = rows.copy()
    columns = len(space.cardinalities)
    if columns == 0 or len(rows) == 0:
        return out
    picked = rng.integers(0, columns, size=len(rows))
    draws = rng.random((len(rows), 3))
    factors, levels = space.open_columns, space.order_levels
    for column in np.unique(picked):
        which = np.flatnonzero(picked == column)
        current, random = rows[which, column], draws[which]
        if column < len(factors):
            changed = _move_prime(factors[column], current, random)
        elif column < len(factors) + len(levels):
            changed = _swap_loops(space.orders[levels[column - len(factors)]], current, random)
        else:
            changed = 1 - current
        out[which, column] = changed
    return out


def _move_prime(column: FactorColumn, current: IntArray, random: np.ndarray) -> IntArray:
    """Take one prime out of a slot that has one and put it into another slot.

    Where the result is no choice of the column, any other choice is taken.
    """
    exponents = column.exponents[current].astype(np.int64)
    slots = exponents.shape[1]
    filled = np.cumsum(exponents > 0, axis=1)
    nth = (random[:, 0] * filled[:, -1]).astype(np.int64)
    source = (filled > nth[:, None]).argmax(axis=1)
    target = (random[:, 1] * (slots - 1)).astype(np.int64)
    target += target >= source
    lanes = np.arange(len(current))
    exponents[lanes, source] -= 1
    exponents[lanes, target] += 1
    found = column.indices(exponents)
    choices = len(column.exponents)
    other = (current + 1 + (random[:, 2] * (choices - 1)).astype(np.int64)) % choices
    return np.where(found >= 0, found, other)


def _swap_loops(allowed: Orders, current: IntArray, random: np.ndarray) -> IntArray:
    order = allowed.table[current].astype(np.int64)
    first, free = len(allowed.inside), len(allowed.free)
    a = (random[:, 0] * free).astype(np.int64)
    b = (random[:, 1] * (free - 1)).astype(np.int64)
    b += b >= a
    lanes = np.arange(len(current))
    order[lanes, first + a], order[lanes, first + b] = (
        order[lanes, first + b],
        order[lanes, first + a],
    )
    return allowed.rank(order)


def children(space: RowLayout, a: Rows, b: Rows, rng: np.random.Generator) -> Rows:
    """Return one child of each pair of rows.

    All primes of a dimension come from one parent, and all choices of a level (its order and what
    it keeps) come from one parent.
    """
    dims, levels = len(space.dims), len(space.orders)
    group = [column.dim for column in space.open_columns]
    group += [dims + level for level in space.order_levels]
    group += [dims + level for level, _ in space.keep_places]
    from_a = rng.random((len(a), dims + levels)) < 0.5
    return np.where(from_a[:, np.array(group, dtype=np.int64)], a, b)
