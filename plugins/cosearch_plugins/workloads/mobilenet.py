"""MobileNetV2 (Sandler et al., CVPR 2018) and MobileNetV3 (Howard et al., ICCV 2019)."""

from __future__ import annotations

from attrs import frozen

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch_plugins.workloads.builder import Feature, NetworkBuilder, read_once
from cosearch_plugins.workloads.inverted_residual import divisible, inverted_residual
from cosearch_plugins.workloads.options import BATCH, image
from cosearch_plugins.workloads.vision import ImageNetwork


class MobileNetV2(ImageNetwork):
    """MobileNetV2, width 1.0."""

    name = "mobilenetv2"
    source = "Sandler et al., CVPR 2018, Table 2"

    def write(self, net: NetworkBuilder, x: Feature) -> None:
        """Add the layers."""
        x = net.conv("stem", x, 32, 3, stride=2)
        block = 0
        for expansion, channels, repeats, stride in (
            (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
            (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
        ):  # fmt: skip
            for i in range(repeats):
                block += 1
                x = inverted_residual(
                    net,
                    f"block{block}",
                    x,
                    expanded=expansion * x.channels,
                    channels=channels,
                    kernel=3,
                    stride=stride if i == 0 else 1,
                )
        x = net.conv("head", read_once(x), 1280, 1)
        net.linear("fc", net.mean("avgpool", x), 1000)


@frozen
class _Block:
    """A row of the paper's tables: SE is squeeze-and-excitation, HS the hard swish."""

    kernel: int
    expanded: int
    channels: int
    se: bool
    stride: int
    hs: bool


_LARGE = (
    _Block(3, 16, 16, False, 1, False), _Block(3, 64, 24, False, 2, False),
    _Block(3, 72, 24, False, 1, False), _Block(5, 72, 40, True, 2, False),
    _Block(5, 120, 40, True, 1, False), _Block(5, 120, 40, True, 1, False),
    _Block(3, 240, 80, False, 2, True), _Block(3, 200, 80, False, 1, True),
    _Block(3, 184, 80, False, 1, True), _Block(3, 184, 80, False, 1, True),
    _Block(3, 480, 112, True, 1, True), _Block(3, 672, 112, True, 1, True),
    _Block(5, 672, 160, True, 2, True), _Block(5, 960, 160, True, 1, True),
    _Block(5, 960, 160, True, 1, True),
)  # fmt: skip
_SMALL = (
    _Block(3, 16, 16, True, 2, False), _Block(3, 72, 24, False, 2, False),
    _Block(3, 88, 24, False, 1, False), _Block(5, 96, 40, True, 2, True),
    _Block(5, 240, 40, True, 1, True), _Block(5, 240, 40, True, 1, True),
    _Block(5, 120, 48, True, 1, True), _Block(5, 144, 48, True, 1, True),
    _Block(5, 288, 96, True, 2, True), _Block(5, 576, 96, True, 1, True),
    _Block(5, 576, 96, True, 1, True),
)  # fmt: skip
HARD_SWISH = "hard-swish"
_HEAD = {"large": 1280, "small": 1024}


class MobileNetV3(ImageNetwork):
    """MobileNetV3-Large or -Small, width 1.0, as in torchvision.

    Args:
        batch: images in one run.
        image: side of the image in pixels.
        variant: `large` or `small`.
    """

    name = "mobilenetv3"
    source = "Howard et al., ICCV 2019, Tables 1 and 2"
    options = ParameterSpace(
        (BATCH, image(224), Parameter("variant", ("large", "small"), "large", doc="which table"))
    )

    def __init__(self, batch: int = 1, image: int | None = None, variant: str = "large") -> None:
        super().__init__(batch, image)
        self.variant = variant

    def write(self, net: NetworkBuilder, x: Feature) -> None:
        """Add the layers."""
        blocks = _LARGE if self.variant == "large" else _SMALL
        x = net.pointwise("stem.hard-swish", HARD_SWISH, net.conv("stem", x, 16, 3, stride=2))
        for i, block in enumerate(blocks, start=1):
            x = inverted_residual(
                net,
                f"block{i}",
                x,
                expanded=block.expanded,
                channels=block.channels,
                kernel=block.kernel,
                stride=block.stride,
                squeeze=divisible(block.expanded / 4) if block.se else 0,
                activation=HARD_SWISH if block.hs else "",
                gate="hard-sigmoid",
            )
        x = net.conv("head", x, 6 * x.channels, 1)
        x = net.mean("avgpool", net.pointwise("head.hard-swish", HARD_SWISH, x))
        x = net.linear("fc1", x, _HEAD[self.variant])
        x = net.pointwise("fc1.hard-swish", HARD_SWISH, x)
        net.linear("fc2", x, 1000)
