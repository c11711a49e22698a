"""Layers in words and figures: `3x3 conv, 64 to 128, 28x28, stride 2`.

A pair such as 3x3 is height by width. What is no convolution, fully connected layer or matrix
product, and no element-wise work, is shown as the formula of the einsum language.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from attrs import frozen

from cosearch.quantities import added, percent
from cosearch.workload.einsum import ROLES, Axis, Einsum, Tensor
from cosearch.workload.elementwise import POOLING
from cosearch.workload.language import format_einsum
from cosearch.workload.network import Layer, Network


@frozen
class LayerFacts:
    """A unique layer of a network, for a table.

    Attributes:
        name: of its first appearance.
        words: what it is, as `describe` says.
        count: how often the network runs it.
        macs: multiply-accumulates of one run.
        operations: the same, or element-wise operations.
        share: of the network's MACs, all runs together, 0 to 1.
        intensity: MACs per word, as `arithmetic_intensity`.
        weights, inputs, outputs: words of each tensor, one run.
    """

    name: str
    words: str
    count: int
    macs: int
    operations: int
    share: float
    intensity: float
    weights: int
    inputs: int
    outputs: int


def run_as(layer: Einsum, sizes: tuple[int, ...]) -> str:
    """Return at which sizes a layer is run that was rounded up, and what that costs.

    `run as M=518, K=513: 1.4 % more multiplications`.
    """
    larger = [
        f"{dim}={n}" for dim, n, own in zip(layer.dims, sizes, layer.sizes, strict=True) if n != own
    ]
    extra = 100 * (math.prod(sizes) / layer.macs - 1)
    return f"run as {', '.join(larger)}: {extra:.1f} % more multiplications"


def layer_facts(network: Network) -> tuple[LayerFacts, ...]:
    """Return the facts of every unique layer, in order of first appearance."""
    total = max(1, network.macs)
    return tuple(_facts(layer, total) for layer in network.unique)


def _facts(layer: Layer, total: int) -> LayerFacts:
    einsum = layer.einsum
    words = dict.fromkeys(ROLES, 0)
    for tensor in einsum.tensors:
        words[tensor.role] += einsum.words(tensor)
    return LayerFacts(
        name=layer.name,
        words=with_widths(einsum),
        count=layer.count,
        macs=einsum.macs,
        operations=einsum.operations,
        share=einsum.macs * layer.count / total,
        intensity=einsum.macs / added(words.values()),
        weights=words["Weights"],
        inputs=words["Inputs"],
        outputs=words["Outputs"],
    )


@frozen
class LeftOut:
    """All operations of one kind that a reader met and that the cost model does not price.

    Attributes:
        kind: the operator.
        count: how many there are.
        operations: of all of them together; at least so many where they are not `known`.
        share: of all operations of the network that could be counted, layers included, 0 to 1.
        reason: why they are left out.
        known: whether `operations` is the whole number.
    """

    kind: str
    count: int
    operations: int
    share: float
    reason: str
    known: bool = True


def left_out_by_kind(network: Network) -> tuple[LeftOut, ...]:
    """Return what a network leaves out by kind and reason, what is unknown first, then the most."""
    kinds: dict[tuple[str, str, bool], list[int]] = {}
    for item in network.unmodelled:
        kinds.setdefault((item.kind, item.reason, item.known), []).append(item.operations)
    everything = max(1, network.operations + added(map(added, kinds.values())))
    found = [
        LeftOut(kind, len(each), added(each), added(each) / everything, reason, known)
        for (kind, reason, known), each in kinds.items()
    ]
    return tuple(sorted(found, key=lambda item: (item.known, -item.operations, item.kind)))


def left_out_in_short(network: Network) -> tuple[str, ...]:
    """Return a line for each reason why something of a network costs nothing.

    `17 add, 1 maximum left out of the cost (0.3 % of all operations): the machine's ...`, or
    `Timeloop: without meaning ...` for what is known to be no operation.
    """
    reasons: dict[str, list[LeftOut]] = {}
    for item in left_out_by_kind(network):
        reasons.setdefault(item.reason, []).append(item)
    return tuple(
        f"{', '.join(map(_kind, items))}{_share(items)}: {reason}"
        for reason, items in reasons.items()
    )


def _kind(item: LeftOut) -> str:
    one = item.count == 1 and item.known and not item.operations
    return item.kind if one else f"{item.count} {item.kind}"


def _share(items: Sequence[LeftOut]) -> str:
    """Return how much of a network what is left out makes up; nothing where it is no operation."""
    known = all(item.known for item in items)
    share = added(item.share for item in items)
    if not share:
        return "" if known else " left out of the cost"
    least = "" if known else "at least "
    return f" left out of the cost ({least}{percent(share)} of all operations)"


def arithmetic_intensity(einsum: Einsum) -> float:
    """Return MACs per word when every word of every tensor moves once, the most there can be.

    (Williams, Waterman and Patterson, Roofline, CACM 2009, in MACs and words for FLOPs and bytes.)
    """
    return einsum.macs / added(einsum.words(tensor) for tensor in einsum.tensors)


def with_widths(einsum: Einsum) -> str:
    """Return what a layer is, in words, and the widths that it states.

    `3x3 conv, 64 to 128, 28x28; weights 4, inputs 6 bits`.
    """
    stated = [f"{t.role.lower()} {t.bits}" for t in einsum.tensors if t.bits is not None]
    return f"{describe(einsum)}; {', '.join(stated)} bits" if stated else describe(einsum)


def describe(einsum: Einsum) -> str:
    """Return what a layer is, in words."""
    if einsum.operation:
        return _describe_elementwise(einsum, einsum.operation)
    shape = _shape(einsum)
    if shape is None:
        sizes = ", ".join(f"{dim.lower()}={size}" for dim, size in einsum.bounds.items())
        return f"{format_einsum(einsum)} ; {sizes}"
    if not shape.windows:
        return _products(shape.groups, shape.batch, shape.channels_in, shape.channels_out)
    return _describe_conv(shape)


def _describe_elementwise(einsum: Einsum, operation: str) -> str:
    """Return `3x3 maximum pooling, 64 channels, 56x56, stride 2` or `add, 64 channels, 56x56`."""
    bounds = einsum.bounds
    if not {"N", "C", "P", "Q"} <= bounds.keys():
        return format_einsum(einsum)
    what = operation
    if operation in POOLING:
        what = f"{_by([bounds.get('R', 1), bounds.get('S', 1)])} {operation} pooling"
    strides = [axis.terms[0][1] for axis in einsum.tensors[0].axes if len(axis.terms) > 1]
    parts = [what, f"{bounds['C']} channels", _by([bounds["P"], bounds["Q"]])]
    if set(strides) - {1}:
        parts.append(f"stride {strides[0] if len(set(strides)) == 1 else _by(strides)}")
    return ", ".join(parts + ([f"batch {bounds['N']}"] if bounds["N"] > 1 else []))


@frozen
class _Window:
    """An axis that a filter slides along."""

    pixels: int
    taps: int
    stride: int
    dilation: int


@frozen
class _Shape:
    """An einsum of one weight and one input tensor, its dimensions sorted by what they mean.

    Dimensions in all tensors are groups, in weights and outputs alone output channels, in weights
    and inputs alone input channels, in inputs and outputs alone the batch.
    """

    groups: int
    channels_out: int
    channels_in: int
    batch: int
    windows: tuple[_Window, ...]


def _shape(einsum: Einsum) -> _Shape | None:
    """Return what the dimensions mean, or None where the einsum has no such shape."""
    by_role = {tensor.role: tensor for tensor in einsum.tensors}
    if len(einsum.tensors) != 3 or len(by_role) != 3:
        return None
    weights, inputs, outputs = by_role["Weights"], by_role["Inputs"], by_role["Outputs"]
    slides = [axis for axis in inputs.axes if not _is_plain(axis)]
    windows = tuple(_window(einsum, axis, weights, outputs) for axis in slides)
    if None in windows or not all(map(_is_plain, (*weights.axes, *outputs.axes))):
        return None
    slid = {dim for axis in slides for dim, _ in axis.terms}
    w, i, o = (tensor.dims - slid for tensor in (weights, inputs, outputs))
    if (w ^ i ^ o) - (w & i & o):
        return None

    bounds = einsum.bounds

    def size(dims: frozenset[str]) -> int:
        return math.prod(bounds[dim] for dim in dims)

    return _Shape(
        groups=size(w & i & o),
        channels_out=size((w & o) - i),
        channels_in=size((w & i) - o),
        batch=size((i & o) - w),
        windows=tuple(window for window in windows if window is not None),
    )


def _is_plain(axis: Axis) -> bool:
    return len(axis.terms) == 1 and axis.terms[0][1] == 1


def _window(einsum: Einsum, axis: Axis, weights: Tensor, outputs: Tensor) -> _Window | None:
    """Return the window of an input's axis: one pixel dimension and at most one filter's."""
    moved, slid = outputs.dims - weights.dims, weights.dims - outputs.dims
    pixels = [term for term in axis.terms if term[0] in moved]
    taps = [term for term in axis.terms if term[0] in slid]
    if len(pixels) != 1 or len(taps) > 1 or len(axis.terms) != 1 + len(taps):
        return None
    dim, dilation = taps[0] if taps else ("", 1)
    return _Window(einsum.bounds[pixels[0][0]], einsum.bounds.get(dim, 1), pixels[0][1], dilation)


def _products(count: int, rows: int, inner: int, columns: int) -> str:
    many = f"{count} matrix products" if count > 1 else "matrix product"
    return f"{many}, {rows}x{inner} by {inner}x{columns}"


def _describe_conv(shape: _Shape) -> str:
    """Return a convolution in words; without a filter, one pixel high, it is a matrix product."""
    width = shape.windows[0].pixels
    moved = any((w.taps, w.stride) != (1, 1) for w in shape.windows)
    flat = all(w.pixels == 1 for w in shape.windows[1:])
    k, c = shape.channels_out, shape.channels_in
    batch = [f"batch {shape.batch}"] if shape.batch > 1 else []
    if not moved and flat and shape.groups > 1 and k * c > 1:
        return ", ".join([_products(shape.groups, width, c, k), *batch])
    if not moved and flat and shape.groups == 1:
        tokens = [f"{width} tokens"] if width > 1 else []
        return ", ".join([f"fully connected, {c} to {k}", *tokens, *batch])
    unit = " wide" if len(shape.windows) == 1 else ""
    filters = _by([w.taps for w in shape.windows]) + unit
    parts = [*_channels(shape), _by([w.pixels for w in shape.windows]) + unit]
    for word, values in (
        ("stride", [w.stride for w in shape.windows]),
        ("dilation", [w.dilation for w in shape.windows]),
    ):
        if set(values) != {1}:
            parts.append(f"{word} {values[0] if len(set(values)) == 1 else _by(values)}")
    return f"{filters} " + ", ".join(parts + batch)


def _by(width_first: list[int]) -> str:
    """Return lengths as `depth x height x width`."""
    return "x".join(map(str, reversed(width_first)))


def _channels(shape: _Shape) -> list[str]:
    """Return the kind of a convolution and its channels, all groups together."""
    groups, k, c = shape.groups, shape.channels_out, shape.channels_in
    if groups == 1:
        return ["conv", f"{c} to {k}"]
    if c == 1 and k == 1:
        return ["depthwise conv", f"{groups} channels"]
    return ["conv", f"{groups * c} to {groups * k} in {groups} groups"]
