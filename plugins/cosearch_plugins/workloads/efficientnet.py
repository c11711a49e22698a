"""EfficientNet-B0: Tan and Le, ICML 2019."""

from __future__ import annotations

from cosearch_plugins.workloads.builder import Feature, NetworkBuilder
from cosearch_plugins.workloads.inverted_residual import inverted_residual
from cosearch_plugins.workloads.vision import ImageNetwork

_STAGES = (
    # expansion, kernel, stride, channels, blocks
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)


class EfficientNetB0(ImageNetwork):
    """EfficientNet-B0; squeeze-and-excitation to a quarter of the block's input channels."""

    name = "efficientnet-b0"
    source = "Tan and Le, ICML 2019, Table 1"

    def write(self, net: NetworkBuilder, x: Feature) -> None:
        """Add the layers."""
        x = net.conv("stem", x, 32, 3, stride=2)
        net.pointwise("stem.swish", "swish", x)
        for stage, (expansion, kernel, stride, channels, blocks) in enumerate(_STAGES, start=1):
            for block in range(blocks):
                x = inverted_residual(
                    net,
                    f"stage{stage}.{block}",
                    x,
                    expanded=expansion * x.channels,
                    channels=channels,
                    kernel=kernel,
                    stride=stride if block == 0 else 1,
                    squeeze=x.channels // 4,
                    activation="swish",
                    gate="sigmoid",
                )
        x = net.pointwise("head.swish", "swish", net.conv("head", x, 1280, 1))
        net.linear("fc", net.mean("avgpool", x), 1000)
