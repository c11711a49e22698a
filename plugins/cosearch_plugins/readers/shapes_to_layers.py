"""From the shapes of an operator's tensors to layers, the same for every file format.

Shapes are in the order of ONNX and PyTorch: batch, channels, then depth, height, width. Padding
plays no part: the output's shape says how many windows there are.
"""

from __future__ import annotations

import math
from typing import TypeAlias

from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.workload.einsum import conv
from cosearch.workload.language import parse_einsum
from cosearch.workload.network import Layer
from cosearch.workload.transposed import transposed_conv

Shape: TypeAlias = tuple[int, ...]


def convolution(
    name: str,
    weights: Shape,
    outputs: Shape,
    *,
    groups: int = 1,
    strides: Shape = (),
    dilations: Shape = (),
) -> tuple[Layer, ...]:
    """Return the layer of a convolution over one, two or three axes.

    Args:
        name: of the layer.
        weights: [output channels, input channels per group, ...filter].
        outputs: [batch, output channels, ...pixels].
        groups: of channels.
        strides: one an axis; empty is 1.
        dilations: one an axis; empty is 1.
    """
    axes = len(weights) - 2
    strides, dilations = strides or (1,) * axes, dilations or (1,) * axes
    if axes == 3:
        return (_convolution_3d(name, weights, outputs, groups, strides, dilations),)
    height, width = _plane(outputs[2:])
    filter_h, filter_w = _plane(weights[2:])
    stride_h, stride_w = _plane(strides)
    dilation_h, dilation_w = _plane(dilations)
    layer = conv(
        name,
        N=outputs[0],
        G=groups,
        K=weights[0] // groups,
        C=weights[1],
        P=width,
        Q=height,
        R=filter_w,
        S=filter_h,
        stride=(stride_w, stride_h),
        dilation=(dilation_w, dilation_h),
    )
    return (Layer(layer),)


def transposed_convolution(
    name: str,
    weights: Shape,
    outputs: Shape,
    *,
    groups: int = 1,
    strides: Shape = (),
    dilations: Shape = (),
    padding: Shape = (),
) -> tuple[Layer, ...]:
    """Return the layers of a transposed convolution over one or two axes.

    Args:
        name: of the layer.
        weights: [input channels, output channels per group, ...filter].
        outputs: [batch, output channels, ...pixels].
        groups: of channels.
        strides: one an axis; empty is 1.
        dilations: one an axis; empty is 1.
        padding: cut off at the beginning of each axis; empty is 0.
    """
    axes = len(weights) - 2
    height, width = _plane(outputs[2:])
    filter_h, filter_w = _plane(weights[2:])
    stride_h, stride_w = _plane(strides or (1,) * axes)
    dilation_h, dilation_w = _plane(dilations or (1,) * axes)
    top, left = _plane(padding or (0,) * axes, missing=0)
    return transposed_conv(
        name,
        N=outputs[0],
        G=groups,
        K=weights[1],
        C=weights[0] // groups,
        P=width,
        Q=height,
        R=filter_w,
        S=filter_h,
        stride=(stride_w, stride_h),
        dilation=(dilation_w, dilation_h),
        padding=(left, top),
    )


def matrix_product(
    name: str,
    first: Shape,
    second: Shape,
    *,
    first_is_constant: bool = False,
    copies: tuple[int, int] = (1, 1),
) -> tuple[Layer, ...]:
    """Return the layer of `[..., m, k] @ [..., k, n]`, broadcast as numpy does.

    A second operand without batch is a fully connected layer's weights. A first one without batch
    (or a constant one) takes that role, and the product is read transposed. Two operands with
    batches are as many products, in groups; where one of them is repeated along a batch axis, the
    other's are rows (or columns) of one product: what is broadcast is one operand, read once.

    Args:
        name: of the layer.
        first: shape of the first operand, one axis or more.
        second: shape of the second operand, one axis or more.
        first_is_constant: whether the first operand, and not the second, is part of the model.
        copies: of each operand's words that its batch already holds.

    Raises:
        CosearchError: the operands' inner sizes differ.
    """
    first = (1, *first) if len(first) == 1 else first
    second = (*second, 1) if len(second) == 1 else second
    if first[-1] != second[-2]:
        raise CosearchError(f"{list(first)} and {list(second)} cannot be multiplied")
    batches = _batches(first[:-2], second[:-2])
    if math.prod(second[:-2]) == 1 and not (first_is_constant and len(first) == 2):
        return fully_connected(name, first, second[-1])
    if math.prod(first[:-2]) == 1:
        transposed = (*second[:-2], second[-1], second[-2])
        return fully_connected(name, transposed, first[-2])
    of_first, of_second = copies if batches.shared % math.prod(copies) == 0 else (1, 1)
    if of_first > 1 and of_second > 1:  # whose copies meet is not known
        of_first = of_second = 1
    layer = conv(
        name,
        G=batches.shared // (of_first * of_second),
        K=batches.of_second * of_first * second[-1],
        C=first[-1],
        P=batches.of_first * of_second * first[-2],
        Q=1,
    )
    return (Layer(layer),)


