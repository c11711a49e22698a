"""ResNet: He, Zhang, Ren and Sun, CVPR 2016."""

from __future__ import annotations

from cosearch_plugins.workloads.builder import Feature, NetworkBuilder, pooled
from cosearch_plugins.workloads.vision import ImageNetwork

SOURCE = "He et al., CVPR 2016, Table 1"


def basic_block(net: NetworkBuilder, name: str, x: Feature, channels: int, stride: int) -> Feature:
    """Add two 3x3 convolutions and, where the shape changes, a projection beside them."""
    y = net.conv(f"{name}.conv1", x, channels, 3, stride=stride)
    y = net.conv(f"{name}.conv2", y, channels, 3)
    if stride != 1 or x.channels != channels:
        net.conv(f"{name}.downsample", x, channels, 1, stride=stride)
    return y


def bottleneck(net: NetworkBuilder, name: str, x: Feature, channels: int, stride: int) -> Feature:
    """Add 1x1, 3x3 (with the stride) and 1x1 to four times the channels, and a projection."""
    y = net.conv(f"{name}.conv1", x, channels, 1)
    y = net.conv(f"{name}.conv2", y, channels, 3, stride=stride)
    y = net.conv(f"{name}.conv3", y, 4 * channels, 1)
    if stride != 1 or x.channels != 4 * channels:
        net.conv(f"{name}.downsample", x, 4 * channels, 1, stride=stride)
    return y


def stem(net: NetworkBuilder, x: Feature) -> Feature:
    """Add what stands before the blocks."""
    return net.pool(net.conv("conv1", x, 64, 7, stride=2, padding=3), 3, 2, padding=1)


class ResNet18(ImageNetwork):
    """ResNet-18: four stages of two basic blocks."""

    name = "resnet18"
    source = SOURCE

    def write(self, net: NetworkBuilder, x: Feature) -> None:
        """Add the layers."""
        x = stem(net, x)
        for stage, channels in enumerate((64, 128, 256, 512), start=1):
            for block in range(2):
                stride = 2 if stage > 1 and block == 0 else 1
                x = basic_block(net, f"layer{stage}.{block}", x, channels, stride)
        net.linear("fc", pooled(x), 1000)


class ResNet50(ImageNetwork):
    """ResNet-50: stages of 3, 4, 6, 3 bottlenecks; stride in the 3x3, as trained nowadays."""

    name = "resnet50"
    source = SOURCE + " (stride in the 3x3 convolution: `v1.5`, as torchvision)"

    def write(self, net: NetworkBuilder, x: Feature) -> None:
        """Add the layers."""
        x = stem(net, x)
        for stage, (channels, blocks) in enumerate(
            ((64, 3), (128, 4), (256, 6), (512, 3)), start=1
        ):
            for block in range(blocks):
                stride = 2 if stage > 1 and block == 0 else 1
                x = bottleneck(net, f"layer{stage}.{block}", x, channels, stride)
        net.linear("fc", pooled(x), 1000)
