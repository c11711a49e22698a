"""Transposed convolutions as the ordinary convolutions they are made of.

Output pixels fall into classes (phases) by their position modulo the stride; each class sees only
every stride-th tap of the filter, so it is a convolution of its own over the input's pixels. No
multiplication with the zeros that a naive implementation would insert is counted. Classes of one
shape are written as one layer with as many times the output channels: they read the same pixels.
(Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, section 4.)
"""

from __future__ import annotations

import math
from collections import Counter

from cosearch.errors import CosearchError
from cosearch.workload.einsum import conv
from cosearch.workload.network import Layer

LONGEST_FILTER = 65_536
"""Taps along an axis."""


def transposed_conv(
    name: str,
    *,
    K: int,
    C: int,
    P: int,
    Q: int,
    R: int,
    S: int,
    N: int = 1,
    G: int = 1,
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
) -> tuple[Layer, ...]:
    """Return the convolutions that together make a transposed one.

    Args:
        name: of the layer; `.1`, `.2` are appended where there are several.
        K: output channels (per group).
        C: input channels (per group).
        P: output width.
        Q: output height.
        R: filter width.
        S: filter height.
        N: batch.
        G: groups.
        stride: along the width and the height.
        dilation: along the width and the height.
        padding: cut off before the first output, along the width and the height.

    Raises:
        CosearchError: a filter of more than `LONGEST_FILTER` taps along an axis.
    """
    if max(R, S) > LONGEST_FILTER:
        raise CosearchError(f"layer {name!r}: a filter of {S}x{R} is too large to take apart")
    shapes = [
        ((taps_w, taps_h), (width, height), same_w * same_h)
        for (taps_w, width), same_w in _phases(P, R, stride[0], dilation[0], padding[0]).items()
        for (taps_h, height), same_h in _phases(Q, S, stride[1], dilation[1], padding[1]).items()
    ]
    spread = tuple(d // math.gcd(d, s) for d, s in zip(dilation, stride, strict=True))
    return tuple(
        Layer(
            conv(
                name if len(shapes) == 1 else f"{name}.{i}",
                N=N,
                G=G,
                K=K * same,
                C=C,
                P=width,
                Q=height,
                R=taps_w,
                S=taps_h,
                dilation=(spread[0], spread[1]),
            )
        )
        for i, ((taps_w, taps_h), (width, height), same) in enumerate(shapes, start=1)
    )


def _phases(
    length: int, kernel: int, stride: int, dilation: int, padding: int
) -> Counter[tuple[int, int]]:
    """Return how many phases have (taps, outputs); phases without taps or outputs cost nothing."""
    taps = Counter(tap * dilation % stride for tap in range(kernel))
    found: Counter[tuple[int, int]] = Counter()
    for phase in taps:
        first = (phase - padding) % stride
        outputs = len(range(first, length, stride))
        if outputs:
            found[taps[phase], outputs] += 1
    return found
