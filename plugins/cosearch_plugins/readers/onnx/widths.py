"""How wide the tensors of quantized products are, by their types.

Integers and small floats say what is stored: a weight of INT4, an input of UINT8. Where a graph
dequantizes an operand in front of a product, it is the quantized tensor that is stored and moved.
Floats of 16 bits or more are how a model was trained, not what a machine stores: they leave the
width open, as do results, whose sums no type tells, but those of INT32.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from cosearch.workload.network import Layer
from cosearch_plugins.readers.onnx.node import Layers, Node
from cosearch_plugins.readers.onnx.shapes import Shapes

OPERANDS: Mapping[str, tuple[int, int]] = {
    "Conv": (0, 1),
    "ConvInteger": (0, 1),
    "ConvTranspose": (0, 1),
    "FusedConv": (0, 1),
    "NhwcConv": (0, 1),
    "NhwcFusedConv": (0, 1),
    "QLinearConv": (0, 3),
    "DeformConv": (0, 1),
    "Gemm": (0, 1),
    "MatMul": (0, 1),
    "MatMulInteger": (0, 1),
    "MatMulInteger16": (0, 1),
    "MatMulIntegerToFloat": (0, 1),
    "DynamicQuantizeMatMul": (0, 1),
    "FusedMatMul": (0, 1),
    "FusedGemm": (0, 1),
    "GemmFloat8": (0, 1),
    "QLinearMatMul": (0, 3),
    "QGemm": (0, 3),
    "MatMulNBits": (0, 1),
    "MatMulBnb4": (0, 1),
}
"""Of products: which operand is the input, and which the weights."""

PACKED = {"MatMulNBits": 4, "MatMulBnb4": 4}
"""Operators whose weights are packed into bytes, and their bits where no attribute says them."""

_NAMES = {
    8: ("INT8", "UINT8", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ"),
    16: ("INT16", "UINT16"),
    4: ("INT4", "UINT4", "FLOAT4E2M1"),
    2: ("INT2", "UINT2"),
    32: ("INT32", "UINT32"),
}

_KEEPING = ("Identity", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Expand")
"""Operators that only move what they are given."""


def at_widths(node: Node, layers: Layers) -> Layers:
    """Return a product's layers with the widths that its operands' types state."""
    operands = OPERANDS.get(node.kind)
    if operands is None or layers is None:
        return layers
    inputs, weights = (_stored(node.inputs[i], node.known) for i in operands)
    if node.kind in PACKED:
        weights = node.attrs.integer("bits", PACKED[node.kind])
    if operands == (0, 1) and node.constant(0) and not node.constant(1):
        inputs, weights = weights, inputs
    sums = _bits(node.outputs[0], node.known)
    bits = {"Inputs": inputs, "Weights": weights, "Outputs": sums if sums == 32 else None}
    return tuple(
        evolve(item, einsum=item.einsum.with_bits(bits)) if isinstance(item, Layer) else item
        for item in layers
    )


def _stored(name: str, known: Shapes) -> int | None:
    """Return the bits of the tensor that is stored where an operand is dequantized, or its own."""
    seen: set[str] = set()
    while name in known.makers and name not in seen:
        seen.add(name)
        maker = known.makers[name]
        if maker.op_type == "DequantizeLinear":
            return _bits(maker.input[0], known)
        if maker.op_type not in _KEEPING:
            break
        name = maker.input[0]
    return _bits(name, known)


def _bits(name: str, known: Shapes) -> int | None:
    return _table().get(known.types.get(name, 0))


def _table() -> dict[int, int]:
    """Return the bits of an element by `TensorProto.DataType`; older ONNX has fewer types."""
    from onnx import TensorProto

    types: Any = TensorProto
    return {
        getattr(types, name): bits
        for bits, names in _NAMES.items()
        for name in names
        if hasattr(types, name)
    }
