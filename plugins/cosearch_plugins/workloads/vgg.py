"""VGG: Simonyan and Zisserman, ICLR 2015."""

from __future__ import annotations

from cosearch_plugins.workloads.builder import Feature, NetworkBuilder, flat, read_once
from cosearch_plugins.workloads.vision import ImageNetwork


class VGG16(ImageNetwork):
    """VGG-16: configuration D, without batch norm."""

    name = "vgg16"
    source = "Simonyan and Zisserman, ICLR 2015, Table 1, configuration D"

    def write(self, net: NetworkBuilder, x: Feature) -> None:
        """Add the layers."""
        for stage, (channels, depth) in enumerate(
            ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), start=1
        ):
            for i in range(1, depth + 1):
                x = net.conv(f"conv{stage}_{i}", read_once(x), channels, 3, bias=True, norm=False)
            x = net.pool(x, 2, 2)
        x = net.linear("fc6", flat(x), 4096)
        x = net.linear("fc7", read_once(x), 4096)
        net.linear("fc8", read_once(x), 1000)
