"""How the kernel reads rows of a mapspace: tables from choices to loop bounds and orders."""

from __future__ import annotations

import numpy as np

from cosearch.loopnest.kernel.batch import starts
from cosearch.loopnest.kernel.geometry import Inputs
from cosearch.loopnest.kernel.state import Decoder
from cosearch.loopnest.slots import TIME, X, Y
from cosearch.loopnest.space.layout import RowLayout
from cosearch.typing import BoolArray

Orders = tuple[tuple[int, ...] | None, ...]
"""Per level the dimensions inner to outer, or None where they vary."""


def row_inputs(
    space: RowLayout, orders: Orders | None = None, *, of_its_form: bool = False
) -> Inputs:
    """Return what varies among the rows of a mapspace, or among those with given orders.

    Args:
        space: the mapspace.
        orders: of all rows; without, whatever the space leaves open.
        of_its_form: let vary what does on any machine of this form, so that all of them share a
            program: longer to run, and rarely to be written.
    """
    fixed = np.ones((3 * len(space.orders), len(space.dims)))
    for column in space.factor_columns:
        for i, slot in enumerate(column.slots):
            fixed[slot, column.dim] *= np.nan if column.varies[i] else column.factors[i, 0]
    if of_its_form and space.open_columns:
        fixed[_turning(space)] = np.nan
    if orders is None:
        orders = tuple(
            None if len(allowed.words) > 1 else tuple(int(d) for d in allowed.table[0])
            for allowed in space.orders
        )
    return Inputs(space.pack, fixed, space.keep_modes, orders)


def _turning(space: RowLayout) -> BoolArray:
    """Return bool[3 L]: the slots in which a machine of this form can have loops."""
    turning = np.zeros(3 * len(space.orders), dtype=np.bool_)
    turning[TIME::3] = True
    for level in range(len(space.orders)):
        turning[3 * level + X], turning[3 * level + Y] = (
            fanout > 1 for fanout in space.architecture.fanout(level)
        )
    return turning


def decoder(space: RowLayout, inputs: Inputs) -> Decoder:
    """Return the tables of a mapspace for programs with these inputs."""
    columns, targets, scales, tables = _bounds(space, inputs)
    first = len(space.open_columns)
    orders = [
        (first + k, space.orders[level].words)
        for k, level in enumerate(space.order_levels)
        if inputs.orders[level] is None
    ]
    first += len(space.order_levels)
    keeps = np.arange(len(inputs.keeps), dtype=np.int64)
    words = [words for _, words in orders]
    return Decoder(
        space.cardinalities.astype(np.uint64),
        np.array(columns, dtype=np.int64),
        np.array(targets, dtype=np.int64),
        starts(tables),
        np.array(scales, dtype=np.float64),
        np.concatenate([np.zeros(0), *tables]),
        np.array([column for column, _ in orders], dtype=np.int64),
        np.arange(len(orders), dtype=np.int64),
        starts(words),
        np.concatenate([np.zeros(0, dtype=np.int64), *words]),
        first + keeps,
        len(inputs.bounds) + keeps,
    )


def _bounds(
    space: RowLayout, inputs: Inputs
) -> tuple[list[int], list[int], list[float], list[np.ndarray]]:
    """Return column, register, scale and table of every step that makes up the loop bounds.

    The first step of a register writes (scaled by the primes that are the same in every row), the
    others multiply (scale 0). Bounds that are the same in every row are written all the same where
    the programs let them vary.
    """
    register = {place: i for i, place in enumerate(inputs.bounds)}
    constant = _constant_factors(space)
    columns: list[int] = []
    targets: list[int] = []
    scales: list[float] = []
    tables: list[np.ndarray] = []
    for position, column in enumerate(space.open_columns):
        for i, slot in enumerate(column.slots):
            if column.varies[i]:
                place = (int(slot), column.dim)
                scales.append(0.0 if register[place] in targets else constant.get(place, 1.0))
                columns.append(position)
                targets.append(register[place])
                tables.append(column.factors[i])
    for place in sorted(register.keys() - {inputs.bounds[target] for target in targets}):
        columns.append(0)
        scales.append(constant.get(place, 1.0))
        targets.append(register[place])
        tables.append(np.ones(space.cardinalities[0]))
    return columns, targets, scales, tables


def _constant_factors(space: RowLayout) -> dict[tuple[int, int], float]:
    """Return, by slot and dimension, the product of the primes that are the same in every row."""
    factors: dict[tuple[int, int], float] = {}
    for column in space.factor_columns:
        for i, slot in enumerate(column.slots):
            if not column.varies[i]:
                place = (int(slot), column.dim)
                factors[place] = factors.get(place, 1.0) * float(column.factors[i, 0])
    return factors
