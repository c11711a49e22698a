"""What networks that see images share: batch, image size, and how they are written down."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from cosearch.workload.network import Network, Workload
from cosearch_plugins.workloads.builder import Feature, NetworkBuilder
from cosearch_plugins.workloads.options import image_options


class ImageNetwork(Workload):
    """A network that sees a batch of square RGB images.

    Args:
        batch: images in one run.
        image: side of the image in pixels; None is the published size.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    options = image_options(224)

    def __init__(self, batch: int = 1, image: int | None = None) -> None:
        self.batch = batch
        self.image = int(self.options["image"].default) if image is None else image

    @abstractmethod
    def write(self, net: NetworkBuilder, x: Feature) -> None:
        """Add the layers to `net`, starting from the image `x`."""

    def network(self) -> Network:
        """Return the network."""
        net = NetworkBuilder(self.name, self.batch, self.source)
        self.write(net, net.given(Feature(3, self.image, self.image)))
        return net.network()
