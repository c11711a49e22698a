"""From the shapes of an operator's tensors to layers, the same for every file format.

Shapes are in the order of ONNX and PyTorch: batch, channels, then depth, height, width. Padding
plays no part: the output's shape says how many windows there are.
"""

from __future__ import annotations

import math
from typing import TypeAlias

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
    name: str, first: Shape, second: Shape, *, first_is_constant: bool = False
) -> tuple[Layer, ...]:
    """Return the layer of `[..., m, k] @ [..., k, n]`, broadcast as numpy does.

    A second operand without batch is a fully connected layer's weights. A first one without batch
    (or a constant one) takes that role, and the product is read transposed. Two operands with
    batches are as many products, in groups.

    Args:
        name: of the layer.
        first: shape of the first operand, one axis or more.
        second: shape of the second operand, one axis or more.
        first_is_constant: whether the first operand, and not the second, is part of the model.

    Raises:
        CosearchError: the operands' inner sizes differ.
    """
    first = (1, *first) if len(first) == 1 else first
    second = (*second, 1) if len(second) == 1 else second
    if first[-1] != second[-2]:
        raise CosearchError(f"{list(first)} and {list(second)} cannot be multiplied")
    batches = math.prod(_broadcast(first[:-2], second[:-2]))
    if math.prod(second[:-2]) == 1 and not (first_is_constant and len(first) == 2):
        return fully_connected(name, first, second[-1])
    if math.prod(first[:-2]) == 1:
        transposed = (*second[:-2], second[-1], second[-2])
        return fully_connected(name, transposed, first[-2])
    layer = conv(name, G=batches, K=second[-1], C=first[-1], P=first[-2], Q=1)
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


def einsum_product(name: str, equation: str, shapes: tuple[Shape, ...]) -> tuple[Layer, ...] | None:
    """Return the layer of an einsum of two tensors, or None where it is something else.

    Letters in both operands and the result are groups, in both alone are summed over, in one
    operand and the result are rows (first) or columns (second).
    """
    letters = einsum_letters(equation, shapes)
    if letters is None or len(shapes) != 2:
        return None
    (first, second), result, sizes = letters
    if any(len(set(term)) != len(term) for term in (first, second, result)):
        return None

    def size(of: set[str]) -> int:
        return math.prod(sizes[letter] for letter in of)

    a, b, out = set(first), set(second), set(result)
    if (a ^ b) - out:
        return None
    layer = conv(
        name,
        G=size(a & b & out),
        K=size((b - a) & out),
        C=size((a & b) - out),
        P=size((a - b) & out),
        Q=1,
    )
    return (Layer(layer),)


def einsum_letters(
    equation: str, shapes: tuple[Shape, ...]
) -> tuple[tuple[str, ...], str, dict[str, int]] | None:
    """Return the operands' letters, the result's letters and their sizes, or None if malformed.

    An ellipsis becomes digits, aligned at its end as broadcasting does.
    """
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        return None
    spare = [
        len(shape) - len(term.replace("...", "")) for term, shape in zip(terms, shapes, strict=True)
    ]
    longest = max((n for term, n in zip(terms, spare, strict=True) if "..." in term), default=0)
    if min(spare) < 0 or longest > 9:
        return None
    dots = "0123456789"[:longest]
    written = [
        term.replace("...", dots[longest - n :]) for term, n in zip(terms, spare, strict=True)
    ]
    if any(len(term) != len(shape) for term, shape in zip(written, shapes, strict=True)):
        return None
    if arrow:
        result = right.replace("...", dots)
    else:
        once = sorted(c for c in set("".join(written)) if "".join(written).count(c) == 1)
        result = dots + "".join(c for c in once if c not in dots)
    sizes: dict[str, int] = {}
    for term, shape in zip(written, shapes, strict=True):
        for letter, length in zip(term, shape, strict=True):
            sizes[letter] = max(sizes.get(letter, 1), length)
    return (tuple(written), result, sizes) if set(result) <= set(sizes) else None


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


def _broadcast(first: Shape, second: Shape) -> Shape:
    """Return the joint shape of two batches, aligned at their end."""
    longest = max(len(first), len(second))
    one = (1,) * longest
    pairs = zip((one + first)[-longest:], (one + second)[-longest:], strict=True)
    return tuple(max(pair) for pair in pairs) if longest else ()
