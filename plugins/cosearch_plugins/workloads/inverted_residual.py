"""The block of MobileNetV2, MobileNetV3, EfficientNet and the networks searched around them."""

from __future__ import annotations

from cosearch_plugins.workloads.builder import Feature, NetworkBuilder, pooled, read_once


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
) -> Feature:
    """Add 1x1 to more channels, depthwise, squeeze-and-excitation, and 1x1 to fewer channels.

    Args:
        net: where the layers go.
        name: of the block.
        x: what flows in.
        expanded: channels in the middle; those that flow in need no first 1x1.
        channels: that flow out.
        kernel: side of the depthwise filter.
        stride: of the depthwise convolution.
        squeeze: channels inside squeeze-and-excitation; 0 leaves it out.
    """
    y = x if expanded == x.channels else read_once(net.conv(f"{name}.expand", x, expanded, 1))
    y = net.conv(f"{name}.depthwise", y, expanded, kernel, stride=stride, groups=expanded)
    if squeeze:
        excite(net, f"{name}.se", y, squeeze)
    return net.conv(f"{name}.project", y if squeeze else read_once(y), channels, 1)


def excite(net: NetworkBuilder, name: str, x: Feature, squeeze: int) -> None:
    """Add the two fully connected layers of squeeze-and-excitation (Hu et al., CVPR 2018)."""
    y = net.linear(f"{name}.reduce", pooled(x), squeeze)
    net.linear(f"{name}.expand", read_once(y), x.channels)
