"""AlexNet: Krizhevsky, Sutskever and Hinton, NeurIPS 2012."""

from __future__ import annotations

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch_plugins.workloads.builder import Feature, NetworkBuilder, flat, read_once
from cosearch_plugins.workloads.options import BATCH, image
from cosearch_plugins.workloads.vision import ImageNetwork


class AlexNet(ImageNetwork):
    """AlexNet as published: layers 2, 4 and 5 in two groups, one for each GPU of 2012.

    Args:
        batch: images in one run.
        image: side of the image in pixels.
        groups: 2 as published, 1 for the ungrouped network that some papers evaluate.
    """

    name = "alexnet"
    source = "Krizhevsky et al., NeurIPS 2012, Figure 2 (227x227 as in Caffe's bvlc_alexnet)"
    options = ParameterSpace(
        (
            BATCH,
            image(227),
            Parameter("groups", (1, 2), 2, doc="2 as published, 1 without groups"),
        )
    )

    def __init__(self, batch: int = 1, image: int | None = None, groups: int = 2) -> None:
        super().__init__(batch, image)
        self.groups = groups

    def write(self, net: NetworkBuilder, x: Feature) -> None:
        """Add the layers."""
        g = self.groups
        x = net.conv("conv1", x, 96, 11, stride=4, padding=0, bias=True, norm=False)
        x = net.pool(x, 3, 2)
        x = net.conv("conv2", x, 256, 5, groups=g, bias=True, norm=False)
        x = net.pool(x, 3, 2)
        x = net.conv("conv3", x, 384, 3, bias=True, norm=False)
        x = net.conv("conv4", read_once(x), 384, 3, groups=g, bias=True, norm=False)
        x = net.conv("conv5", read_once(x), 256, 3, groups=g, bias=True, norm=False)
        x = net.pool(x, 3, 2)
        x = net.linear("fc6", flat(x), 4096)
        x = net.linear("fc7", read_once(x), 4096)
        net.linear("fc8", read_once(x), 1000)
