"""Pricing whole batches of mappings: the Python side of the compiled kernel."""

from __future__ import annotations

import numpy as np

from cosearch.hardware import CostBatch
from cosearch.loopnest import kernel
from cosearch.loopnest.mapspace import ALWAYS, MapSpace
from cosearch.loopnest.pack import Nests, Pack
from cosearch.typing import Rows


def decoder(space: MapSpace) -> kernel.Decoder:
    """Return what the kernel needs to read rows of a mapspace."""
    levels, dims = len(space.orders), len(space.dims)
    base = np.ones((3 * levels, dims))
    open_columns = []
    for column in space.factor_columns:
        if len(column.exponents) > 1:
            open_columns.append(column)
        else:
            base[column.slots, column.dim] *= float(column.prime) ** column.exponents[0]
    seen: set[int] = set()
    first = []
    for column in open_columns:
        first.append(column.dim not in seen)
        seen.add(column.dim)
    tables = [(float(c.prime) ** c.exponents.astype(np.float64)).T.ravel() for c in open_columns]
    position = len(open_columns)
    order_column = np.full(levels, -1, dtype=np.int64)
    for level in range(levels):
        if len(space.orders[level].words) > 1:
            order_column[level] = position
            position += 1
    keep_column = np.full(space.keep_modes.shape, -1, dtype=np.int64)
    for level, t in np.argwhere(space.keep_modes == 2):
        keep_column[level, t] = position
        position += 1
    spread = np.array(
        [
            any((3 * l in c.slots) or (3 * l + 1 in c.slots) for c in space.factor_columns)
            for l in range(levels)
        ],
        dtype=bool,
    )
    ints = lambda values: np.array(values, dtype=np.int64)
    return kernel.Decoder(
        ints([c.dim for c in open_columns]),
        np.array(first, dtype=bool),
        np.cumsum([0, *(len(t) for t in tables)], dtype=np.int64)[:-1],
        ints([len(c.exponents) for c in open_columns]),
        np.cumsum([0, *(len(c.slots) for c in open_columns)], dtype=np.int64),
        np.concatenate([c.slots for c in open_columns]) if open_columns else ints([]),
        np.concatenate(tables) if tables else np.zeros(0),
        base,
        order_column,
        np.cumsum([0, *(len(o.words) for o in space.orders)], dtype=np.int64)[:-1],
        np.concatenate([o.words for o in space.orders]),
        keep_column,
        space.keep_modes,
        spread,
    )


def evaluate_rows(space: MapSpace, rows: Rows) -> CostBatch:
    dec = decoder(space)
    n = len(rows)
    levels, dims, tensors = len(space.orders), len(space.dims), len(space.layer.tensors)
    out = kernel.Prices(np.empty(n), np.empty(n), np.empty(n, dtype=np.int64), np.empty(n))
    source, valid = kernel.lanes(levels, dims, tensors), kernel.lanes(levels, dims, tensors)
    source.factors[:] = dec.base[:, :, None]
    kernel.price_rows(space.pack, dec, rows, 0, n, source, valid, kernel.work(levels, dims), out)
    return CostBatch(out.energy, out.cycles, out.reason == 0, out.reason, space.reasons, out.excess)
