"""Layers that run on VTA's ALU: depthwise convolutions, pooling, additions, products a number.

The ALU works on rows of the accumulator memory, `batch x block_out` numbers at once. It reads both
operands of a tensor-tensor operation there, so that all operands are loaded into that memory. What
is done to each row follows the intel stack's own schedules (`vta_depthwise_conv2d.py` and
`vta_pooling.py` of its compiler) and, for what they do not cover, the nearest reading:

- depthwise: a product a tap into a buffer, a sum a tap; batch 1, no dilation, one filter a channel.
- pooling: a maximum or a sum a tap. A mean is a sum, scaled up, and multiplied by `1/n` as shifts
  and additions, one each for every bit of `1/n` in 31 bits. Their compiler averages whole images
  alone; other windows are read the same way.
- additions and products: one tensor-tensor operation, then the shift and clip of every output.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import frozen

from cosearch.errors import Infeasible
from cosearch.typing import IntArray
from cosearch.workload.einsum import Einsum
from cosearch.workload.elementwise import ADD, AVERAGE, MAXIMUM, MULTIPLY
from cosearch_hardware.gemm_view import gemm_view
from cosearch_hardware.vta.blocks import Loops, Window, blocks_of, loops_of
from cosearch_hardware.vta.isa import VtaConfiguration

DEPTHWISE = "depthwise"
FRACTION_BITS = 31
"""Of the `1/n` that a mean is multiplied by; the sum has 32."""


@frozen
class Operations:
    """ALU operations on one row.

    Attributes:
        tensor: with two operands in memory.
        immediate: with a constant.
    """

    tensor: int = 0
    immediate: int = 0

    @property
    def instructions(self) -> int:
        """Each operation is an instruction over all rows of a tile."""
        return self.tensor + self.immediate


@frozen
class AluLayer:
    """A layer in rows of the ALU.

    Attributes:
        operation: `depthwise`, `maximum`, `average`, `add` or `multiply`.
        rows: blocks of the batch.
        co: blocks of channels.
        height, width: spatial axes with their windows.
        operands: tensors with a number for every input pixel.
        per_channel: rows of each channel block that hold for all pixels: filter taps and the bias,
            or the factors of a product a channel.
        each_tap, finish: what is done to a row for each tap, and once.
    """

    operation: str
    rows: int
    co: int
    height: Window
    width: Window
    operands: int
    per_channel: int
    each_tap: Operations
    finish: Operations


def clips(c: VtaConfiguration) -> int:
    """Return the operations that clip a row: CLP is one, MIN and MAX are two."""
    return 1 if c.stack == "intel" else 2


def priced_operations(c_stack: str) -> tuple[str, ...]:
    """Return the element-wise work that the opcodes of a stack express."""
    return (MAXIMUM, AVERAGE, ADD, *((MULTIPLY,) if c_stack == "intel" else ()))


def division(n: int) -> Operations:
    """Return what dividing a row by a constant takes.

    An offset that makes sums positive, scaling up, clearing the quotient, scaling down and the
    offset back are immediates; each bit of `1/n` is a shift and an addition.
    """
    terms = ((1 << FRACTION_BITS) // n).bit_count()
    return Operations(tensor=terms, immediate=5 + terms)


def on_alu(layer: Einsum, c: VtaConfiguration) -> bool:
    """Return whether a layer runs on the ALU: element-wise work, and depthwise where it can."""
    if layer.operation:
        return True
    if not c.multiplies or c.batch > 0 or len(layer.tensors) != 3:
        return False
    view = gemm_view(layer)
    taps = view.windows
    channels = [d for d, g in zip(layer.dims, view.groups, strict=True) if g == "K"]
    alone = view.size("N") == 1 and all(layer.bounds[d] == 1 for d in channels if d not in taps)
    blocks = blocks_of(layer, c)
    plain = blocks.height.dilation == blocks.width.dilation == 1
    return alone and plain and view.size("B") > 1 and blocks.height.taps * blocks.width.taps > 1


def alu_layer(layer: Einsum, c: VtaConfiguration) -> AluLayer:
    """Return a layer in rows; raises Infeasible for work that no opcode does."""
    return _elementwise(layer, c) if layer.operation else _depthwise(layer, c)


def _depthwise(layer: Einsum, c: VtaConfiguration) -> AluLayer:
    b = blocks_of(layer, c)
    return AluLayer(
        DEPTHWISE,
        b.rows,
        -(-b.groups // (1 << c.block_out)),
        b.height,
        b.width,
        operands=1,
        per_channel=b.height.taps * b.width.taps + 1,
        each_tap=Operations(tensor=2),
        finish=Operations(tensor=1, immediate=2 + clips(c)),
    )


def _elementwise(layer: Einsum, c: VtaConfiguration) -> AluLayer:
    operation, bounds = str(layer.operation), layer.bounds
    if operation not in priced_operations(c.stack) or not {"N", "C", "P", "Q"} <= bounds.keys():
        raise Infeasible(f"layer {layer.name!r}: no ALU opcode does the operation {operation!r}")
    first, *others = layer.operands
    (width, height) = (_window(layer, axis.terms) for axis in first.axes[-2:])
    pooling = operation in (MAXIMUM, AVERAGE)
    full = [t for t in others if len(t.dims) == len(layer.output.dims)]
    if pooling:
        mean = division(height.taps * width.taps) if operation == AVERAGE else Operations()
        each, finish = Operations(tensor=1), Operations(mean.tensor, mean.immediate + 1)
    else:
        each, finish = Operations(), Operations(len(others), 1 + clips(c))
    return AluLayer(
        operation,
        -(-bounds["N"] // (1 << c.batch)),
        -(-bounds["C"] // (1 << c.block_out)),
        height,
        width,
        operands=1 + len(full),
        per_channel=len(others) - len(full),
        each_tap=each,
        finish=finish,
    )


def _window(layer: Einsum, terms: tuple[tuple[str, int], ...]) -> Window:
    (dim, stride), *tap = terms
    return Window(layer.bounds[dim], layer.bounds[tap[0][0]] if tap else 1, stride)


@frozen(eq=False)
class AluTile:
    """n tiles; every field is int64[n].

    Attributes:
        rows, co, height, width: blocks, or outputs, of one tile.
        taps: rows of the window that are loaded at once.
        threads: virtual threads, 1 or 2, that share the memories.
    """

    rows: IntArray
    co: IntArray
    height: IntArray
    width: IntArray
    taps: IntArray
    threads: IntArray

    @classmethod
    def of(cls, columns: Mapping[str, np.ndarray]) -> AluTile:
        """Return the tiles of a mapspace's columns."""
        names = ("rows", "co", "height", "width", "taps")
        tile = [np.asarray(columns[f"tile_{name}"]) for name in names]
        return cls(tile[0], tile[1], tile[2], tile[3], tile[4], columns["threads"])

    @property
    def outputs(self) -> IntArray:
        """Rows that a tile writes."""
        return self.rows * self.co * self.height * self.width

    def pixels(self, layer: AluLayer) -> tuple[IntArray, IntArray]:
        """Return height and width of the inputs under a tile's outputs and taps, int64[n] each."""
        slid = (self.height - 1) * layer.height.stride
        return slid + (self.taps - 1) * layer.height.dilation + 1, layer.width.inputs(self.width)

    def inputs(self, layer: AluLayer) -> IntArray:
        """Return the rows of one operand under a tile."""
        height, width = self.pixels(layer)
        return self.rows * self.co * height * width

    def parameters(self, layer: AluLayer) -> IntArray:
        """Return the rows that hold for all pixels of a tile."""
        batch = self.rows if layer.operation == MULTIPLY else 1
        return batch * self.co * layer.per_channel

    def step_taps(self, layer: AluLayer) -> IntArray:
        """Return the taps of one step."""
        return self.taps * layer.width.taps

    def loops(self, layer: AluLayer) -> Loops:
        """Return how the instruction that reads the inputs runs through a tile and its taps."""
        zero, one = np.zeros_like(self.rows), np.ones_like(self.rows)
        height, width = self.pixels(layer)
        area, outputs = height * width, self.height * self.width
        high, wide = layer.height, layer.width
        sizes, destination, source = np.array(
            [
                [self.rows, self.co * outputs, self.co * area],
                [self.co, outputs, area],
                [self.height, self.width, high.stride * width],
                [self.width, one, one * wide.stride],
                [self.taps, zero, high.dilation * width],
                [one * wide.taps, zero, one * wide.dilation],
            ]
        ).swapaxes(0, 1)
        return loops_of(sizes, {"destination": destination, "source": source})

    def entries(self, layer: AluLayer) -> dict[str, IntArray]:
        """Return the entries of each memory that all threads together take, int64[n] each."""
        outputs, inputs = self.outputs, self.inputs(layer)
        held = layer.operands * inputs + self.parameters(layer)
        if layer.operation == DEPTHWISE:
            held = held + (self.step_taps(layer) + 1) * outputs
        elif layer.operation == AVERAGE:
            held = held + 2 * outputs
        elif layer.operation == MAXIMUM:
            held = held + outputs
        stored = self.loops(layer).stored
        each = max(1, layer.each_tap.instructions) * stored
        finish = 2 * np.maximum(1, stored // np.maximum(1, self.step_taps(layer)))
        return {"acc": self.threads * held, "uop": self.threads * (each + finish)}
