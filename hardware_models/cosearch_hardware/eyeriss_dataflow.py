"""What Eyeriss' wiring lets a mapping do: where filter rows and columns may run.

Everything is said of a layer's own dimensions, found by what they index, so that the same rules
hold for a convolution and for a matrix product.
"""

from __future__ import annotations

from attrs import frozen

from cosearch.einsum import Einsum
from cosearch.loopnest.mapping import Constraints, LevelConstraint
from cosearch_hardware.eyeriss_space import INSIDE, SPREAD, Design


@frozen
class Meaning:
    """What a layer's dimensions stand for.

    Attributes:
        filter_width, filter_height: slide over the input's first and second sliding axis.
        output_width, output_height: their partners.
        reduced: further dimensions that are summed over (input channels).
        produced: index weights and outputs alone (filters).
        streamed: index inputs and outputs alone and do not slide (batch, rows of a matrix).
    """

    filter_width: frozenset[str]
    filter_height: frozenset[str]
    output_width: frozenset[str]
    output_height: frozenset[str]
    reduced: frozenset[str]
    produced: frozenset[str]
    streamed: frozenset[str]

    @classmethod
    def of(cls, layer: Einsum) -> Meaning:
        """Read the meaning off the projections; what a layer lacks is an empty set."""
        weights, inputs = (
            next((t for t in layer.operands if t.role == role), layer.operands[-1])
            for role in ("Weights", "Inputs")
        )
        sliding = [
            frozenset(dim for dim, _ in axis.terms) for axis in inputs.axes if len(axis.terms) > 1
        ]
        width, height = (sliding[i] if i < len(sliding) else frozenset() for i in range(2))
        moved = width | height
        outputs = layer.output.dims
        return cls(
            width - outputs, height - outputs, width & outputs, height & outputs,
            (weights.dims & inputs.dims) - outputs - moved,
            (weights.dims & outputs) - inputs.dims,
            (inputs.dims & outputs) - weights.dims - moved,
        )  # fmt: skip


def constraints_of(layer: Einsum, design: Design, *, row_stationary: bool) -> Constraints:
    """Return the constraints of a design's dataflow, by level name.

    Filter columns or rows that stay `inside` a PE are never spread; those that are `spread` have
    no loop inside a PE. Row-stationary rules add that a PE convolves one row of the filter with
    one row of the input (JSSC 2017, section III): in a PE run filters, then filter columns, then
    channels; over the array output rows and filters along X, filter rows and channels along Y.
    """
    meaning = Meaning.of(layer)
    places = (
        (meaning.filter_width, design.filter_width), (meaning.filter_height, design.filter_height)
    )  # fmt: skip
    never_spread = {dim for dims, place in places if place == INSIDE for dim in dims}
    never_inside = {dim for dims, place in places if place == SPREAD for dim in dims}
    along_x = along_y = frozenset(layer.dims) - never_spread
    order: tuple[str, ...] | None = None
    if row_stationary:
        never_inside |= (
            meaning.filter_height | meaning.output_width | meaning.output_height | meaning.streamed
        )
        along_x = meaning.output_height | meaning.produced
        if not meaning.output_height:
            along_x |= meaning.streamed
        along_y = meaning.filter_height | meaning.reduced
        inner = (meaning.produced, meaning.filter_width, meaning.reduced)
        order = tuple(dim for dims in inner for dim in sorted(dims))
    array = LevelConstraint(x_dims=along_x, y_dims=along_y)
    return {
        "scratchpads": LevelConstraint(
            temporal=dict.fromkeys(sorted(never_inside), 1), order=order
        ),
        "buffer": array,
        "DRAM": array,
    }
