"""From ONNX nodes to layers: networks with a state."""

from __future__ import annotations

from cosearch_plugins.readers import operations as count
from cosearch_plugins.readers import shapes_to_layers as make
from cosearch_plugins.readers.onnx.node import Layers, Node, beside

_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def recurrent(node: Node) -> Layers:
    """RNN, GRU, LSTM: X [steps, batch, inputs], W [directions, gates*hidden, inputs]."""
    steps, batch, inputs = node.shape(0)
    if node.attrs.integer("layout", 0):
        steps, batch = batch, steps
    directions, _, hidden = node.shape(2)
    made = make.recurrent(
        node.name,
        gates=_GATES[node.kind],
        steps=steps,
        batch=batch,
        inputs=inputs,
        hidden=hidden,
        directions=directions,
    )
    return (*made, beside(node, made[-1:], count.WITHIN_REASON))


def quantized_recurrent(node: Node) -> Layers:
    """DynamicQuantizeLSTM: W and R turned, [directions, inputs, gates*hidden]."""
    steps, batch, inputs = node.shape(0)
    directions, hidden, _ = node.shape(2)
    made = make.recurrent(
        node.name,
        gates=4,
        steps=steps,
        batch=batch,
        inputs=inputs,
        hidden=hidden,
        directions=directions,
    )
    return (*made, beside(node, made[-1:], count.WITHIN_REASON))
