"""What an ONNX file holds beside layers: each operator with its operations and the reason."""

from __future__ import annotations

import math
from typing import Any

from cosearch.workload.network import Unmodelled
from cosearch_plugins.readers import operations as count
from cosearch_plugins.readers.onnx.file import node_name
from cosearch_plugins.readers.onnx.layers import Node, UnknownShape, layers_of
from cosearch_plugins.readers.onnx.shapes import Shapes
from cosearch_plugins.readers.shapes_to_layers import einsum_letters


def left_out(node: Any, name: str, known: Shapes) -> Unmodelled:  # noqa: ANN401 - onnx.NodeProto
    """Return what is said of a node that made no layer."""
    kind = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    if node.op_type in count.MOVES_DATA:
        return Unmodelled(name, kind, 0, count.MOVES_DATA_REASON)
    graphs = [g for a in node.attribute for g in ((a.g,) if a.HasField("g") else a.graphs)]
    if graphs:
        operations, reason = _control_flow(node, graphs, known)
        return Unmodelled(name, kind, operations, reason)
    wrapped = Node.of(node, name, known)
    try:
        products = _products(wrapped)
        if products is not None:
            return Unmodelled(name, kind, products, count.OTHER_FORM_REASON)
        return Unmodelled(name, kind, _elementwise(wrapped), count.ELEMENTWISE_REASON)
    except UnknownShape:
        return Unmodelled(name, kind, 0, count.UNKNOWN_SHAPE_REASON)


def _products(node: Node) -> int | None:
    """Return the multiplications of a convolution or einsum that no layer describes, else None."""
    if node.kind == "Einsum":
        shapes = tuple(node.shape(i) for i in range(len(node.inputs)))
        letters = einsum_letters(node.attrs.text("equation"), shapes)
        return None if letters is None else math.prod(letters[2].values())
    if node.kind == "Conv":
        return math.prod(node.result) * math.prod(node.shape(1)[1:])
    if node.kind == "DeformConv":
        return math.prod(node.result) * math.prod(node.shape(1)[1:])
    if node.kind == "ConvTranspose":
        return math.prod(node.shape(0)) * math.prod(node.shape(1)[1:])
    return None


def _elementwise(node: Node) -> int:
    result = math.prod(node.result)
    if node.kind in count.READS_ALL:
        return max(result, math.prod(node.shape(0)))
    return result * math.prod(node.attrs.integers("kernel_shape", ()))


def _control_flow(node: Any, graphs: list[Any], known: Shapes) -> tuple[int, str]:  # noqa: ANN401
    bodies = [_operations(graph, known) for graph in graphs]
    if node.op_type == "If":
        return max(bodies), count.BRANCH_REASON
    steps = _steps(node, known)
    if steps is None:
        return sum(bodies), count.OPEN_LOOP_REASON
    return sum(bodies) * steps, count.LOOP_REASON


def _steps(node: Any, known: Shapes) -> int | None:  # noqa: ANN401 - onnx.NodeProto
    """Return how often a Loop or Scan runs its body, where that is known."""
    if node.op_type == "Loop" and node.input and node.input[0] in known.values:
        return int(known.values[node.input[0]].ravel()[0])
    if node.op_type == "Scan" and node.input and node.input[-1] in known.shapes:
        shape = known.shapes[node.input[-1]]
        return shape[0] if shape else None
    return None


def _operations(graph: Any, known: Shapes) -> int:  # noqa: ANN401 - onnx.GraphProto
    """Return the operations of a subgraph, its layers included."""
    total = 0
    for i, node in enumerate(graph.node):
        name = node_name(node, i)
        try:
            layers = layers_of(node, name, known)
        except UnknownShape:
            continue
        if layers is None:
            total += left_out(node, name, known).operations
        else:
            total += sum(layer.einsum.macs * layer.count for layer in layers)
    return total
