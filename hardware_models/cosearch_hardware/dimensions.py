"""What a layer's dimensions stand for, read off what they index.

A dataflow speaks of filter rows, channels and pixels. A matrix product has other names for some of
them and lacks the rest; here both answer to the same words.
"""

from __future__ import annotations

from attrs import frozen

from cosearch.workload.einsum import Einsum


@frozen
class Dimensions:
    """The dimensions of a layer, by what they stand for; what a layer lacks is an empty set.

    Attributes:
        filter_width, filter_height: slide over the input's first and second sliding axis.
        output_width, output_height: their partners.
        reduced: further dimensions that are summed over (input channels).
        produced: index weights and outputs alone (filters).
        streamed: index inputs and outputs alone and do not slide (batch, rows of a matrix).
        separate: index every tensor (groups, batches of a batched product).
    """

    filter_width: frozenset[str]
    filter_height: frozenset[str]
    output_width: frozenset[str]
    output_height: frozenset[str]
    reduced: frozenset[str]
    produced: frozenset[str]
    streamed: frozenset[str]
    separate: frozenset[str]

    @classmethod
    def of(cls, layer: Einsum) -> Dimensions:
        """Read them off the projections of the layer's tensors."""
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
            width - outputs,
            height - outputs,
            width & outputs,
            height & outputs,
            (weights.dims & inputs.dims) - outputs - moved,
            (weights.dims & outputs) - inputs.dims,
            (inputs.dims & outputs) - weights.dims - moved,
            inputs.dims & outputs & weights.dims,
        )
