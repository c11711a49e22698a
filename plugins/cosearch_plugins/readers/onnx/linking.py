"""Links of an ONNX graph: what each operator does to the tensors that layers write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cosearch.workload.network import Layer
from cosearch_plugins.readers.linking import (
    Follower,
    attention_link,
    conv_letters,
    product_letters,
)
from cosearch_plugins.readers.onnx.node import Node
from cosearch_plugins.readers.onnx.shapes import Shapes

ONE_TO_ONE = frozenset(
    (
        "Abs", "Add", "BatchNormalization", "BiasGelu", "Cast", "CastLike", "Ceil", "Celu", "Clip",
        "DequantizeLinear", "Div", "Dropout", "Elu", "Erf", "Exp", "FastGelu", "Floor", "Gelu",
        "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "Max", "Min", "Mish", "Mul",
        "Neg", "PRelu", "Pow", "QuantizeLinear", "QuickGelu", "Reciprocal", "Relu", "Round", "Selu",
        "Sigmoid", "Softplus", "Softsign", "Sqrt", "Sub", "Tanh", "ThresholdedRelu", "Where",
    )
)  # fmt: skip
"""Operators whose elements depend on those at their place alone."""

CONVOLUTIONS = frozenset(("Conv", "ConvInteger", "FusedConv", "QLinearConv"))
"""With channels first; operand 0 is what flows."""

PRODUCTS = {
    "MatMul": (0, 1),
    "MatMulInteger": (0, 1),
    "FusedMatMul": (0, 1),
    "Gemm": (0, 1),
    "QLinearMatMul": (0, 3),
}
"""The operands that are multiplied."""


def follow(
    follower: Follower,
    node: Any,  # noqa: ANN401 - onnx.NodeProto
    first: int,
    known: Shapes,
) -> None:
    """Note what a node does to the tensors that layers write.

    Args:
        follower: told of every node before.
        node: whose layers, if any, are in the network already.
        first: number of its first layer.
        known: shapes and constants.
    """
    made = len(follower.layers) - first
    runs = Node.of(node, "", known)
    if made == 0:
        rule = _RULES.get(node.op_type) or (_one_to_one if node.op_type in ONE_TO_ONE else None)
    elif made == 1:
        rule = _convolution if node.op_type in CONVOLUTIONS else None
        rule = _product if node.op_type in PRODUCTS else rule
    else:
        rule = None
    shaped = all(name in known.shapes for name in (*node.input, *node.output) if name)
    if rule is None or not shaped or not node.output:
        follower.unknown(node.input, node.output)
        if made == 2 and _are_attention(follower.layers[first:]):
            follower.internal(attention_link(follower.layers, first))
        return
    rule(follower, runs)
    follower.lost(name for name in node.output[1:] if name)


def _are_attention(layers: list[Layer]) -> bool:
    names = [layer.name.rpartition(".")[2] for layer in layers]
    return names == ["scores", "values"]


def _convolution(follower: Follower, node: Node) -> None:
    number = len(follower.layers) - 1
    layer = follower.layers[number].einsum
    rank = len(node.result)
    follower.read(node.inputs[0], number, "Inputs", conv_letters(layer, rank, output=False))
    follower.lost(node.inputs[1:])
    letters = conv_letters(layer, rank, output=True)
    follower.wrote(node.outputs[0], number, node.result, letters)


def _product(follower: Follower, node: Node) -> None:
    number = len(follower.layers) - 1
    a, b = PRODUCTS[node.kind]
    first, second = node.shape(a), node.shape(b)
    turned = [node.attrs.integer(name, 0) for name in ("transA", "transB")]
    if turned[1] and len(second) == 2:
        second = second[::-1]
    constant = node.constant(a) and not node.constant(b)
    letters = product_letters(
        follower.layers[number].einsum, first, second, first_is_constant=constant
    )
    if turned[0] or (turned[1] and letters[1]):
        letters = (), (), ()
    follower.read(node.inputs[a], number, "Inputs", letters[0])
    follower.read(node.inputs[b], number, "Weights", letters[1])
    follower.lost(x for i, x in enumerate(node.inputs) if i not in (a, b))
    follower.wrote(node.outputs[0], number, node.result, letters[2])


def _one_to_one(follower: Follower, node: Node) -> None:
    follower.one_to_one([x for x in node.inputs if x], node.outputs[0], node.result)


def _softmax(follower: Follower, node: Node) -> None:
    """Take the axis and all behind it, from 1 on by default.

    So operator sets before 13 say; what later ones say is less, and more is always safe.
    """
    rank = len(node.result)
    axis = node.attrs.integer("axis", -1) % rank
    first = axis if "axis" in node.attrs.by_name else min(1, rank - 1)
    follower.needs_whole(node.inputs[0], node.outputs[0], range(first, rank))


def _layer_norm(follower: Follower, node: Node) -> None:
    rank = len(node.result)
    first = node.attrs.integer("axis", -1) % rank
    follower.lost(node.inputs[1:])
    follower.needs_whole(node.inputs[0], node.outputs[0], range(first, rank))


def _transpose(follower: Follower, node: Node) -> None:
    rank = len(node.result)
    order = node.attrs.integers("perm", tuple(reversed(range(rank))))
    follower.turned(node.inputs[0], node.outputs[0], order)


def _reshape(follower: Follower, node: Node) -> None:
    follower.lost(node.inputs[1:])
    follower.reshaped(node.inputs[0], node.outputs[0], node.result)


_RULES: Mapping[str, Callable[[Follower, Node], None]] = {
    "Softmax": _softmax,
    "LayerNormalization": _layer_norm,
    "SimplifiedLayerNormalization": _layer_norm,
    "Transpose": _transpose,
    **dict.fromkeys(("Reshape", "Squeeze", "Unsqueeze", "Flatten"), _reshape),
}
