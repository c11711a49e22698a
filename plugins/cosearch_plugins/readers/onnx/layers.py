"""From ONNX nodes to layers: the operators that multiply and accumulate.

Each function takes a node and what is known of shapes, and returns its layers; None where the node
is of the right kind but says something that a layer cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.workload.network import Layer
from cosearch_plugins.readers import shapes_to_layers as make
from cosearch_plugins.readers.onnx.attributes import Attributes, attributes, window_lengths
from cosearch_plugins.readers.onnx.shapes import Shapes
from cosearch_plugins.readers.shapes_to_layers import Shape


class UnknownShape(Exception):  # noqa: N818 - caught where the node's name is known
    """A tensor whose shape is needed and not known."""


@frozen
class Node:
    """A node with what is known of its tensors.

    Attributes:
        name: unique in the graph.
        kind: the operator.
        inputs: names of the operands, empty where one is left out.
        outputs: names of the results.
        attrs: attributes.
        known: shapes and values of the graph.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Attributes
    known: Shapes

    @classmethod
    def of(cls, node: Any, name: str, known: Shapes) -> Node:  # noqa: ANN401 - onnx.NodeProto
        """Return a node of the file."""
        inputs, outputs = tuple(node.input), tuple(node.output)
        return cls(name, node.op_type, inputs, outputs, attributes(node), known)

    def has(self, i: int) -> bool:
        """Return whether operand i is given."""
        return i < len(self.inputs) and bool(self.inputs[i])

    def shape(self, i: int) -> Shape:
        """Return the shape of operand i, or raise UnknownShape."""
        if not self.has(i):
            raise UnknownShape(f"operand {i}")
        return self._shape(self.inputs[i])

    @property
    def result(self) -> Shape:
        """The shape of the first result; raises UnknownShape."""
        return self._shape(self.outputs[0] if self.outputs else "(no result)")

    def constant(self, i: int) -> bool:
        """Return whether operand i is part of the model."""
        return self.has(i) and self.inputs[i] in self.known.constants

    def _shape(self, name: str) -> Shape:
        if name not in self.known.shapes:
            raise UnknownShape(name)
        return self.known.shapes[name]


Layers: TypeAlias = tuple[Layer, ...] | None


def _conv(node: Node, weights: int = 1) -> Layers:
    filters = node.shape(weights)
    inputs, groups = node.shape(0), node.attrs.integer("group", 1)
    if inputs[1] != filters[1] * groups or filters[0] % groups:
        raise CosearchError(
            f"a filter of {list(filters)} in {groups} groups does not fit inputs of {list(inputs)}"
        )
    lengths = window_lengths(inputs[2:], filters[2:], node.attrs)
    if len(filters) > 5:
        return None
    return make.convolution(
        node.name,
        filters,
        (inputs[0], filters[0], *lengths),
        groups=groups,
        strides=node.attrs.integers("strides", ()),
        dilations=node.attrs.integers("dilations", ()),
    )


