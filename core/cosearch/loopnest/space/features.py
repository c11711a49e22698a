"""What a surrogate model should know of a mapping.

After Shi et al., "Learned Hardware/Software Co-Design of Neural Accelerators" (arXiv 2010.02075,
section 4): how full each buffer is and with which tensor, how much of the array's X and Y is in
use, and the sizes of the tiles; each between 0 and 1 for mappings that fit.
"""

from __future__ import annotations

import numpy as np

from cosearch.loopnest.kernel.pack import CAPACITY, SPREAD_X, SPREAD_Y
from cosearch.loopnest.slots import X, Y
from cosearch.loopnest.space.layout import RowLayout
from cosearch.typing import FloatArray, IntArray, Rows
from cosearch.workload.einsum import Tensor


def domain_features(space: RowLayout, rows: Rows) -> FloatArray:
    """Return float64[n, f]: use of every limited memory by tensor, of X and Y, log tile sizes."""
    levels = len(space.orders)
    blocks = space.factors(rows).reshape(len(rows), levels, 3, len(space.dims))
    extents = blocks.prod(axis=2).cumprod(axis=1)
    columns = [*_buffers(space, extents, space.keeps_of(rows)), *_spread(space, blocks)]
    sizes = np.log2(space.pack.sizes)
    for level in range(levels - 1):
        tile = np.log2(extents[:, level].astype(np.float64))
        columns += list((tile / np.maximum(sizes, 1.0)).T)
    return np.stack(columns, axis=1).astype(np.float64)


def _buffers(space: RowLayout, extents: IntArray, keeps: np.ndarray) -> list[FloatArray]:
    columns = []
    pack = space.pack
    for check in np.flatnonzero(pack.check_kind == CAPACITY):
        level, room = int(pack.check_place[check]), max(float(pack.check_limit[check]), 1.0)
        for t, tensor in enumerate(space.layer.tensors):
            if pack.check_tensors[check, t] and space.keep_modes[level, t]:
                words = _words(space, tensor, extents[:, level])
                columns.append(words * keeps[:, level, t] / room)
    return columns


def _spread(space: RowLayout, blocks: IntArray) -> list[FloatArray]:
    columns = []
    pack = space.pack
    for kind, slot in ((SPREAD_X, X), (SPREAD_Y, Y)):
        for check in np.flatnonzero(pack.check_kind == kind):
            limit, place = float(pack.check_limit[check]), int(pack.check_place[check])
            used = blocks[:, place + 1 :, slot].prod(axis=(1, 2))
            if limit > 1.0:
                columns.append(used / limit)
    return columns


def _words(space: RowLayout, tensor: Tensor, extent: IntArray) -> FloatArray:
    words = np.ones(len(extent))
    for axis in tensor.axes:
        side = np.ones(len(extent))
        for dim, coefficient in axis.terms:
            if dim in space.dims:
                side += coefficient * (extent[:, space.dims.index(dim)] - 1.0)
        words *= side
    return words


def encoding(space: RowLayout, rows: Rows) -> FloatArray:
    """Return float64[n, e] in [0, 1]: exponents by slot, places in each order, what is kept."""
    columns: list[FloatArray] = []
    for position, column in enumerate(space.open_columns):
        exponents = column.exponents[rows[:, position]].astype(np.float64)
        columns += list((exponents / max(1.0, float(column.exponents.max()))).T)
    dims = len(space.dims)
    for level in space.order_levels:
        places = np.argsort(space.order_of(rows, level), axis=1)
        columns += list((places / max(1, dims - 1)).T)
    first = len(space.open_columns) + len(space.order_levels)
    columns += list(rows[:, first:].T.astype(np.float64))
    return np.stack(columns, axis=1) if columns else np.zeros((len(rows), 0))
