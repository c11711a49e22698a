"""From ONNX nodes to layers: convolutions of every kind."""

from __future__ import annotations

import math

from cosearch.errors import CosearchError
from cosearch.workload.network import Unmodelled
from cosearch_plugins.readers import operations as count
from cosearch_plugins.readers import shapes_to_layers as make
from cosearch_plugins.readers.onnx.attributes import window_lengths
from cosearch_plugins.readers.onnx.node import Layers, Node


def conv(node: Node, weights: int = 1) -> Layers:
    """Conv with channels first; operand `weights` holds the filters."""
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


def nhwc_conv(node: Node, weights: int = 1) -> Layers:
    """Convolutions with channels last: the same layers as with channels first."""
    filters, inputs = node.shape(weights), node.shape(0)
    lengths = window_lengths(inputs[1:-1], filters[2:], node.attrs)
    return make.convolution(
        node.name,
        filters,
        (inputs[0], filters[0], *lengths),
        groups=node.attrs.integer("group", 1),
        strides=node.attrs.integers("strides", ()),
        dilations=node.attrs.integers("dilations", ()),
    )


def quantized_conv(node: Node) -> Layers:
    """QLinearConv of ONNX Runtime, which may have channels last."""
    last = node.attrs.integer("channels_last", 0)
    return nhwc_conv(node, weights=3) if last else conv(node, weights=3)


def causal_conv(node: Node) -> Layers:
    """CausalConvWithState: depthwise along the sequence, X [b, c, length], W [c, 1, filter]."""
    filters, (batch, channels, length) = node.shape(1), node.shape(0)
    return make.convolution(node.name, filters, (batch, channels, length), groups=channels)


def deformable_conv(node: Node) -> Layers:
    """DeformConv: columns are gathered where offsets say, then multiplied like a 1x1 filter."""
    filters, result = node.shape(1), node.result
    groups, taps = node.attrs.integer("group", 1), math.prod(filters[2:])
    columns = (filters[0], filters[1] * taps, *(1 for _ in filters[2:]))
    pixels = (*(1 for _ in result[2:-1]), math.prod(result[2:]))
    samples = result[0] * filters[1] * groups * taps * math.prod(result[2:])
    gathered = Unmodelled(f"{node.name}.gather", node.kind, 4 * samples, count.SAMPLED_REASON)
    layers = make.convolution(node.name, columns, (*result[:2], *pixels), groups=groups)
    return (*layers, gathered)


def conv_transpose(node: Node) -> Layers:
    """ConvTranspose over one or two axes."""
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
