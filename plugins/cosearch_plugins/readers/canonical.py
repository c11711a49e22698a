"""Any einsum that is a convolution or a matrix product, in the dimensions that machines know.

Other tools name dimensions as they like. A machine's rules speak of N, G, K, C, P, Q, R and S, and
two layers are one only where their dimensions have one name, so every reader ends here.
"""

from __future__ import annotations

import math

from attrs import frozen

from cosearch.workload.einsum import Axis, Einsum, Tensor, conv


@frozen
class _Window:
    """An axis of the inputs that a filter slides along: (dimension, coefficient) of each."""

    pixel: tuple[str, int]
    tap: tuple[str, int] | None


def canonical(einsum: Einsum) -> Einsum:
    """Return the convolution that an einsum is, under the einsum's name, or the einsum itself.

    Dimensions of all tensors are groups (G), of weights and outputs alone output channels (K), of
    weights and inputs alone input channels (C), of inputs and outputs alone pixels (P, Q) where a
    filter slides along them, else tokens (P) behind a first one that is the batch (N). Several of a
    kind are one of as many. Of two axes that a filter slides along, P or X is the width, else the
    later one.
    """
    found = _parts(einsum)
    if found is None:
        return einsum
    windows, kinds = found
    sizes = einsum.bounds

    def size(kind: str) -> int:
        return math.prod(sizes[dim] for dim in kinds[kind])

    batch = kinds["N"]
    tokens = _tokens(windows, batch)
    width, height = _width_first(windows)
    plane = [_plane(sizes, window) for window in (width, height)]
    (p, r, stride_w, dilation_w), (q, s, stride_h, dilation_h) = plane
    layer = conv(
        einsum.name,
        N=math.prod(sizes[dim] for dim in batch if dim not in tokens),
        G=size("G"),
        K=size("K"),
        C=size("C"),
        P=p * math.prod(sizes[dim] for dim in tokens),
        Q=q,
        R=r,
        S=s,
        stride=(stride_w, stride_h),
        dilation=(dilation_w, dilation_h),
    )
    return layer.with_bits({tensor.role: tensor.bits for tensor in einsum.tensors})


def letters_of(einsum: Einsum) -> dict[str, str]:
    """Return of each dimension that outputs have what `canonical` makes it; itself if nothing."""
    found = _parts(einsum)
    if found is None:
        return {dim: dim for dim in einsum.dims}
    windows, kinds = found
    letters = {dim: kind for kind, dims in kinds.items() for dim in dims}
    width, height = _width_first(windows)
    for window, letter in ((width, "P"), (height, "Q")):
        if window is not None:
            letters[window.pixel[0]] = letter
    for dim in _tokens(windows, kinds["N"]):
        letters[dim] = "P"
    return letters


def _tokens(windows: list[_Window], batch: tuple[str, ...]) -> tuple[str, ...]:
    """Return the dimensions of inputs and outputs alone that are no batch."""
    lone = len(batch) == 1 and batch[0].rstrip(DIGITS) in ("B", "N")
    return () if windows or lone else batch[1:] or batch


def _width_first(windows: list[_Window]) -> tuple[_Window | None, _Window | None]:
    if len(windows) < 2:
        return (*windows, None, None)[0], None
    first, second = windows
    names = [window.pixel[0].rstrip(DIGITS) for window in windows]
    told = names[0] in WIDTHS or names[1] in HEIGHTS
    return (first, second) if told else (second, first)


WIDTHS, HEIGHTS = ("P", "X", "OX"), ("Q", "Y", "OY")
"""What other tools call output columns and rows, a number of the layer behind."""

DIGITS = "0123456789"


def _plane(sizes: dict[str, int], window: _Window | None) -> tuple[int, int, int, int]:
    """Return pixels, taps, stride and dilation."""
    if window is None:
        return 1, 1, 1, 1
    taps, dilation = (sizes[window.tap[0]], window.tap[1]) if window.tap else (1, 1)
    return sizes[window.pixel[0]], taps, window.pixel[1], dilation


def _parts(einsum: Einsum) -> tuple[list[_Window], dict[str, tuple[str, ...]]] | None:
    """Return the windows and the other dimensions by kind, or None where it is no convolution."""
    by_role = {tensor.role: tensor for tensor in einsum.tensors}
    if einsum.operation or len(einsum.tensors) != 3 or len(by_role) != 3:
        return None
    weights, inputs, outputs = by_role["Weights"], by_role["Inputs"], by_role["Outputs"]
    if not all(_plain(axis) for axis in (*weights.axes, *outputs.axes)):
        return None
    windows = [_window(axis, weights, outputs) for axis in inputs.axes if not _plain(axis)]
    slid = [dim for w in windows if w for dim, _ in (w.pixel, *([w.tap] if w.tap else []))]
    names = [dim for axis in inputs.axes for dim, _ in axis.terms]
    if None in windows or len(windows) > 2 or len(set(names)) != len(names):
        return None
    kinds: dict[str, tuple[str, ...]] = {}
    for dim in (d for d in einsum.dims if d not in slid):
        inside = (dim in weights.dims, dim in inputs.dims, dim in outputs.dims)
        if inside not in _KIND:
            return None
        kinds[_KIND[inside]] = (*kinds.get(_KIND[inside], ()), dim)
    kept = [w for w in windows if w is not None]
    return kept, {kind: kinds.get(kind, ()) for kind in "GKCN"}


_KIND = {
    (True, True, True): "G",
    (True, False, True): "K",
    (True, True, False): "C",
    (False, True, True): "N",
}
"""Of which of weights, inputs and outputs a dimension is, to what it is."""


def _plain(axis: Axis) -> bool:
    return len(axis.terms) == 1 and axis.terms[0][1] == 1


def _window(axis: Axis, weights: Tensor, outputs: Tensor) -> _Window | None:
    pixels = [term for term in axis.terms if term[0] in outputs.dims - weights.dims]
    taps = [term for term in axis.terms if term[0] in weights.dims - outputs.dims]
    if len(pixels) != 1 or len(taps) > 1 or len(axis.terms) != 1 + len(taps):
        return None
    return _Window(pixels[0], taps[0] if taps else None)
