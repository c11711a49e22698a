"""From ONNX nodes to layers: attention."""

from __future__ import annotations

from cosearch.errors import CosearchError
from cosearch.workload.network import Layer, Unmodelled
from cosearch_plugins.readers import operations as count
from cosearch_plugins.readers import shapes_to_layers as make
from cosearch_plugins.readers.onnx.heads import attention_sizes
from cosearch_plugins.readers.onnx.node import Layers, Node, beside
from cosearch_plugins.readers.shapes_to_layers import Shape


def attention(node: Node) -> Layers:
    """ONNX Attention (operator set 23): queries, keys, values as [b, h, s, d] or [b, s, h*d]."""
    queries, keys, values = (_heads_first(node, i) for i in range(3))
    past = node.shape(4)[2] if node.has(4) else 0
    products = make.attention_products(
        node.name,
        batch=queries[0],
        heads=queries[1],
        kv_heads=keys[1],
        queries=queries[2],
        keys=keys[2] + past,
        head=queries[3],
        value_head=values[3],
    )
    return (*products, beside(node, products[:1], count.SOFTMAX_REASON))


def flex_attention(node: Node) -> Layers:
    """FlexAttention: as Attention, with graphs of its own on scores and probabilities."""
    made = attention(node)
    graphs = [name for name in ("score_mod", "prob_mod") if name in node.attrs.by_name]
    others = [
        Unmodelled(f"{node.name}.{name}", node.kind, 0, count.UNKNOWN_OPERATOR_REASON, known=False)
        for name in graphs
    ]
    return (*(made or ()), *others)


def _heads_first(node: Node, i: int) -> Shape:
    shape = node.shape(i)
    if len(shape) == 4:
        return shape
    heads = node.attrs.integer("q_num_heads" if i == 0 else "kv_num_heads", 1)
    batch, length, width = shape
    return (batch, heads, length, width // heads)


def fused_attention(node: Node) -> Layers:
    """Attention of ONNX Runtime: the joint projection to queries, keys, values, then products."""
    projection = make.fully_connected(f"{node.name}.projection", node.shape(0), node.shape(1)[1])
    return (*projection, *contributed_attention(node))


def contributed_attention(node: Node) -> tuple[Layer | Unmodelled, ...]:
    """Return the products alone of MultiHeadAttention, GroupQueryAttention and their kin."""
    total = node.known.values.get(node.inputs[6]) if node.has(6) else None
    try:
        sizes = attention_sizes(node.kind, node.maybe, node.attrs, total)
    except LookupError as error:
        raise CosearchError(str(error)) from None
    products = make.attention_products(
        node.name,
        batch=sizes.batch,
        heads=sizes.heads,
        kv_heads=sizes.kv_heads,
        queries=sizes.queries,
        keys=sizes.keys,
        head=sizes.head,
        value_head=sizes.value_head,
    )
    return (*products, beside(node, products[:1], count.SOFTMAX_REASON))
