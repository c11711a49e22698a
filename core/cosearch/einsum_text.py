"""Layers in words and figures: `3x3 conv, 64 to 128, 28x28, stride 2`.

A pair such as 3x3 is height by width. What is no convolution, fully connected layer or matrix
product is shown as the formula of the einsum language.
"""

from __future__ import annotations

from attrs import frozen

from cosearch.einsum import Einsum, conv, gemm
from cosearch.einsum_language import format_einsum
from cosearch.workload import Network

_CONV_DIMS = ("N", "K", "C", "P", "Q", "R", "S")


@frozen
class LayerFacts:
    """A unique layer of a network, for a table.

    Attributes:
        name: of its first appearance.
        words: what it is, as `describe` says.
        count: how often the network runs it.
        macs: multiply-accumulates of one run.
        share: of the network's MACs, all runs together, 0 to 1.
        intensity: MACs per word, as `arithmetic_intensity`.
        weights, inputs, outputs: words of each tensor, one run.
    """

    name: str
    words: str
    count: int
    macs: int
    share: float
    intensity: float
    weights: int
    inputs: int
    outputs: int


def layer_facts(network: Network) -> tuple[LayerFacts, ...]:
    """Return the facts of every unique layer, in order of first appearance."""
    total = network.macs
    return tuple(
        LayerFacts(
            name=layer.name,
            words=describe(layer.einsum),
            count=layer.count,
            macs=layer.einsum.macs,
            share=layer.einsum.macs * layer.count / total,
            intensity=arithmetic_intensity(layer.einsum),
            weights=_words(layer.einsum, "Weights"),
            inputs=_words(layer.einsum, "Inputs"),
            outputs=_words(layer.einsum, "Outputs"),
        )
        for layer in network.unique
    )


def arithmetic_intensity(einsum: Einsum) -> float:
    """Return MACs per word when every word of every tensor moves once, the most there can be.

    (Williams, Waterman and Patterson, Roofline, CACM 2009, in MACs and words for FLOPs and bytes.)
    """
    return einsum.macs / sum(einsum.words(tensor) for tensor in einsum.tensors)


def describe(einsum: Einsum) -> str:
    """Return what a layer is, in words."""
    pairs = _strides_and_dilations(einsum)
    if pairs is not None:
        return _describe_conv(einsum, *pairs)
    if _is_gemm(einsum):
        return _describe_products(einsum)
    sizes = ", ".join(f"{dim.lower()}={size}" for dim, size in einsum.bounds.items())
    return f"{format_einsum(einsum)} ; {sizes}"


def _words(einsum: Einsum, role: str) -> int:
    return sum(einsum.words(t) for t in einsum.tensors if t.role == role)


def _same_shape(a: Einsum, b: Einsum) -> bool:
    """Return whether two einsums are equal but for the names of their tensors."""
    shape = [(t.role, t.axes) for t in a.tensors]
    return a.bounds == b.bounds and shape == [(t.role, t.axes) for t in b.tensors]


def _strides_and_dilations(
    einsum: Einsum,
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return (stride, dilation) along width and height, or None if it is no convolution."""
    sizes = einsum.bounds
    if not set(_CONV_DIMS) <= set(sizes) or set(sizes) - {*_CONV_DIMS, "G"}:
        return None
    inputs = next(t for t in einsum.tensors if t.role == "Inputs")
    coefficients = dict(term for axis in inputs.axes for term in axis.terms)
    stride = (coefficients.get("P", 1), coefficients.get("Q", 1))
    dilation = (coefficients.get("R", 1), coefficients.get("S", 1))
    same = _same_shape(einsum, conv(einsum.name, **sizes, stride=stride, dilation=dilation))
    return (stride, dilation) if same else None


def _is_gemm(einsum: Einsum) -> bool:
    sizes = einsum.bounds
    shapes = ({"M", "N", "K"}, {"B", "M", "N", "K"})
    return set(sizes) in shapes and _same_shape(einsum, gemm(einsum.name, **sizes))


def _describe_products(einsum: Einsum) -> str:
    s = einsum.bounds
    return _products(s.get("B", 1), s["M"], s["K"], s["N"])


def _products(count: int, rows: int, inner: int, columns: int) -> str:
    many = f"{count} matrix products" if count > 1 else "matrix product"
    return f"{many}, {rows}x{inner} by {inner}x{columns}"


def _describe_conv(einsum: Einsum, stride: tuple[int, int], dilation: tuple[int, int]) -> str:
    s = einsum.bounds
    pointwise = s["R"] == s["S"] == 1 and stride == (1, 1)
    batch = [f"batch {s['N']}"] if s["N"] > 1 else []
    if pointwise and s.get("G", 1) > 1 and s["Q"] == 1 and s["K"] * s["C"] > 1:
        return ", ".join([_products(s["G"], s["P"], s["C"], s["K"]), *batch])
    if pointwise and s["Q"] == 1:
        tokens = [f"{s['P']} tokens"] if s["P"] > 1 else []
        return ", ".join([f"fully connected, {s['C']} to {s['K']}", *tokens, *batch])
    parts = [*_channels(s), f"{s['Q']}x{s['P']}"]
    if stride != (1, 1):
        parts.append(f"stride {_pair(stride)}")
    if dilation != (1, 1):
        parts.append(f"dilation {_pair(dilation)}")
    return f"{s['S']}x{s['R']} " + ", ".join(parts + batch)


def _channels(sizes: dict[str, int]) -> list[str]:
    """Return the kind of a convolution and its channels, all groups together."""
    groups, k, c = sizes.get("G", 1), sizes["K"], sizes["C"]
    if groups == 1:
        return ["conv", f"{c} to {k}"]
    if c == 1 and k == 1:
        return ["depthwise conv", f"{groups} channels"]
    return ["conv", f"{groups * c} to {groups * k} in {groups} groups"]


def _pair(width_and_height: tuple[int, int]) -> str:
    width, height = width_and_height
    return f"{width}" if width == height else f"{height}x{width}"
