"""From ONNX nodes to layers: mixtures of experts."""

from __future__ import annotations

import math

from cosearch.workload.network import Layer, Unmodelled
from cosearch_plugins.readers import operations as count
from cosearch_plugins.readers import shapes_to_layers as make
from cosearch_plugins.readers.onnx.node import Layers, Node, beside


def experts(node: Node) -> Layers:
    """MoE: tokens [..., hidden], router [tokens, experts], then the experts' matrices."""
    matrices = [node.shape(i) for i in (2, 4, 6) if node.has(i)]
    hidden, experts = node.shape(0)[-1], matrices[0][0]
    first = math.prod(matrices[0][1:]) // hidden
    inner = math.prod(matrices[1][1:]) // hidden
    wide = [(hidden, first), (inner, hidden), (hidden, inner)][: len(matrices)]
    return _routed(node, experts, wide)


def quantized_experts(node: Node) -> Layers:
    """QMoE: every matrix followed by its scales [experts, columns, ...] and its bias."""
    hidden = node.shape(0)[-1]
    experts, first = node.shape(3)[:2]
    packed = 8 // node.attrs.integer("expert_weight_bits", 4)
    inner = node.shape(5)[-1] * packed
    wide = [(hidden, first), (inner, hidden)]
    return _routed(node, experts, [*wide, (hidden, inner)] if node.has(8) else wide)


def _routed(node: Node, experts: int, matrices: list[tuple[int, int]]) -> Layers:
    """Return the products of experts that share tokens evenly, as those of few rows and of many."""
    tokens = math.prod(node.shape(0)[:-1]) * node.attrs.integer("k", 1)
    few, more = divmod(tokens, experts)
    parts = [("more", few + 1, more), ("few", few, experts - more)]
    made: list[Layer] = []
    for i, (inner, columns) in enumerate(matrices, 1):
        for word, rows, count_ in parts:
            if rows and count_:
                name = f"{node.name}.fc{i}" + (f".{word}" if more and few else "")
                layer = make.fully_connected(name, (1, rows, inner), columns)[0]
                made.append(Layer(layer.einsum, count_))
    hidden = [layer for layer in made if ".fc2" not in layer.name]
    activations = beside(node, hidden, count.WITHIN_REASON)
    return (
        *made,
        activations,
        Unmodelled(f"{node.name}.routing", node.kind, 0, count.ROUTED_REASON),
    )
