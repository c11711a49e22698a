"""The numbers of a convolution, for writers of formats that have a field for each."""

from __future__ import annotations

from attrs import frozen

from cosearch.workload.einsum import Einsum, conv
from cosearch_plugins.readers.canonical import canonical


@frozen
class Convolution:
    """Sizes by their usual letters, strides and dilations along the width and the height."""

    N: int
    G: int
    K: int
    C: int
    P: int
    Q: int
    R: int
    S: int
    stride_w: int
    stride_h: int
    dilation_w: int
    dilation_h: int


def convolution_of(einsum: Einsum) -> Convolution | None:
    """Return what a convolution or matrix product is made of, or None for another einsum."""
    if einsum.operation:
        return None
    sizes = {"G": 1, **einsum.bounds}
    if set(sizes) != set("GNKCPQRS"):
        einsum = canonical(einsum)
        sizes = {"G": 1, **einsum.bounds}
    if set(sizes) != set("GNKCPQRS"):
        return None
    inputs = next(t for t in einsum.tensors if t.role == "Inputs")
    factors = {dim: factor for axis in inputs.axes for dim, factor in axis.terms}
    found = Convolution(
        **sizes,
        stride_w=factors.get("P", 1),
        stride_h=factors.get("Q", 1),
        dilation_w=factors.get("R", 1),
        dilation_h=factors.get("S", 1),
    )
    bits: dict[str, int | None] = {tensor.role: tensor.bits for tensor in einsum.tensors}
    return found if _again(einsum.name, found).with_bits(bits) == einsum else None


def _again(name: str, found: Convolution) -> Einsum:
    return conv(
        name,
        N=found.N,
        G=found.G,
        K=found.K,
        C=found.C,
        P=found.P,
        Q=found.Q,
        R=found.R,
        S=found.S,
        stride=(found.stride_w, found.stride_h),
        dilation=(found.dilation_w, found.dilation_h),
    )
