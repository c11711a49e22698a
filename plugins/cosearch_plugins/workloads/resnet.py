"""ResNet: He, Zhang, Ren and Sun, CVPR 2016."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch_plugins.workloads.builder import Feature, NetworkBuilder, read_also, read_once
from cosearch_plugins.workloads.options import BATCH, image
from cosearch_plugins.workloads.vision import ImageNetwork

SOURCE = "He et al., CVPR 2016, Table 1"

Block = Callable[[NetworkBuilder, str, Feature, int, int], Feature]


def basic_block(net: NetworkBuilder, name: str, x: Feature, channels: int, stride: int) -> Feature:
    """Add two 3x3 convolutions, a projection where the shape changes, and the residual's sum."""
    y = net.conv(f"{name}.conv1", read_also(x), channels, 3, stride=stride)
    y = net.conv(f"{name}.conv2", read_once(y), channels, 3)
    if stride != 1 or x.channels != channels:
        x = net.conv(f"{name}.downsample", x, channels, 1, stride=stride)
        return net.add(f"{name}.add", x, y)  # the projection, written last, leads on
    return net.add(f"{name}.add", y, x)


def bottleneck(net: NetworkBuilder, name: str, x: Feature, channels: int, stride: int) -> Feature:
    """Add 1x1, 3x3 (with the stride), 1x1 to four times the channels, projection and sum."""
    y = net.conv(f"{name}.conv1", read_also(x), channels, 1)
    y = net.conv(f"{name}.conv2", read_once(y), channels, 3, stride=stride)
    return _widened(net, name, x, y, stride)


def bottleneck_v1(
    net: NetworkBuilder, name: str, x: Feature, channels: int, stride: int
) -> Feature:
    """Add the bottleneck as published, with the stride in the first 1x1."""
    y = net.conv(f"{name}.conv1", read_also(x), channels, 1, stride=stride)
    y = net.conv(f"{name}.conv2", read_once(y), channels, 3)
    return _widened(net, name, x, y, stride)


def _widened(net: NetworkBuilder, name: str, x: Feature, y: Feature, stride: int) -> Feature:
    channels, first = 4 * y.channels, x.producer
    projected = stride != 1 or x.channels != channels
    if projected:
        x = net.conv(f"{name}.downsample", x, channels, 1, stride=stride)
    out = net.add(f"{name}.add", net.conv(f"{name}.conv3", read_once(y), channels, 1), x)
    if projected and first is not None:
        # the projection would have to run in the middle of the chain that conv1 is in
        return evolve(out, producer=None)
    return out


def resnet(
    net: NetworkBuilder, x: Feature, block: Block, depths: tuple[int, int, int, int]
) -> tuple[Feature, ...]:
    """Add the convolutions of a ResNet and return what flows out of each of its four stages.

    Args:
        net: where the layers go.
        x: the image.
        block: what the stages are made of.
        depths: blocks in each stage.
    """
    x = net.pool(net.conv("conv1", x, 64, 7, stride=2, padding=3), 3, 2, padding=1)
    out: list[Feature] = []
    for stage, depth in enumerate(depths, start=1):
        for i in range(depth):
            stride = 2 if stage > 1 and i == 0 else 1
            x = block(net, f"layer{stage}.{i}", x, 32 * 2**stage, stride)
        out.append(x)
    return tuple(out)


class ResNet18(ImageNetwork):
    """ResNet-18: four stages of two basic blocks."""

    name = "resnet18"
    source = SOURCE

    def write(self, net: NetworkBuilder, x: Feature) -> None:
        """Add the layers."""
        *_, x = resnet(net, x, basic_block, (2, 2, 2, 2))
        net.linear("fc", net.mean("avgpool", x), 1000)


class ResNet50(ImageNetwork):
    """ResNet-50: stages of 3, 4, 6 and 3 bottlenecks.

    Args:
        batch: images in one run.
        image: side of the image in pixels.
        version: `v1` strides in the first 1x1 convolution, as published; `v1.5` in the 3x3, as
            trained since.
    """

    name = "resnet50"
    source = SOURCE
    options = ParameterSpace(
        (
            BATCH,
            image(224),
            Parameter("version", ("v1", "v1.5"), "v1.5", doc="stride in the 1x1 or the 3x3"),
        )
    )

    def __init__(self, batch: int = 1, image: int | None = None, version: str = "v1.5") -> None:
        super().__init__(batch, image)
        self.block = bottleneck if version == "v1.5" else bottleneck_v1

    def write(self, net: NetworkBuilder, x: Feature) -> None:
        """Add the layers."""
        *_, x = resnet(net, x, self.block, (3, 4, 6, 3))
        net.linear("fc", net.mean("avgpool", x), 1000)
