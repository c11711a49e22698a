"""From ONNX nodes to layers: matrix products and einsums."""

from __future__ import annotations

from cosearch_plugins.readers import shapes_to_layers as make
from cosearch_plugins.readers.einsum_products import einsum_products
from cosearch_plugins.readers.onnx.node import Layers, Node
from cosearch_plugins.readers.onnx.repeats import repeats
from cosearch_plugins.readers.shapes_to_layers import Shape


def gemm(node: Node) -> Layers:
    """Gemm, MatMul and the forms that ONNX Runtime fuses; a batch inside is no layer."""
    if node.attrs.integer("transBatchA", 0) or node.attrs.integer("transBatchB", 0):
        return None
    first, second = _turned(node, 0, "transA"), _turned(node, 1, "transB")
    constant = node.constant(0) and not node.constant(1)
    copies = repeats(node.inputs[0], node.known), repeats(node.inputs[1], node.known)
    return make.matrix_product(node.name, first, second, first_is_constant=constant, copies=copies)


def _turned(node: Node, i: int, attribute: str) -> Shape:
    """Return the shape of an operand, its last two axes swapped where an attribute says so."""
    shape = node.shape(i)
    if node.attrs.integer(attribute, 0) and len(shape) > 1:
        return (*shape[:-2], shape[-1], shape[-2])
    return shape


def quantized_product(node: Node) -> Layers:
    """QLinearMatMul and QGemm: operands a, its scale and zero point, then b."""
    second = _turned(node, 3, "transB")
    return make.matrix_product(node.name, _turned(node, 0, "transA"), second)


def integer_product(node: Node) -> Layers:
    """DynamicQuantizeMatMul, MatMulIntegerToFloat and their kin: operands a and b in front."""
    return make.matrix_product(node.name, node.shape(0), node.shape(1))


def distances(node: Node) -> Layers:
    """CDist: every row with every row."""
    (rows, inner), (columns, _) = node.shape(0), node.shape(1)
    return make.fully_connected(node.name, (rows, inner), columns)


def packed_product(node: Node) -> Layers:
    """MatMulNBits: weights of a few bits, their shape in the attributes."""
    return make.fully_connected(node.name, node.shape(0), node.attrs.integer("N", 1))


def einsum(node: Node) -> Layers:
    """Einsum of two operands or more, each summed up first where it can be."""
    shapes = tuple(node.shape(i) for i in range(len(node.inputs)))
    return einsum_products(node.name, node.kind, node.attrs.text("equation"), shapes)
