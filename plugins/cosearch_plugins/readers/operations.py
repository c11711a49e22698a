"""What operators cost that the cost model does not price, counted by one simple rule.

One operation an output element; an operator that reads a window or a whole tensor into each
element counts one operation an element read; one that only moves or names data counts none. The
rule is coarse on purpose: it tells whether what is left out is a thousandth or half of the work.
"""

from __future__ import annotations

MOVES_DATA = frozenset(
    (
        "Cast", "CastLike", "Concat", "Constant", "ConstantOfShape", "DepthToSpace",
        "DequantizeLinear", "Dropout", "Expand", "Flatten", "Gather", "GatherElements", "GatherND",
        "Identity", "OneHot", "Pad", "QuantizeLinear", "Range", "Reshape", "ScatterElements",
        "ScatterND", "Scatter", "SequenceAt", "SequenceConstruct", "Shape", "Size", "Slice",
        "SpaceToDepth", "Split", "SplitToSequence", "Squeeze", "Tile", "Transpose", "Trilu",
        "Unsqueeze", "EyeLike", "Optional", "OptionalGetElement", "ConcatFromSequence",
        "ReverseSequence",
    )
)  # fmt: skip
"""ONNX operators without arithmetic (quantizing is counted as conversion on the way)."""

READS_ALL = frozenset(
    (
        "ArgMax", "ArgMin", "CumSum", "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool",
        "GroupNormalization", "Hardmax", "InstanceNormalization", "LayerNormalization",
        "LogSoftmax", "LpNormalization", "MeanVarianceNormalization", "NonMaxSuppression",
        "NonZero", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
        "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "Softmax", "TopK",
        "Unique",
    )
)  # fmt: skip
"""ONNX operators that read a whole tensor whatever the size of their result."""

MOVES_DATA_REASON = "moves, names or converts data: no operations"
ELEMENTWISE_REASON = "not a layer of products: counted, not priced"
UNKNOWN_SHAPE_REASON = "its shape is not known, nor how many operations it takes"
UNKNOWN_OPERATOR_REASON = "an operator that is not known here: so are its operations"
DATA_REASON = "how many operations it takes depends on data or on tables: unknown"
MOST_REASON = "counted as the most that its shapes allow, not priced"
SUMMED_REASON = "an operand is summed up before its product: counted, not priced"
SAMPLED_REASON = "reads its input where data says, four pixels a sample: counted, not priced"
SOFTMAX_REASON = "the softmax within it: counted, not priced"
WITHIN_REASON = "the activations within it: counted, not priced"
ROUTED_REASON = "data chooses the experts: priced as if tokens were spread evenly over them"
OTHER_FORM_REASON = "products in a form that is not read: counted, not priced"
BRANCH_REASON = "control flow: the larger branch is counted, not priced"
LOOP_REASON = "control flow: its body is counted once a step, not priced"
OPEN_LOOP_REASON = "control flow with an open number of steps: its body is counted once"