def _conv_transpose(node: Node) -> Layers:
    filters, inputs, result = node.shape(1), node.shape(0), node.result
    axes = len(filters) - 2
    if axes > 2:
        return None
    strides = node.attrs.integers("strides", (1,) * axes)
    dilations = node.attrs.integers("dilations", (1,) * axes)
    extra = node.attrs.integers("output_padding", (0,) * axes)
    padding = node.attrs.integers("pads", (0,) * 2 * axes)[:axes]
    if node.attrs.text("auto_pad", "NOTSET") != "NOTSET" or node.attrs.integers("output_shape", ()):
        upper = node.attrs.text("auto_pad") == "SAME_UPPER"
        total = [
            strides[i] * (inputs[2 + i] - 1)
            + extra[i]
            + (filters[2 + i] - 1) * dilations[i]
            + 1
            - result[2 + i]
            for i in range(axes)
        ]
        padding = tuple(max(0, t // 2 if upper else t - t // 2) for t in total)
    return make.transposed_convolution(
        node.name,
        filters,
        result,
        groups=node.attrs.integer("group", 1),
        strides=strides,
        dilations=dilations,
        padding=padding,
    )


def _gemm(node: Node) -> Layers:
    first, second = _turned(node, 0, "transA"), _turned(node, 1, "transB")
    constant = node.constant(0) and not node.constant(1)
    return make.matrix_product(node.name, first, second, first_is_constant=constant)


def _turned(node: Node, i: int, attribute: str) -> Shape:
    """Return the shape of an operand, its last two axes swapped where an attribute says so."""
    shape = node.shape(i)
    if node.attrs.integer(attribute, 0) and len(shape) > 1:
        return (*shape[:-2], shape[-1], shape[-2])
    return shape


def _quantized_product(node: Node) -> Layers:
    """QLinearMatMul and QGemm: operands a, its scale and zero point, then b."""
    second = _turned(node, 3, "transB")
    return make.matrix_product(node.name, _turned(node, 0, "transA"), second)


def _packed_product(node: Node) -> Layers:
    """MatMulNBits: weights of a few bits, their shape in the attributes."""
    return make.fully_connected(node.name, node.shape(0), node.attrs.integer("N", 1))


def _einsum(node: Node) -> Layers:
    shapes = tuple(node.shape(i) for i in range(len(node.inputs)))
    return make.einsum_product(node.name, node.attrs.text("equation"), shapes)


def _attention(node: Node) -> Layers:
    """ONNX Attention (operator set 23): queries, keys, values as [b, h, s, d] or [b, s, h*d]."""
    queries, keys, values = (_heads_first(node, i) for i in range(3))
    past = node.shape(4)[2] if node.has(4) else 0
    return make.attention_products(
        node.name,
        batch=queries[0],
        heads=queries[1],
        kv_heads=keys[1],
        queries=queries[2],
        keys=keys[2] + past,
        head=queries[3],
        value_head=values[3],
    )


def _heads_first(node: Node, i: int) -> Shape:
    shape = node.shape(i)
    if len(shape) == 4:
        return shape
    heads = node.attrs.integer("q_num_heads" if i == 0 else "kv_num_heads", 1)
    batch, length, width = shape
    return (batch, heads, length, width // heads)


def _fused_attention(node: Node) -> Layers:
    """com.microsoft Attention: the joint projection to queries, keys, values, then the products."""
    inputs, weights = node.shape(0), node.shape(1)
    heads = node.attrs.integer("num_heads", 1)
    width = weights[1] // 3
    projection = make.fully_connected(f"{node.name}.projection", inputs, weights[1])
    products = make.attention_products(
        node.name,
        batch=inputs[0],
        heads=heads,
        kv_heads=heads,
        queries=inputs[1],
        keys=inputs[1],
        head=width // heads,
        value_head=width // heads,
    )
    return (*projection, *products)


def _multi_head_attention(node: Node) -> Layers:
    """com.microsoft MultiHeadAttention: separate operands [b, s, h*d]; packed ones are refused."""
    if not (node.has(1) and node.has(2)) or any(len(node.shape(i)) != 3 for i in range(3)):
        return None
    queries, keys, values = (node.shape(i) for i in range(3))
    heads = node.attrs.integer("num_heads", 1)
    return make.attention_products(
        node.name,
        batch=queries[0],
        heads=heads,
        kv_heads=heads,
        queries=queries[1],
        keys=keys[1],
        head=queries[2] // heads,
        value_head=values[2] // heads,
    )


_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def _recurrent(node: Node) -> Layers:
    """RNN, GRU, LSTM: X [steps, batch, inputs], W [directions, gates*hidden, inputs]."""
    steps, batch, inputs = node.shape(0)
    if node.attrs.integer("layout", 0):
        steps, batch = batch, steps
    directions, _, hidden = node.shape(2)
    return make.recurrent(
        node.name,
        gates=_GATES[node.kind],
        steps=steps,
        batch=batch,
        inputs=inputs,
        hidden=hidden,
        directions=directions,
    )


Maker: TypeAlias = Callable[[Node], Layers]

STANDARD: Mapping[str, Maker] = {
    "Conv": _conv,
    "ConvInteger": _conv,
    "QLinearConv": lambda node: _conv(node, weights=3),
    "ConvTranspose": _conv_transpose,
    "Gemm": _gemm,
    "MatMul": _gemm,
    "MatMulInteger": _gemm,
    "QLinearMatMul": _quantized_product,
    "Einsum": _einsum,
    "Attention": _attention,
    "RNN": _recurrent,
    "GRU": _recurrent,
    "LSTM": _recurrent,
}
"""Operators of the ONNX standard."""

CONTRIBUTED: Mapping[str, Maker] = {
    "FusedConv": _conv,
    "FusedMatMul": _gemm,
    "FusedGemm": _gemm,
    "MatMulInteger16": _gemm,
    "MatMulNBits": _packed_product,
    "QGemm": _quantized_product,
    "Attention": _fused_attention,
    "MultiHeadAttention": _multi_head_attention,
}
"""Operators that ONNX Runtime adds."""


def maker_of(domain: str, kind: str) -> Maker | None:
    """Return what turns an operator into layers, or None where it is not one of products."""
    return (STANDARD if domain in ("", "ai.onnx") else CONTRIBUTED).get(kind)


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
    return maker(Node.of(node, name, known))
