"""The closed form of access counts that accompanies DOSA's points: an oracle for every point.

It knows nothing of levels, boxes or groups: it is written for one machine (K over the columns, C
over the rows, three memories and a register), loop by loop, and so is independent of the model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from cosearch.loopnest.mapping import Loop
from cosearch.loopnest.mapping import Mapping as LoopMapping
from cosearch.workload.einsum import Einsum


def access_counts(
    layer: Einsum, mapping: LoopMapping, stride: tuple[int, int]
) -> dict[str, int] | None:
    """Return the counts of all instances together, by the names of DOSA's columns.

    Args:
        layer: a convolution without groups or dilation.
        mapping: register, accumulator, scratchpad and DRAM, inner to outer.
        stride: along P and along Q.

    Returns:
        None where the mapping is not of the form that the formulas are for: C alone spread below
        the accumulator and K alone below the scratchpad, no loop in time at the scratchpad, no
        loop but P at the register.
    """
    register, accumulator, scratchpad, dram = mapping.levels
    dims_of = [
        {loop.dim for loop in loops}
        for loops in (accumulator.spatial, scratchpad.spatial, register.temporal)
    ]
    if scratchpad.temporal or register.spatial or dram.spatial:
        return None
    if not (dims_of[0] <= {"C"} and dims_of[1] <= {"K"} and dims_of[2] <= {"P"}):
        return None
    tile = mapping.tile(2, layer.dims)
    rows, columns = (
        math.prod(x.bound for x in entry.spatial) for entry in (accumulator, scratchpad)
    )
    weights = math.prod(tile[dim] for dim in "RSCK")
    outputs = math.prod(tile[dim] for dim in "PQK")
    whole = math.prod(layer.bounds[dim] for dim in "PQK")
    steps = mapping.steps
    loads = {
        "W": _reloaded(weights, dram.temporal, "RSCK"),
        "I": _slid(tile, dram.temporal, stride),
        "O": _reloaded(outputs, dram.temporal, "PQK"),
    }
    register_loads = _reloaded(rows * columns, accumulator.temporal + dram.temporal, "RSCK")
    return {
        "macs": steps * rows * columns,
        "reg_w_fill": register_loads,
        "acc_o_update": steps * columns,
        "acc_o_read": steps * columns - whole,
        "acc_o_fill": loads["O"],
        "sp_i_read": steps * rows,
        "sp_w_read": register_loads,
        "sp_i_fill": loads["I"],
        "sp_w_fill": loads["W"],
        "dram_i_read": loads["I"],
        "dram_w_read": loads["W"],
        "dram_o_read": loads["O"] - whole,
        "dram_o_update": loads["O"],
    }


def _reloaded(words: int, loops: Sequence[Loop], relevant: str) -> int:
    """Return a tile's words times every loop from the innermost relevant one outwards."""
    met = False
    for loop in loops:
        met = met or (loop.dim in relevant and loop.bound > 1)
        words *= loop.bound if met else 1
    return words


def _slid(tile: Mapping[str, int], loops: Sequence[Loop], stride: tuple[int, int]) -> int:
    """Return the input words loaded.

    A halo is kept at the innermost loop, and at any other whose step less those of all loops
    inside it is the same.
    """
    sides = (
        (tile["P"] - 1) * stride[0] + tile["R"],
        (tile["Q"] - 1) * stride[1] + tile["S"],
        tile["C"],
    )
    steps = {
        "R": (tile["R"], 0, 0),
        "P": (tile["P"] * stride[0], 0, 0),
        "S": (0, tile["S"], 0),
        "Q": (0, tile["Q"] * stride[1], 0),
        "C": (0, 0, tile["C"]),
        "K": (0, 0, 0),
        "N": (0, 0, 0),
    }
    words = loaded = math.prod(sides)
    inside: tuple[int, ...] = (0, 0, 0)
    first: tuple[int, ...] | None = None
    for loop in loops:
        if loop.bound == 1:
            continue
        net = tuple(a - b for a, b in zip(steps[loop.dim], inside, strict=True))
        first = first or net
        kept = math.prod(max(0, a - abs(m)) for a, m in zip(sides, net, strict=True))
        again = words - (kept if net == first else 0)
        loaded += (loop.bound - 1) * (loaded - words + again)
        inside = tuple(a + b for a, b in zip(inside, steps[loop.dim], strict=True))
    return loaded
