"""What Eyeriss' wiring lets a mapping do, and the rules of its row-stationary dataflow on top.

Everything is said of a layer's own dimensions, so that the same rules hold for a convolution and
for a matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from cosearch.loopnest.mapping import Constraints, LevelConstraint
from cosearch.workload.einsum import Einsum
from cosearch_hardware.dimensions import Dimensions
from cosearch_hardware.eyeriss.space import INSIDE, SPREAD, Design

Rules: TypeAlias = Callable[[Dimensions], Constraints]
"""What a dataflow prescribes, by level name."""


def wiring(layer: Einsum, dims: Dimensions, design: Design) -> Constraints:
    """Return what a design's wiring prescribes, by level name.

    Filter columns or rows that stay `inside` a PE are never spread; those that are `spread` have
    no loop inside a PE.
    """
    places = ((dims.filter_width, design.filter_width), (dims.filter_height, design.filter_height))
    never_spread = {dim for group, place in places if place == INSIDE for dim in group}
    never_inside = {dim for group, place in places if place == SPREAD for dim in group}
    anywhere = frozenset(layer.dims) - never_spread
    array = LevelConstraint(x_dims=anywhere, y_dims=anywhere)
    return {
        "scratchpads": LevelConstraint(temporal=dict.fromkeys(sorted(never_inside), 1)),
        "buffer": array,
        "DRAM": array,
    }


def row_stationary(dims: Dimensions) -> Constraints:
    """Return the chip's rules: a PE convolves a row of the filter with a row of the input.

    In a PE run filters, then filter columns, then channels; over the array output rows, filters
    and groups along X, filter rows and channels along Y (JSSC 2017, section III). Loops above the
    PEs are free.
    """
    array = LevelConstraint(x_dims=_along_x(dims), y_dims=dims.filter_height | dims.reduced)
    return {
        "scratchpads": LevelConstraint(
            temporal=_one(_never_in_a_pe(dims)),
            order=_in_turn(dims.produced, dims.filter_width, dims.reduced),
        ),
        "buffer": array,
        "DRAM": array,
    }


def timeloop_rows(dims: Dimensions) -> Constraints:
    """Return the rules that Timeloop's own descriptions of Eyeriss come with.

    On top of the chip's, one buffer tile holds whole filters and output rows, so that above a PE
    only output columns, batch and filters turn in the buffer, and channels, filters, batch and
    output rows in DRAM, in these orders; filters may be stacked along Y too. From
    `configs/timeloop/eyeriss-256.cfg` of NVlabs/timeloop (commit 27bc91b) and
    `cnn-layer-eyeriss-192-rs.constraints.yaml` of timeloop-accelergy-exercises (89dee9d), 2020.
    """
    filters = dims.filter_width | dims.filter_height
    return {
        "scratchpads": LevelConstraint(
            temporal=_one(_never_in_a_pe(dims)),
            order=_in_turn(dims.produced, dims.reduced, dims.filter_width),
        ),
        "buffer": LevelConstraint(
            temporal=_one(filters | dims.output_height | dims.reduced),
            order=_in_turn(dims.output_width, dims.streamed, dims.produced),
            x_dims=_along_x(dims),
            y_dims=dims.filter_height | dims.reduced | dims.produced,
        ),
        "DRAM": LevelConstraint(
            temporal=_one(filters | dims.output_width),
            order=_in_turn(dims.reduced, dims.produced, dims.streamed, dims.output_height),
            x_dims=frozenset(),
            y_dims=frozenset(),
        ),
    }


RULES: Mapping[str, Rules] = {"row-stationary": row_stationary, "timeloop-rows": timeloop_rows}
"""By the name in the option `mapping`."""


def _never_in_a_pe(dims: Dimensions) -> frozenset[str]:
    return dims.filter_height | dims.output_width | dims.output_height | dims.streamed


def _along_x(dims: Dimensions) -> frozenset[str]:
    """Return output rows, filters and groups; without output rows, rows of the matrix."""
    rows = dims.output_height or dims.streamed
    return rows | dims.produced | dims.separate


def _one(dims: frozenset[str]) -> dict[str, int]:
    return dict.fromkeys(sorted(dims), 1)


def _in_turn(*groups: frozenset[str]) -> tuple[str, ...]:
    return tuple(dim for group in groups for dim in sorted(group))
