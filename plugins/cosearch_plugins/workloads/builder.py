"""Writes networks down layer by layer, following shapes and counting parameters on the way."""

from __future__ import annotations

from attrs import evolve, frozen

from cosearch.errors import CosearchError
from cosearch.workload.einsum import conv
from cosearch.workload.network import Layer, Network
from cosearch.workload.transposed import transposed_conv


@frozen
class Feature:
    """What flows between layers: channels and pixels (or tokens, along the width) of one sample."""

    channels: int
    height: int = 1
    width: int = 1


class NetworkBuilder:
    """Collects layers; every method takes what flows in and returns what flows out.

    Args:
        name: of the network.
        batch: samples in one run.
        source: where the shapes come from.
        frozen_norms: batch norms stay as they are and so are no trainable parameters.

    Attributes:
        parameters: trainable parameters so far: weights, biases, norms and embeddings.
    """

    def __init__(
        self, name: str, batch: int = 1, source: str = "", *, frozen_norms: bool = False
    ) -> None:
        self.name, self.batch, self.source = name, batch, source
        self.frozen_norms = frozen_norms
        self.parameters = 0
        self._layers: list[Layer] = []

    def network(self) -> Network:
        """Return what was collected."""
        return Network(
            self.name, tuple(self._layers), source=self.source, parameters=self.parameters
        )

    def conv(
        self,
        name: str,
        x: Feature,
        channels: int,
        kernel: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int | None = None,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = False,
        norm: bool = True,
    ) -> Feature:
        """Add a convolution.

        Args:
            name: of the layer.
            x: what flows in.
            channels: what flows out.
            kernel: side of the filter, or its height and width.
            stride: along both axes.
            padding: zeros on every side; None keeps the size at stride 1.
            dilation: along both axes.
            groups: of channels that do not mix.
            bias: whether a number is added to every channel.
            norm: whether a batch norm (a scale and a shift a channel) follows.
        """
        kernel_h, kernel_w = (kernel, kernel) if isinstance(kernel, int) else kernel
        out = Feature(
            channels,
            self._length(name, x.height, kernel_h, stride, padding, dilation),
            self._length(name, x.width, kernel_w, stride, padding, dilation),
        )
        layer = conv(
            name,
            N=self.batch,
            G=groups,
            K=channels // groups,
            C=x.channels // groups,
            P=out.width,
            Q=out.height,
            R=kernel_w,
            S=kernel_h,
            stride=(stride, stride),
            dilation=(dilation, dilation),
        )
        self._layers.append(Layer(layer))
        self.parameters += channels * (x.channels // groups) * kernel_h * kernel_w
        self.parameters += channels * int(bias)
        if norm and not self.frozen_norms:
            self.norm(channels)
        return out

    def pool(
        self, x: Feature, kernel: int, stride: int, *, padding: int = 0, ceil: bool = False
    ) -> Feature:
        """Shrink the pixels; pooling has no multiply-accumulates.

        Args:
            x: what flows in.
            kernel: side of the window.
            stride: along both axes.
            padding: on every side.
            ceil: whether a window may hang over the edge.
        """
        over = stride - 1 if ceil else 0
        return evolve(
            x,
            height=self._length("pool", x.height + over, kernel, stride, padding, 1),
            width=self._length("pool", x.width + over, kernel, stride, padding, 1),
        )

    def linear(self, name: str, x: Feature, channels: int, *, bias: bool = True) -> Feature:
        """Add a fully connected layer over the channels of each pixel or token."""
        layer = conv(name, N=self.batch, K=channels, C=x.channels, P=x.width, Q=x.height)
        self._layers.append(Layer(layer))
        self.parameters += channels * (x.channels + int(bias))
        return evolve(x, channels=channels)

    def upconv(self, name: str, x: Feature, channels: int) -> Feature:
        """Add a 2x2 transposed convolution with stride 2 and a bias: twice the pixels."""
        out = Feature(channels, 2 * x.height, 2 * x.width)
        self._layers += transposed_conv(
            name,
            N=self.batch,
            K=channels,
            C=x.channels,
            P=out.width,
            Q=out.height,
            R=2,
            S=2,
            stride=(2, 2),
        )
        self.parameters += channels * (x.channels * 4 + 1)
        return out

    def products(self, name: str, count: int, rows: int, inner: int, columns: int) -> None:
        """Add matrix products of two activations; the second has the role of the weights.

        Args:
            name: of the layer.
            count: products in one sample, such as heads.
            rows: of the first operand.
            inner: columns of the first, rows of the second.
            columns: of the second operand.
        """
        layer = conv(name, G=count * self.batch, K=columns, C=inner, P=rows, Q=1)
        self._layers.append(Layer(layer))

    def norm(self, channels: int, *, shift: bool = True) -> None:
        """Count the parameters of a norm: a scale and mostly a shift a channel."""
        self.parameters += channels * (1 + int(shift))

    def embedding(self, rows: int, channels: int) -> None:
        """Count the parameters of a table that is only looked up."""
        self.parameters += rows * channels

    def _length(
        self, name: str, length: int, kernel: int, stride: int, padding: int | None, dilation: int
    ) -> int:
        reach = dilation * (kernel - 1)
        total = reach + reach % 2 if padding is None else 2 * padding
        out = (length + total - reach - 1) // stride + 1
        if out < 1:
            raise CosearchError(
                f"{self.name}: at layer {name!r} only {length} pixels are left, fewer than its "
                f"{kernel}-wide window needs",
                "use a larger image",
            )
        return out


def flat(x: Feature) -> Feature:
    """Return all pixels of all channels as the channels of one pixel."""
    return Feature(x.channels * x.height * x.width)


def pooled(x: Feature) -> Feature:
    """Return the mean of each channel (global average pooling)."""
    return Feature(x.channels)
