"""The block of MobileNetV2, MobileNetV3, EfficientNet and the networks searched around them."""

from __future__ import annotations

from cosearch.workload.elementwise import MULTIPLY
from cosearch_plugins.workloads.builder import Feature, NetworkBuilder, read_also, read_once


def divisible(channels: float, by: int = 8) -> int:
    """Return the nearest multiple of `by` that is not over a tenth smaller.

    The rule by which the MobileNet papers' own code rounds scaled channels.
    """
    rounded = max(by, int(channels + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * channels else rounded


def inverted_residual(
    net: NetworkBuilder,
    name: str,
    x: Feature,
    *,
    expanded: int,
    channels: int,
    kernel: int,
    stride: int,
    squeeze: int = 0,
    activation: str = "",
    gate: str = "sigmoid",
) -> Feature:
    """Add 1x1 to more channels, depthwise, squeeze-and-excitation, and 1x1 to fewer channels.

    What flows in is added to what flows out where both have one shape.

    Args:
        net: where the layers go.
        name: of the block.
        x: what flows in.
        expanded: channels in the middle; those that flow in need no first 1x1.
        channels: that flow out.
        kernel: side of the depthwise filter.
        stride: of the depthwise convolution.
        squeeze: channels inside squeeze-and-excitation; 0 leaves it out.
        activation: behind the first two convolutions; empty where it clips and so is part of them.
        gate: the activation that squeeze-and-excitation ends with.
    """
    added = stride == 1 and x.channels == channels
    y = read_also(x) if added else read_once(x)
    if expanded != x.channels:
        y = read_once(net.conv(f"{name}.expand", y, expanded, 1))
    if activation and expanded != x.channels:
        net.pointwise(f"{name}.expand.{activation}", activation, y)
    y = net.conv(f"{name}.depthwise", y, expanded, kernel, stride=stride, groups=expanded)
    if activation:
        net.pointwise(f"{name}.depthwise.{activation}", activation, y)
    if squeeze:
        y = excite(net, f"{name}.se", y, squeeze, gate)
    y = net.conv(f"{name}.project", y if squeeze else read_once(y), channels, 1)
    return net.add(f"{name}.add", y, x) if added else y


def excite(net: NetworkBuilder, name: str, x: Feature, squeeze: int, gate: str) -> Feature:
    """Add squeeze-and-excitation (Hu et al., CVPR 2018): means, two layers, a factor a channel."""
    y = net.linear(f"{name}.reduce", net.mean(f"{name}.mean", x), squeeze)
    y = net.linear(f"{name}.expand", read_once(y), x.channels)
    net.pointwise(f"{name}.{gate}", gate, y)
    return net.pointwise(f"{name}.multiply", MULTIPLY, x, ("NC", y))
