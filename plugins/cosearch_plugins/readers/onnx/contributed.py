"""Shapes that operators of ONNX Runtime make, which ONNX itself knows nothing of.

Sources: ONNX Runtime, docs/ContribOperators.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from attrs import frozen

from cosearch_plugins.readers.onnx.attributes import Attributes, attributes, window_lengths
from cosearch_plugins.readers.onnx.heads import attention_sizes
from cosearch_plugins.readers.shapes_to_layers import Shape

LIKE_FIRST = frozenset(
    (
        "BiasAdd", "BiasDropout", "BiasGelu", "BiasSoftmax", "BitmaskBiasDropout",
        "BitmaskDropout", "DequantizeLinear", "FastGelu", "Gelu", "GroupNorm", "Inverse",
        "LayerNormalization", "MoE", "QLinearLeakyRelu", "QLinearSigmoid", "QLinearSoftmax",
        "QMoE", "QuantizeLinear", "QuickGelu", "RotaryEmbedding", "SimplifiedLayerNormalization",
        "SkipGroupNorm", "SkipLayerNormalization", "SkipSimplifiedLayerNormalization", "Trilu",
    )
)  # fmt: skip
"""Operators whose first result has the shape of their first operand."""

SUM_OF_OPERANDS = {
    "SkipLayerNormalization": 3,
    "SkipSimplifiedLayerNormalization": 3,
    "SkipGroupNorm": 1,
}
"""Operators with a second result like the first, and which one it is."""

COUNTED_BY_ELEMENT = LIKE_FIRST - {"MoE", "QMoE", "Inverse"} | {
    "BiasSplitGelu", "EmbedLayerNormalization", "MaxpoolWithMask", "NhwcMaxPool", "QLinearAdd",
    "QLinearAveragePool", "QLinearConcat", "QLinearGlobalAveragePool", "QLinearMul",
    "QLinearReduceMean", "QLinearWhere",
}  # fmt: skip
"""Operators without products: a few operations an element."""

MOVES_DATA = frozenset(
    ("ExpandDims", "GatherBlockQuantized", "GatherND", "Pad", "RemovePadding", "RestorePadding")
)
"""Operators that move or convert data."""


@frozen
class Operands:
    """A node with the shapes of its operands.

    Attributes:
        kind: the operator.
        shapes: None where one is left out or not known.
        attrs: attributes.
    """

    kind: str
    shapes: tuple[Shape | None, ...]
    attrs: Attributes

    def shape(self, i: int) -> Shape:
        """Return the shape of an operand; raises LookupError where it is not known."""
        shape = self.shapes[i] if i < len(self.shapes) else None
        if shape is None:
            raise LookupError(i)
        return shape

    def given(self, i: int) -> Shape | None:
        """Return the shape of an operand, None where it is left out."""
        return self.shapes[i] if i < len(self.shapes) else None


Results: TypeAlias = Mapping[int, Shape]
"""Shapes by the position of the result."""


def contributed_shapes(
    node: Any,  # noqa: ANN401 - onnx.NodeProto
    shapes: Mapping[str, Shape],
) -> dict[str, Shape]:
    """Return the shapes of a node's results as far as they follow from its operands'."""
    operands = Operands(
        node.op_type,
        tuple(shapes.get(name) if name else None for name in node.input),
        attributes(node),
    )
    rule = RULES.get(node.op_type, _like_first if node.op_type in LIKE_FIRST else None)
    if rule is None:
        return {}
    try:
        results = rule(operands)
    except (LookupError, ValueError, TypeError, ZeroDivisionError):
        return {}
    return {node.output[i]: s for i, s in results.items() if i < len(node.output)}


def _like_first(node: Operands) -> Results:
    first = node.shape(0)
    other = SUM_OF_OPERANDS.get(node.kind)
    return {0: first} if other is None else {0: first, other: first}


def _attention(node: Operands) -> Results:
    sizes = attention_sizes(node.kind, node.given, node.attrs)
    first = node.shape(0)
    lead = first[:2] if len(first) in (3, 5) else first[:1]
    result: dict[int, Shape] = {0: (*lead, sizes.heads * sizes.value_head)}
    if node.kind == "GroupQueryAttention":
        length = max(sizes.keys, (node.given(3) or (0, 0, 0))[2])
        cache = (sizes.batch, sizes.kv_heads, length)
        result |= {1: (*cache, sizes.head), 2: (*cache, sizes.value_head)}
    return result


def _fused_conv(node: Operands) -> Results:
    first, filters = node.shape(0), node.shape(1)
    return {0: (first[0], filters[0], *window_lengths(first[2:], filters[2:], node.attrs))}


def _nhwc_conv(node: Operands) -> Results:
    first, filters = node.shape(0), node.shape(1)
    return {0: (first[0], *window_lengths(first[1:-1], filters[2:], node.attrs), filters[0])}


def _quantized_conv(node: Operands) -> Results:
    first, filters = node.shape(0), node.shape(3)
    if node.attrs.integer("channels_last", 0):
        return {0: (first[0], *window_lengths(first[1:-1], filters[2:], node.attrs), filters[0])}
    return {0: (first[0], filters[0], *window_lengths(first[2:], filters[2:], node.attrs))}


def _pool(node: Operands) -> Results:
    first, kernel = node.shape(0), node.attrs.integers("kernel_shape", ())
    if node.kind == "NhwcMaxPool" or node.attrs.integer("channels_last", 0):
        return {0: (first[0], *window_lengths(first[1:-1], kernel, node.attrs), first[-1])}
    return {0: (*first[:2], *window_lengths(first[2:], kernel, node.attrs))}


def _global_pool(node: Operands) -> Results:
    first = node.shape(0)
    if node.attrs.integer("channels_last", 0):
        return {0: (first[0], *(1 for _ in first[1:-1]), first[-1])}
    return {0: (*first[:2], *(1 for _ in first[2:]))}


def _product(node: Operands) -> Results:
    second = node.shape(3 if node.kind == "QGemm" else 1)
    first = node.shape(0)
    if node.attrs.integer("transBatchA", 0) or node.attrs.integer("transBatchB", 0):
        return {}
    rows = first[-1] if node.attrs.integer("transA", 0) else first[-2]
    columns = second[-2] if node.attrs.integer("transB", 0) else second[-1]
    return {0: (*np.broadcast_shapes(first[:-2], second[:-2]), rows, columns)}


def _packed_product(node: Operands) -> Results:
    return {0: (*node.shape(0)[:-1], node.attrs.integer("N", 1))}


def _broadcast(*positions: int) -> Callable[[Operands], Results]:
    def rule(node: Operands) -> Results:
        return {0: tuple(np.broadcast_shapes(*(node.shape(i) for i in positions)))}

    return rule


def _quantized_concat(node: Operands) -> Results:
    parts = [node.shape(i) for i in range(2, len(node.shapes), 3)]
    axis = node.attrs.integer("axis", 0) % len(parts[0])
    total = sum(part[axis] for part in parts)
    return {0: (*parts[0][:axis], total, *parts[0][axis + 1 :])}


def _quantized_mean(node: Operands) -> Results:
    first = node.shape(0)
    axes = {a % len(first) for a in node.attrs.integers("axes", tuple(range(len(first))))}
    keep = node.attrs.integer("keepdims", 1)
    return {0: tuple(1 if i in axes else n for i, n in enumerate(first) if keep or i not in axes)}


def _gather_blocks(node: Operands) -> Results:
    """GatherBlockQuantized: `bits` values to an element of data where it is bytes."""
    data, indices, scales = node.shape(0), node.shape(1), node.shape(2)
    axis = node.attrs.integer("gather_axis", 0) % len(data)
    quantized = node.attrs.integer("quantize_axis", 1) % len(data)
    blocks = node.attrs.integer("block_size", 128)
    packed = 8 // node.attrs.integer("bits", 4)
    rows = list(data)
    if -(-data[quantized] // blocks) < scales[quantized]:
        rows[quantized] *= packed
    return {0: (*rows[:axis], *indices, *rows[axis + 1 :])}


def _embedding(node: Operands) -> Results:
    batch, length = node.shape(0)
    words = (batch, length, node.shape(2)[-1])
    return {0: words, 1: (batch,), 2: words}


def _halved(node: Operands) -> Results:
    *lead, last = node.shape(0)
    return {0: (*lead, last // 2)}


def _lstm(node: Operands) -> Results:
    steps, batch, _ = node.shape(0)
    directions = node.shape(1)[0]
    state = (directions, batch, node.attrs.integer("hidden_size", 1))
    return {0: (steps, *state), 1: state, 2: state}


def _distances(node: Operands) -> Results:
    return {0: (node.shape(0)[0], node.shape(1)[0])}


RULES: Mapping[str, Callable[[Operands], Results]] = {
    **dict.fromkeys(
        (
            "Attention", "QAttention", "MultiHeadAttention", "GroupQueryAttention",
            "DecoderMaskedMultiHeadAttention", "PackedAttention", "PackedMultiHeadAttention",
            "SparseAttention",
        ),
        _attention,
    ),
    **dict.fromkeys(
        (
            "FusedMatMul", "FusedMatMulActivation", "TransposeMatMul", "FusedGemm", "GemmFastGelu",
            "GemmFloat8", "MatMulInteger16", "MatMulIntegerToFloat", "DynamicQuantizeMatMul",
            "QGemm",
        ),
        _product,
    ),
    "BiasSplitGelu": _halved,
    "CDist": _distances,
    "DynamicQuantizeLSTM": _lstm,
    "EmbedLayerNormalization": _embedding,
    "FusedConv": _fused_conv,
    "GatherBlockQuantized": _gather_blocks,
    "MatMulBnb4": _packed_product,
    "MatMulNBits": _packed_product,
    "MaxpoolWithMask": _pool,
    "NhwcConv": _nhwc_conv,
    "NhwcFusedConv": _nhwc_conv,
    "NhwcMaxPool": _pool,
    "QLinearAdd": _broadcast(0, 3),
    "QLinearAveragePool": _pool,
    "QLinearConcat": _quantized_concat,
    "QLinearConv": _quantized_conv,
    "QLinearGlobalAveragePool": _global_pool,
    "QLinearMul": _broadcast(0, 3),
    "QLinearReduceMean": _quantized_mean,
}  # fmt: skip
"""How results' shapes follow, by operator."""
