"""Shapes that operators of ONNX Runtime make, which ONNX itself knows nothing of.

Sources: ONNX Runtime, docs/ContribOperators.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cosearch_plugins.readers.onnx.attributes import attributes, window_lengths
from cosearch_plugins.readers.shapes_to_layers import Shape

LIKE_FIRST = frozenset(
    (
        "BiasAdd", "BiasDropout", "BiasGelu", "BiasSoftmax", "BiasSplitGelu", "DynamicQuantizeLSTM",
        "FastGelu", "Gelu", "GroupNorm", "LayerNormalization", "QLinearAdd", "QLinearLeakyRelu",
        "QLinearMul", "QLinearSigmoid", "QLinearSoftmax", "QuickGelu", "RotaryEmbedding",
        "SimplifiedLayerNormalization", "SkipLayerNormalization",
        "SkipSimplifiedLayerNormalization", "SkipGroupNorm", "DequantizeLinear", "QuantizeLinear",
        "MultiHeadAttention", "GroupQueryAttention",
    )
)  # fmt: skip
"""Operators whose first result has the shape of their first operand."""


def contributed_shapes(
    node: Any,  # noqa: ANN401 - onnx.NodeProto
    shapes: Mapping[str, Shape],
) -> dict[str, Shape]:
    """Return the shapes of a node's results as far as they follow from its operands' shapes."""
    if node.domain in ("", "ai.onnx"):
        return {}
    operands = [shapes.get(name) for name in node.input]
    result = _result(node, operands)
    if result is None or not node.output:
        return {}
    return {node.output[0]: result}


def _result(node: Any, operands: list[Shape | None]) -> Shape | None:  # noqa: ANN401
    kind = node.op_type
    first = operands[0] if operands else None
    second = operands[1] if len(operands) > 1 else None
    if first is None or kind in LIKE_FIRST:
        return first
    if kind == "Attention" and second is not None:
        return (*first[:-1], second[-1] // 3)
    if kind in ("FusedConv", "NhwcFusedConv") and second is not None:
        return (first[0], second[0], *window_lengths(first[2:], second[2:], attributes(node)))
    if kind in ("FusedMatMul", "FusedGemm", "MatMulInteger16") and second is not None:
        return _product(node, first, second)
    if kind == "MatMulNBits":
        return (*first[:-1], attributes(node).integer("N", 1))
    return None


def _product(node: Any, first: Shape, second: Shape) -> Shape:  # noqa: ANN401 - onnx.NodeProto
    attrs = attributes(node)
    rows = first[-1] if attrs.integer("transA", 0) else first[-2]
    columns = second[-2] if attrs.integer("transB", 0) else second[-1]
    batch = first[:-2] if len(first) >= len(second) else second[:-2]
    return (*batch, rows, columns)
