"""Writes networks down layer by layer, following shapes and counting parameters on the way."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, field, frozen

from cosearch.errors import CosearchError
from cosearch.workload.einsum import Einsum, conv
from cosearch.workload.elementwise import ADD, AVERAGE, MAXIMUM, pointwise, pool
from cosearch.workload.link import Link, extent
from cosearch.workload.network import Layer, Network
from cosearch.workload.transposed import transposed_conv
from cosearch_plugins.memory.trace import Trace


@frozen
class Feature:
    """What flows between layers: channels and pixels (or tokens, along the width) of one sample.

    Attributes:
        producer: number of the layer that wrote just this; None after anything that is no layer.
            What goes element by element with it (a residual's sum, a norm) counts for nothing: a
            machine that prices it as a layer ends the link.
        read_once: whether the next layer it is handed to is its only reader, see `read_once`.
        read_also: whether it is one of several, see `read_also`.
        normed: whether a norm needed all channels at once.
        tensor: where it is in the network's dataflow; None where nobody knows.
    """

    channels: int
    height: int = 1
    width: int = 1
    producer: int | None = field(default=None, eq=False)
    read_once: bool = field(default=False, eq=False)
    read_also: bool = field(default=False, eq=False)
    normed: bool = field(default=False, eq=False)
    tensor: int | None = field(default=None, eq=False)


class NetworkBuilder:
    """Collects layers; every method takes what flows in and returns what flows out.

    Pooling, additions of two tensors and activations that are no clipping are layers of their own.
    What a product's layer does to its own sums is part of it: biases, batch norms, and activations
    that clip (ReLU, ReLU6). In the dataflow, activations and softmax work in place.

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
        self._links: list[Link] = []
        self._pools = 0
        self._trace = Trace()

    def network(self) -> Network:
        """Return what was collected."""
        return Network(
            self.name,
            tuple(self._layers),
            source=self.source,
            parameters=self.parameters,
            links=tuple(self._links),
            dataflow=self._trace.dataflow(),
        )

    def given(self, x: Feature, *, kept: bool = False) -> Feature:
        """Return what is there before the first layer.

        Args:
            x: its shape.
            kept: whether it stays to the end, as a state does.
        """
        return evolve(x, tensor=self._trace.given(self._words(x), kept=kept))

    def gather(self, name: str, parts: Sequence[Feature], out: Feature) -> Feature:
        """Return tensors copied into one, such as a concatenation: a step that is no layer.

        Args:
            name: of the step.
            parts: what is copied.
            out: the shape of the whole.
        """
        return self._wrote(name, parts, evolve(out, producer=None, read_once=False))

    def _wrote(self, name: str, parts: Sequence[Feature], out: Feature) -> Feature:
        """Return what a step writes that reads so many tensors."""
        reads = [part.tensor for part in parts]
        return evolve(out, tensor=self._trace.run(name, reads, self._words(out)))

    def _words(self, x: Feature) -> int:
        return self.batch * x.channels * x.height * x.width

    def _add(self, layer: Einsum, x: Feature, out: Feature) -> Feature:
        """Add a layer that reads x, and return what it writes."""
        if (x.read_once or x.read_also) and x.producer is not None:
            channels = len(self._layers[x.producer].einsum.output.axes) - 3
            whole = (channels,) if x.normed else ()
            self._link(x.producer, layer, whole, written=not x.read_once)
        self._layers.append(Layer(layer))
        written = evolve(out, producer=len(self._layers) - 1, read_once=False)
        return self._wrote(layer.name, (x,), written)

    def _link(
        self,
        producer: int,
        layer: Einsum,
        whole: tuple[int, ...] = (),
        *,
        written: bool = False,
    ) -> None:
        """Note that the layer added next reads an earlier one's output; `written`: others do too.

        Unless it reads the channels in other groups: then there is no link.
        """
        wrote = self._layers[producer].einsum
        operand = next(t for t in layer.tensors if t.role == "Inputs")
        axes = matching_axes(
            [extent(wrote, axis) for axis in wrote.output.axes],
            [extent(layer, axis) for axis in operand.axes],
        )
        if axes is not None:
            link = Link(producer, len(self._layers), operand.name, axes, whole, written)
            self._links.append(link)

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
        out = self._add(layer, x, out)
        self.parameters += channels * (x.channels // groups) * kernel_h * kernel_w
        self.parameters += channels * int(bias)
        if norm and not self.frozen_norms:
            self.norm(channels)
        return out

    def pool(
        self, x: Feature, kernel: int, stride: int, *, padding: int = 0, ceil: bool = False
    ) -> Feature:
        """Add maximum pooling, named `pool1`, `pool2` and so on.

        Args:
            x: what flows in.
            kernel: side of the window.
            stride: along both axes.
            padding: on every side.
            ceil: whether a window may hang over the edge.
        """
        self._pools += 1
        over = stride - 1 if ceil else 0
        out = evolve(
            x,
            height=self._length("pool", x.height + over, kernel, stride, padding, 1),
            width=self._length("pool", x.width + over, kernel, stride, padding, 1),
            producer=None,
        )
        self._pooling(f"pool{self._pools}", MAXIMUM, out, (kernel, kernel), stride)
        return self._wrote(f"pool{self._pools}", (x,), out)

    def mean(self, name: str, x: Feature) -> Feature:
        """Add global average pooling: the mean of each channel."""
        out = Feature(x.channels)
        self._pooling(name, AVERAGE, out, (x.height, x.width))
        return self._wrote(name, (x,), out)

    def add(self, name: str, x: Feature, other: Feature) -> Feature:
        """Add the sum of what flows in and a second tensor of its shape, as behind a residual."""
        return self.pointwise(name, ADD, x, ("NCPQ", other))

    def pointwise(
        self, name: str, operation: str, x: Feature, *operands: tuple[str, Feature]
    ) -> Feature:
        """Add an operation on every number, in place, or on those of further operands too.

        Args:
            name: of the layer.
            operation: what is done.
            x: what flows in.
            operands: each further one with its dimensions, of N, C, P (width) and Q (height).
        """
        sizes = {"N": self.batch, "C": x.channels, "P": x.width, "Q": x.height}
        dims = tuple(dims for dims, _ in operands)
        self._layers.append(Layer(pointwise(name, operation, **sizes, operands=dims)))
        others = [other for _, other in operands]
        return self._wrote(name, (x, *others), x) if others else x

    def _pooling(
        self, name: str, operation: str, out: Feature, window: tuple[int, int], stride: int = 1
    ) -> None:
        height, width = window
        sizes = {"N": self.batch, "C": out.channels, "P": out.width, "Q": out.height}
        strides = (stride, stride)
        einsum = pool(name, operation, **sizes, R=width, S=height, stride=strides)
        self._layers.append(Layer(einsum))

    def linear(self, name: str, x: Feature, channels: int, *, bias: bool = True) -> Feature:
        """Add a fully connected layer over the channels of each pixel or token."""
        layer = conv(name, N=self.batch, K=channels, C=x.channels, P=x.width, Q=x.height)
        self.parameters += channels * (x.channels + int(bias))
        return self._add(layer, x, Feature(channels, x.height, x.width))

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
        return self._wrote(name, (x,), out)

    def products(
        self,
        name: str,
        operands: Sequence[Feature],
        count: int,
        rows: int,
        inner: int,
        columns: int,
        *,
        softmax_of: int | None = None,
    ) -> Feature:
        """Add matrix products of two activations; the second has the role of the weights.

        Args:
            name: of the layer.
            operands: the tensors it reads.
            count: products in one sample, such as heads.
            rows: of the first operand.
            inner: columns of the first, rows of the second.
            columns: of the second operand.
            softmax_of: number of the products whose softmax, over their columns, is the first
                operand, and is read by nothing else.

        Returns:
            what it writes: each product's columns as channels, its rows as pixels.
        """
        layer = conv(name, G=count * self.batch, K=columns, C=inner, P=rows, Q=1)
        if softmax_of is not None:
            channels = len(layer.output.axes) - 3
            self._link(softmax_of, layer, whole=(channels,))
        self._layers.append(Layer(layer))
        out = Feature(count * columns, 1, rows, len(self._layers) - 1)
        return self._wrote(name, operands, out)

    def normalize(self, name: str, x: Feature, *, shift: bool = True) -> Feature:
        """Add a norm over the channels of each token (layer or root-mean-square norm).

        What flows in stays as it is, for a residual may read it.
        """
        self.pointwise(name, "normalize", x)
        self.norm(x.channels, shift=shift)
        return self._wrote(name, (x,), evolve(x, normed=True))

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


def matching_axes(written: Sequence[int], read: Sequence[int]) -> tuple[int | None, ...] | None:
    """Return which axis of a convolution's input each axis of another's output is.

    The first are the batch, the last two the pixels, and those between the channels: one axis, or
    groups and channels in each.

    Args:
        written: lengths of the output's axes.
        read: lengths of the input's axes.

    Returns:
        for each axis of the output its number in the input, None where it has none and is of
        length 1; None where the channels are grouped in two ways, or pixels are never read.
    """
    many = [i for i in range(1, len(written) - 2) if written[i] > 1]
    other = [i for i in range(1, len(read) - 2) if read[i] > 1]
    if [written[i] for i in many] != [read[i] for i in other]:
        return None
    if written[-2] > read[-2] or written[-1] > read[-1]:
        return None
    axes: list[int | None] = [None] * len(written)
    for i, to in zip(many, other, strict=True):
        axes[i] = to
    axes[0], axes[-2], axes[-1] = 0, len(read) - 2, len(read) - 1
    return tuple(axes)


def read_once(x: Feature) -> Feature:
    """Return what flows, marked as read by the next layer it is handed to and by no other.

    What a residual connection carries past a layer too is not.
    """
    return evolve(x, read_once=True)


def read_also(x: Feature) -> Feature:
    """Return what flows, marked as read by the next layer it is handed to, and by others later."""
    return evolve(x, read_also=True)


def flat(x: Feature) -> Feature:
    """Return all pixels of all channels as the channels of one pixel."""
    return Feature(x.channels * x.height * x.width, tensor=x.tensor)
