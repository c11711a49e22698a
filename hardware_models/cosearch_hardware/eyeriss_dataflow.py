"""What Eyeriss' wiring lets a mapping do: where filter rows and columns may run.

Everything is said of a layer's own dimensions, so that the same rules hold for a convolution and
for a matrix product.
"""

from __future__ import annotations

from cosearch.einsum import Einsum
from cosearch.loopnest.mapping import Constraints, LevelConstraint
from cosearch_hardware.dimensions import Dimensions
from cosearch_hardware.eyeriss_space import INSIDE, SPREAD, Design


def constraints_of(layer: Einsum, design: Design, *, row_stationary: bool) -> Constraints:
    """Return the constraints of a design's dataflow, by level name.

    Filter columns or rows that stay `inside` a PE are never spread; those that are `spread` have
    no loop inside a PE. Row-stationary rules add that a PE convolves one row of the filter with
    one row of the input (JSSC 2017, section III): in a PE run filters, then filter columns, then
    channels; over the array output rows, filters and groups along X, filter rows and channels
    along Y.
    """
    dims = Dimensions.of(layer)
    places = (
        (dims.filter_width, design.filter_width), (dims.filter_height, design.filter_height)
    )  # fmt: skip
    never_spread = {dim for group, place in places if place == INSIDE for dim in group}
    never_inside = {dim for group, place in places if place == SPREAD for dim in group}
    along_x = along_y = frozenset(layer.dims) - never_spread
    order: tuple[str, ...] | None = None
    if row_stationary:
        never_inside |= dims.filter_height | dims.output_width | dims.output_height | dims.streamed
        along_x = dims.output_height | dims.produced | dims.separate
        if not dims.output_height:
            along_x |= dims.streamed
        along_y = dims.filter_height | dims.reduced
        inner = (dims.produced, dims.filter_width, dims.reduced)
        order = tuple(dim for group in inner for dim in sorted(group))
    array = LevelConstraint(x_dims=along_x, y_dims=along_y)
    return {
        "scratchpads": LevelConstraint(
            temporal=dict.fromkeys(sorted(never_inside), 1), order=order
        ),
        "buffer": array,
        "DRAM": array,
    }
