"""RetinaNet: Lin, Goyal, Girshick, He and Dollar, ICCV 2017."""

from __future__ import annotations

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.workload.network import Network, Workload
from cosearch_plugins.workloads.builder import Feature, NetworkBuilder
from cosearch_plugins.workloads.options import BATCH, size
from cosearch_plugins.workloads.resnet import bottleneck_v1, resnet

ANCHORS = 9
"""At every pixel: three scales times three aspect ratios (section 4)."""

FROM_ABOVE = Feature(256)
"""The level above, enlarged. Levels are written down bottom up and each is added to from above, so
that the order of layers is none in which they can run, and there is no dataflow."""


class RetinaNet(Workload):
    """RetinaNet with ResNet-50 (v1) and a feature pyramid, levels P3 to P7; P6 comes from C5.

    Args:
        batch: images in one run.
        height: of the image, in pixels.
        width: of the image, in pixels.
        classes: to tell apart.
    """

    options = ParameterSpace(
        (
            BATCH,
            size("height", 800, "of the image, in pixels"),
            size("width", 800, "of the image, in pixels"),
            Parameter("classes", (1, 10_000), 80, doc="to tell apart", free=True),
        )
    )

    def __init__(
        self, batch: int = 1, height: int = 800, width: int = 800, classes: int = 80
    ) -> None:
        self.batch, self.classes = batch, classes
        self.image = Feature(3, height, width)

    def network(self) -> Network:
        """Return the network.

        The backbone's batch norms are frozen and so are no parameters; the heads' weights are
        shared by all levels and counted once.
        """
        source = "Lin et al., ICCV 2017, sections 3 and 4"
        net = NetworkBuilder("retinanet", self.batch, source, frozen_norms=True)
        _, *stages = resnet(net, self.image, bottleneck_v1, (3, 4, 6, 3))
        for level, x in enumerate(_pyramid(net, stages), start=3):
            before = net.parameters
            scores = _head(net, f"p{level}.class", x, ANCHORS * self.classes)
            net.pointwise(f"p{level}.class.sigmoid", "sigmoid", scores)
            _head(net, f"p{level}.box", x, ANCHORS * 4)
            if level > 3:
                net.parameters = before
        return net.network()


def _pyramid(net: NetworkBuilder, stages: list[Feature]) -> list[Feature]:
    """Add the feature pyramid (Lin et al., CVPR 2017) and return its five levels."""
    levels = []
    for level, stage in enumerate(stages, start=3):
        x = net.conv(f"fpn.lateral{level}", stage, 256, 1, bias=True, norm=False)
        if stage is not stages[-1]:
            net.add(f"fpn.add{level}", x, FROM_ABOVE)
        levels.append(net.conv(f"fpn.p{level}", x, 256, 3, bias=True, norm=False))
    p6 = net.conv("fpn.p6", stages[-1], 256, 3, stride=2, bias=True, norm=False)
    p7 = net.conv("fpn.p7", p6, 256, 3, stride=2, bias=True, norm=False)
    return [*levels, p6, p7]


def _head(net: NetworkBuilder, name: str, x: Feature, channels: int) -> Feature:
    """Add four 3x3 convolutions and the one that predicts."""
    for i in range(1, 5):
        x = net.conv(f"{name}.conv{i}", x, 256, 3, bias=True, norm=False)
    return net.conv(f"{name}.out", x, channels, 3, bias=True, norm=False)
