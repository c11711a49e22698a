"""A space of ImageNet networks around MobileNetV2: depth, kernel, expansion and width by stage.

The space is of the kind that FBNet (Wu et al., CVPR 2019), ProxylessNAS (Cai et al., ICLR 2019)
and MnasNet (Tan et al., CVPR 2019) search: a fixed frame of inverted residual blocks whose shapes
are chosen stage by stage. MobileNetV2 itself (Sandler et al., CVPR 2018, Table 2) is the default
point.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

import numpy as np

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import FloatArray, Rows, Value
from cosearch.workload.network import Network, NetworkSpace
from cosearch_plugins.workloads.builder import Feature, NetworkBuilder
from cosearch_plugins.workloads.inverted_residual import divisible, inverted_residual
from cosearch_plugins.workloads.options import BATCH

STAGES = ((24, 2, 2), (32, 2, 3), (64, 2, 4), (96, 1, 3), (160, 2, 3))
"""Channels at width 1, stride, and MobileNetV2's depth."""


class MobileSpace(NetworkSpace):
    """Networks of five stages; their accuracy is a placeholder, see `ofa-mobilenetv3` for better.

    It is `100 - exp(a + b * ln(MACs))` per cent top-1 on ImageNet, the power law of the error in
    the work, fitted by least squares to the published accuracies of 22 MobileNetV2
    networks of 11 to 582 million MACs (`data/mobilenetv2`). Left out one at a time, they are missed
    by 0.8 points on average (root mean square) and by 1.7 at most. The choices of a network count
    only through its MACs: how they are spent is not seen. Searched networks do better than the
    estimate: FBNet-A, B and C by 1.6 to 2.1 points, MnasNet-A1 by 2.9; with squeeze-and-excitation
    and longer training MobileNetV3-Large by 4.9. Use it to keep a search from shrinking
    networks to nothing, not to rank networks of like work.

    Args:
        batch: images in one run.
    """

    options = ParameterSpace((BATCH,))
    accuracy_note = (
        "a placeholder from the MACs alone, 0.8 points off in the mean on MobileNetV2's own sizes "
        "and up to 4.9 on others; it ranks nothing at equal MACs"
    )

    def __init__(self, batch: int = 1) -> None:
        self.batch = batch

    @property
    def space(self) -> ParameterSpace:
        """One parameter for the image, four for each stage."""
        return _space()

    def build(self, row: Rows) -> Network:
        """Return the network of one row, int64[21]."""
        choices = self.space.decode(row)
        net = NetworkBuilder("mobile-space", self.batch, "after Sandler et al., CVPR 2018, Table 2")
        pixels = int(choices["image"])
        x = net.conv("stem", net.given(Feature(3, pixels, pixels)), 32, 3, stride=2)
        x = _stage(net, "stage0", x, channels=16, stride=1, depth=1, kernel=3, expansion=1)
        for i, (channels, stride, _) in enumerate(STAGES, start=1):
            x = _stage(
                net,
                f"stage{i}",
                x,
                channels=divisible(channels * float(choices[f"width{i}"])),
                stride=stride,
                depth=int(choices[f"depth{i}"]),
                kernel=int(choices[f"kernel{i}"]),
                expansion=int(choices[f"expansion{i}"]),
            )
        x = _stage(net, "stage6", x, channels=320, stride=1, depth=1, kernel=3, expansion=6)
        x = net.conv("head", x, 1280, 1)
        net.linear("fc", net.mean("avgpool", x), 1000)
        return net.network()

    def accuracy(self, rows: Rows) -> FloatArray:
        """Return the estimated top-1 accuracy in per cent, float64[n], of rows int64[n, 21]."""
        macs = np.array([self.build(row).macs / self.batch for row in rows], dtype=np.float64)
        return estimated_top1(macs)


def estimated_top1(macs: FloatArray) -> FloatArray:
    """Return the estimated ImageNet accuracy in per cent, float64[n], of networks by their MACs."""
    intercept, slope = fitted_power_law()
    return np.asarray(100.0 - np.exp(intercept + slope * np.log(macs / 1e6)))


@cache
def fitted_power_law() -> tuple[float, float]:
    """Return (a, b) of `ln(100 - top1) = a + b * ln(millions of MACs)`, by least squares.

    Rounded to nine digits, so that every machine has the same.
    """
    data = resources.files(__package__) / "data" / "mobilenetv2" / "accuracy.csv"
    with data.open(encoding="utf-8") as lines:
        points = [(float(row["macs_m"]), float(row["top1"])) for row in csv.DictReader(lines)]
    macs, top1 = np.array(points).T
    slope, intercept = np.polyfit(np.log(macs), np.log(100.0 - top1), 1)
    return round(float(intercept), 9), round(float(slope), 9)


def _stage(
    net: NetworkBuilder,
    name: str,
    x: Feature,
    *,
    channels: int,
    stride: int,
    depth: int,
    kernel: int,
    expansion: int,
) -> Feature:
    for i in range(depth):
        x = inverted_residual(
            net,
            f"{name}.{i}",
            x,
            expanded=expansion * x.channels,
            channels=channels,
            kernel=kernel,
            stride=stride if i == 0 else 1,
        )
    return x


@cache
def _space() -> ParameterSpace:
    parameters = [Parameter("image", (128, 160, 192, 224), 224, "pixels", "side of the image")]
    for i, (_, _, depth) in enumerate(STAGES, start=1):
        stage: tuple[tuple[str, tuple[Value, ...], Value, str], ...] = (
            ("depth", (1, 2, 3, 4), depth, "blocks"),
            ("kernel", (3, 5, 7), 3, "side of the depthwise filters"),
            ("expansion", (3, 4, 6), 6, "channels inside a block, over those that flow in"),
            ("width", (0.75, 1.0, 1.25), 1.0, "channels over MobileNetV2's"),
        )
        parameters += [
            Parameter(f"{name}{i}", choices, default, doc=f"{doc} of stage {i}")
            for name, choices, default, doc in stage
        ]
    return ParameterSpace(tuple(parameters))
