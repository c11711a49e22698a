"""From ONNX nodes to layers: the operators that multiply and accumulate.

Each function takes a node and what is known of shapes, and returns its layers; None where the node
is of the right kind but says something that a layer cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from cosearch_plugins.readers.onnx import attention, convolutions, experts, products, recurrent
from cosearch_plugins.readers.onnx.node import Layers, Node
from cosearch_plugins.readers.onnx.shapes import Shapes
from cosearch_plugins.readers.onnx.widths import at_widths

Maker: TypeAlias = Callable[[Node], Layers]

STANDARD: Mapping[str, Maker] = {
    "Conv": convolutions.conv,
    "ConvInteger": convolutions.conv,
    "QLinearConv": lambda node: convolutions.conv(node, weights=3),
    "ConvTranspose": convolutions.conv_transpose,
    "DeformConv": convolutions.deformable_conv,
    "CausalConvWithState": convolutions.causal_conv,
    "Gemm": products.gemm,
    "MatMul": products.gemm,
    "MatMulInteger": products.gemm,
    "QLinearMatMul": products.quantized_product,
    "Einsum": products.einsum,
    "Attention": attention.attention,
    "RNN": recurrent.recurrent,
    "GRU": recurrent.recurrent,
    "LSTM": recurrent.recurrent,
}
"""Operators of the ONNX standard."""

CONTRIBUTED_DOMAINS = ("com.microsoft", "com.ms.internal.nhwc", "ai.onnx.preview")
"""Where operators of ONNX Runtime stand, and those that the standard tries out."""

CONTRIBUTED: Mapping[str, Maker] = {
    "FusedConv": convolutions.conv,
    "NhwcFusedConv": convolutions.nhwc_conv,
    "NhwcConv": convolutions.nhwc_conv,
    "QLinearConv": convolutions.quantized_conv,
    "FusedMatMul": products.gemm,
    "FusedMatMulActivation": products.gemm,
    "TransposeMatMul": products.gemm,
    "FusedGemm": products.gemm,
    "GemmFastGelu": products.gemm,
    "GemmFloat8": products.gemm,
    "MatMulInteger16": products.gemm,
    "MatMulIntegerToFloat": products.integer_product,
    "DynamicQuantizeMatMul": products.integer_product,
    "CDist": products.distances,
    "MatMulNBits": products.packed_product,
    "MatMulBnb4": products.packed_product,
    "QGemm": products.quantized_product,
    "DynamicQuantizeLSTM": recurrent.quantized_recurrent,
    "Attention": attention.fused_attention,
    "QAttention": attention.fused_attention,
    "PackedAttention": attention.fused_attention,
    "MultiHeadAttention": attention.contributed_attention,
    "GroupQueryAttention": attention.contributed_attention,
    "DecoderMaskedMultiHeadAttention": attention.contributed_attention,
    "PackedMultiHeadAttention": attention.contributed_attention,
    "MoE": experts.experts,
    "QMoE": experts.quantized_experts,
    "FlexAttention": attention.flex_attention,
}
"""Operators that ONNX Runtime adds."""


def maker_of(domain: str, kind: str) -> Maker | None:
    """Return what turns an operator into layers, or None where it is not one of products.

    ONNX Runtime writes some operators of its own into the standard's domain.
    """
    if domain in ("", "ai.onnx"):
        return STANDARD.get(kind) or CONTRIBUTED.get(kind)
    return CONTRIBUTED.get(kind) if domain in CONTRIBUTED_DOMAINS else None


def layers_of(node: Any, name: str, known: Shapes) -> Layers:  # noqa: ANN401 - onnx.NodeProto
    """Return a node's layers, none where its results are empty, or None where it makes none.

    Raises:
        UnknownShape: of a tensor that a layer needs.
        CosearchError: what the node says is contradictory.
    """
    maker = maker_of(node.domain, node.op_type)
    if maker is None:
        return None
    if any(0 in known.shapes.get(output, ()) for output in node.output):
        return ()
    made = Node.of(node, name, known)
    return at_widths(made, maker(made))