def fully_connected(name: str, inputs: Shape, channels: int) -> tuple[Layer, ...]:
    """Return the layer of a fully connected layer over the last axis of its inputs.

    The first axis is the batch; those between are tokens or pixels.
    """
    *leading, inner = inputs
    batch = leading[0] if leading else 1
    between = leading[1:]
    width = between[-1] if between else 1
    height = math.prod(between[:-1])
    return (Layer(conv(name, N=batch, K=channels, C=inner, P=width, Q=height)),)


def attention_products(
    name: str,
    *,
    batch: int,
    heads: int,
    kv_heads: int,
    queries: int,
    keys: int,
    head: int,
    value_head: int,
) -> tuple[Layer, ...]:
    """Return scores and weighted values; queries that share a key head are rows of one product."""
    groups, rows = batch * kv_heads, queries * heads // kv_heads
    return (
        Layer(conv(f"{name}.scores", G=groups, K=keys, C=head, P=rows, Q=1)),
        Layer(conv(f"{name}.values", G=groups, K=value_head, C=keys, P=rows, Q=1)),
    )


def recurrent(
    name: str,
    *,
    gates: int,
    steps: int,
    batch: int,
    inputs: int,
    hidden: int,
    directions: int,
) -> tuple[Layer, ...]:
    """Return the layers of an RNN, GRU or LSTM: all inputs at once, the state step by step.

    Args:
        name: of the layer.
        gates: 1 for an RNN, 3 for a GRU, 4 for an LSTM.
        steps: of the sequence.
        batch: sequences.
        inputs: channels that flow in.
        hidden: channels of the state.
        directions: 1, or 2 where the sequence is also read backwards.
    """
    from_inputs = conv(f"{name}.inputs", N=batch, K=gates * hidden, C=inputs, P=steps, Q=1)
    from_state = conv(f"{name}.state", N=batch, K=gates * hidden, C=hidden, P=1, Q=1)
    return (Layer(from_inputs, directions), Layer(from_state, directions * steps))


def _convolution_3d(
    name: str, weights: Shape, outputs: Shape, groups: int, strides: Shape, dilations: Shape
) -> Layer:
    text = (
        "Outputs[n,g,k,p,q,z] += Weights[g,k,c,r,s,t] * Inputs[n,g,c,"
        f"{strides[2]}*p+{dilations[2]}*r,"
        f"{strides[1]}*q+{dilations[1]}*s,"
        f"{strides[0]}*z+{dilations[0]}*t]"
    )
    sizes = dict(zip("nzqp", (outputs[0], *outputs[2:]), strict=True))
    sizes |= dict(zip("ctsr", weights[1:], strict=True))
    sizes |= {"g": groups, "k": weights[0] // groups}
    return Layer(parse_einsum(text, sizes, name=name, weights="Weights"))


def _plane(values: Shape, missing: int = 1) -> tuple[int, int]:
    """Return (height, width) of one or two axes; one axis is the width."""
    return (missing, values[0]) if len(values) == 1 else (values[0], values[1])


@frozen
class _Batches:
    """Products of batch axes: of both operands, and of one while the other is repeated."""

    shared: int
    of_first: int
    of_second: int


def _batches(first: Shape, second: Shape) -> _Batches:
    """Return what two batches, aligned at their end, have in common and alone."""
    longest = max(len(first), len(second))
    one = (1,) * longest
    pairs = list(zip((one + first)[-longest:], (one + second)[-longest:], strict=True))
    if longest and any(a != b and 1 not in (a, b) for a, b in pairs):
        raise CosearchError(f"batches of {list(first)} and {list(second)} cannot be broadcast")
    return _Batches(
        math.prod(a for a, b in pairs if a == b) if longest else 1,
        math.prod(a for a, b in pairs if a != b and b == 1) if longest else 1,
        math.prod(b for a, b in pairs if a != b and a == 1) if longest else 1,
    )
