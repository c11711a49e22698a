"""The implementations of a layer, and what each needs of an Arm CPU at least.

Each is a roofline of its own: the multiplications that its algorithm does, and the bytes that it
passes through memory. What caches and instruction scheduling cost on top is not modelled: no times
of single implementations are public for LNE (arXiv 2006.05181).
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from attrs import frozen

from cosearch.quantities import added
from cosearch.workload.einsum import Einsum
from cosearch_hardware.gemm_view import gemm_view

Layout: TypeAlias = Literal["NCHW", "NHWC", "NC4HW4"]
LAYOUTS: Final[tuple[Layout, ...]] = ("NCHW", "NHWC", "NC4HW4")


@frozen
class Primitive:
    """One way to run a layer.

    Attributes:
        name: as a layer's place says it.
        layout: of its inputs and its outputs.
        bytes: of a number.
    """

    name: str
    layout: Layout
    bytes: int

    @property
    def place(self) -> str:
        """As `Einsum.place` says it."""
        return f"{self.name} {self.layout}"


DIRECT = Primitive("direct", "NC4HW4", 4)
IM2COL = Primitive("im2col", "NCHW", 4)
WINOGRAD = Primitive("winograd", "NCHW", 4)
DEPTHWISE = Primitive("depthwise", "NHWC", 4)
IM2COL_INT8 = Primitive("im2col-int8", "NHWC", 1)
PLAIN: Final = tuple(Primitive("plain", layout, 4) for layout in LAYOUTS)
ALL: Final = (DIRECT, IM2COL, WINOGRAD, DEPTHWISE, IM2COL_INT8, *PLAIN)
BY_PLACE: Final = {primitive.place: primitive for primitive in ALL}

WINOGRAD_SAVES = 2.25
"""F(2x2, 3x3) multiplies 16 times for 4 outputs of 9 taps: 36 / 16 (Lavin and Gray, CVPR 2016)."""
WINOGRAD_IN, WINOGRAD_OUT = 32, 24
"""Additions of the two transforms, a tile and channel (Lavin and Gray, section 4.1)."""
WINOGRAD_GROWS = 4
"""Numbers of a transformed tile, 16, over the 4 outputs that it stands for."""


def primitives(layer: Einsum, *, int8: bool) -> tuple[Primitive, ...]:
    """Return how a layer can be run."""
    if layer.operation:
        return PLAIN
    if _is_depthwise(layer):
        return (DIRECT, DEPTHWISE)
    ways = [DIRECT, IM2COL]
    if _suits_winograd(layer):
        ways.append(WINOGRAD)
    return (*ways, IM2COL_INT8) if int8 else tuple(ways)


def needs(layer: Einsum, primitive: Primitive) -> tuple[float, float]:
    """Return the multiply-accumulates (or additions) and the bytes of one run."""
    read = added(layer.words(tensor) for tensor in layer.operands)
    written = layer.words(layer.output)
    operations = float(layer.operations)
    if primitive.name == "winograd":
        tiles = written / 4
        channels_in = layer.bounds.get("C", 1)
        transforms = tiles * WINOGRAD_OUT
        transforms += tiles / layer.bounds.get("K", 1) * channels_in * WINOGRAD_IN
        operations = operations / WINOGRAD_SAVES + transforms
        patches = tiles / layer.bounds.get("K", 1) * channels_in * 4 * WINOGRAD_GROWS
        return operations, 4.0 * (read + written + 2 * patches + 2 * WINOGRAD_GROWS * written)
    if primitive.name.startswith("im2col") and _is_window(layer):
        view = gemm_view(layer)
        columns = view.size("M") * view.size("K") * view.size("B")
        return operations, float(primitive.bytes * (read + written + 2 * columns))
    return operations, float(primitive.bytes * (read + written))


def _is_window(layer: Einsum) -> bool:
    """Return whether a product's inputs must be gathered into the columns of a matrix."""
    return any(layer.bounds.get(dim, 1) > 1 for dim in ("R", "S"))


def _is_depthwise(layer: Einsum) -> bool:
    size = layer.bounds
    return size.get("G", 1) > 1 and size.get("K", 1) == size.get("C", 1) == 1


def _suits_winograd(layer: Einsum) -> bool:
    """Return whether a layer is a 3x3 convolution of stride 1 without groups."""
    size = layer.bounds
    inputs = next((t for t in layer.tensors if t.role == "Inputs"), None)
    window = size.get("R") == size.get("S") == 3 and size.get("G", 1) == 1
    if not window or inputs is None:
        return False
    return all(coefficient == 1 for axis in inputs.axes for _, coefficient in axis.terms)
