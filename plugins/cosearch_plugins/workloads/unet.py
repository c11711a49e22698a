"""U-Net: Ronneberger, Fischer and Brox, MICCAI 2015."""

from __future__ import annotations

from attrs import evolve

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.workload.network import Network
from cosearch_plugins.workloads.builder import Feature, NetworkBuilder
from cosearch_plugins.workloads.options import BATCH, image
from cosearch_plugins.workloads.vision import ImageNetwork


class UNet(ImageNetwork):
    """U-Net as published: unpadded 3x3 convolutions, one input channel.

    The 2x2 up-convolutions are counted without multiplications by inserted zeros.

    Args:
        batch: images in one run.
        image: side of the image in pixels.
        classes: output channels.
    """

    name = "unet"
    source = "Ronneberger et al., MICCAI 2015, Figure 1"
    options = ParameterSpace(
        (
            BATCH,
            image(572),
            Parameter("classes", (1, 1000), 2, doc="output channels", free=True),
        )
    )

    def __init__(self, batch: int = 1, image: int | None = None, classes: int = 2) -> None:
        super().__init__(batch, image)
        self.classes = classes

    def network(self) -> Network:
        """Return the network."""
        net = NetworkBuilder(self.name, self.batch, self.source)
        self.write(net, net.given(Feature(1, self.image, self.image)))
        return net.network()

    def write(self, net: NetworkBuilder, x: Feature) -> None:
        """Add the layers."""
        past = []
        for level, channels in enumerate((64, 128, 256, 512)):
            past.append(_two_convs(net, f"down{level}", x, channels))
            x = net.pool(past[-1], 2, 2)
        x = _two_convs(net, "bottom", x, 1024)
        for level, channels in zip((3, 2, 1, 0), (512, 256, 128, 64), strict=True):
            x = net.upconv(f"up{level}.upconv", x, channels)
            with_skip = evolve(x, channels=2 * channels)
            with_skip = net.gather(f"up{level}.concat", (x, past[level]), with_skip)
            x = _two_convs(net, f"up{level}", with_skip, channels)
        net.conv("out", x, self.classes, 1, bias=True, norm=False)


def _two_convs(net: NetworkBuilder, name: str, x: Feature, channels: int) -> Feature:
    x = net.conv(f"{name}.conv1", x, channels, 3, padding=0, bias=True, norm=False)
    return net.conv(f"{name}.conv2", x, channels, 3, padding=0, bias=True, norm=False)
