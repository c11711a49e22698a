"""A layer in VTA's blocks, and the tiles of it that one task loads, computes and stores."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from attrs import frozen

from cosearch.errors import Infeasible
from cosearch.typing import IntArray
from cosearch.workload.einsum import Axis, Einsum
from cosearch_hardware.gemm_view import GemmView, gemm_view
from cosearch_hardware.vta.isa import VtaConfiguration


@frozen
class Window:
    """One spatial axis: outputs along it, and the filter that slides over it.

    Attributes:
        outputs: output size.
        taps: filter size.
        stride, dilation: of the filter.
    """

    outputs: int = 1
    taps: int = 1
    stride: int = 1
    dilation: int = 1

    def inputs(self, outputs: IntArray) -> IntArray:
        """Return int64[n]: input pixels under that many outputs in a row."""
        return (outputs - 1) * self.stride + (self.taps - 1) * self.dilation + 1


@frozen
class Blocks:
    """A layer as VTA's compiler packs it: `NCHW` in blocks of batch and channels, padded to whole.

    Attributes:
        rows: blocks of the batch (a matrix multiplication's rows count as batch).
        co, ci: blocks of output and input channels.
        height, width: spatial axes.
        groups: run one after another.
    """

    rows: int
    co: int
    ci: int
    height: Window
    width: Window
    groups: int


def blocks_of(layer: Einsum, configuration: VtaConfiguration) -> Blocks:
    """Pack a layer; raises Infeasible for one that is no convolution or multiplication."""
    view = gemm_view(layer)
    windows = [_window(layer, axis, view) for axis in view.tensor("Inputs").axes]
    found = [(w, dims) for w, dims in windows if dims]
    if len(found) > 2:
        raise Infeasible(f"layer {layer.name!r} slides over {len(found)} axes; VTA has loops for 2")
    sliding = frozenset().union(*(dims for _, dims in found))
    width = found[0][0] if found else Window()
    height = found[1][0] if len(found) > 1 else Window()
    block_in, block_out = 1 << configuration.block_in, 1 << configuration.block_out
    batch = 1 << configuration.batch
    return Blocks(
        rows=-(-_product(view, "M", sliding) // batch),
        co=-(-_product(view, "N", sliding) // block_out),
        ci=-(-_product(view, "K", sliding) // block_in),
        height=height,
        width=width,
        groups=view.size("B"),
    )


def _product(view: GemmView, group: str, without: frozenset[str]) -> int:
    members = zip(view.layer.dims, view.layer.sizes, view.groups, strict=True)
    return math.prod(size for dim, size, g in members if g == group and dim not in without)


def _window(layer: Einsum, axis: Axis, view: GemmView) -> tuple[Window, frozenset[str]]:
    """Return the window of an input axis, and the dimensions it uses; none for a plain axis."""
    group = dict(zip(layer.dims, view.groups, strict=True))
    if len(axis.terms) != 2:
        return Window(), frozenset()
    (a, stride), (b, dilation) = sorted(axis.terms, key=lambda term: group[term[0]] != "M")
    if (group[a], group[b]) != ("M", "K"):
        return Window(), frozenset()
    bounds = layer.bounds
    return Window(bounds[a], bounds[b], stride, dilation), frozenset((a, b))


@frozen(eq=False)
class Tile:
    """n tiles; every field is int64[n].

    Attributes:
        rows, co, ci, height, width: blocks, or outputs, of one tile.
        threads: virtual threads, 1 or 2, that share the memories.
    """

    rows: IntArray
    co: IntArray
    ci: IntArray
    height: IntArray
    width: IntArray
    threads: IntArray

    @classmethod
    def of(cls, columns: Mapping[str, np.ndarray]) -> Tile:
        """Return the tiles of a mapspace's columns."""
        return cls(
            rows=columns["tile_rows"],
            co=columns["tile_co"],
            ci=columns["tile_ci"],
            height=columns["tile_height"],
            width=columns["tile_width"],
            threads=columns["threads"],
        )

    def entries(self, blocks: Blocks) -> dict[str, IntArray]:
        """Return the entries of each memory that all threads together take, int64[n] each."""
        taps = blocks.height.taps * blocks.width.taps
        inputs = blocks.height.inputs(self.height) * blocks.width.inputs(self.width)
        return {
            "inp": self.threads * self.rows * self.ci * inputs,
            "wgt": self.threads * self.co * self.ci * taps,
            "acc": self.threads * self.outputs,
            "uop": self.threads * (self.gemm_loops(blocks).stored + 2),
        }

    @property
    def outputs(self) -> IntArray:
        """Accumulator entries of one tile."""
        return self.rows * self.co * self.height * self.width

    def gemm_loops(self, blocks: Blocks) -> Loops:
        """Return how a GEMM instruction runs through a tile.

        It has two loops, which take the two longest axes of the tile; the others are unrolled into
        micro-ops.
        """
        one, zero = np.ones_like(self.rows), np.zeros_like(self.rows)
        high, wide = blocks.height, blocks.width
        inputs = wide.inputs(self.width)
        area = high.inputs(self.height) * inputs
        taps = high.taps * wide.taps
        outputs = self.height * self.width
        sizes, acc, inp, wgt = np.array(
            [
                [self.rows, self.co * outputs, self.ci * area, zero],
                [self.co, outputs, zero, self.ci * taps],
                [self.ci, zero, area, one * taps],
                [self.height, self.width, high.stride * inputs, zero],
                [self.width, one, one * wide.stride, zero],
                [one * high.taps, zero, high.dilation * inputs, one * wide.taps],
                [one * wide.taps, zero, one * wide.dilation, one],
            ]
        ).swapaxes(0, 1)
        return loops_of(sizes, {"acc": acc, "inp": inp, "wgt": wgt})


@frozen(eq=False)
class Loops:
    """How an instruction runs through n tiles; every field is int64[n].

    Attributes:
        runs: micro-ops run.
        stored: micro-ops that the instruction goes through again and again.
        longest: iterations of the longer loop.
        strides: the largest stride of the two loops in each memory.
    """

    runs: IntArray
    stored: IntArray
    longest: IntArray
    strides: Mapping[str, IntArray]


def loops_of(sizes: IntArray, strides: Mapping[str, IntArray]) -> Loops:
    """Give the two longest axes to an instruction's loops.

    Args:
        sizes: of the axes, int64[a, n].
        strides: of each axis in each memory, int64[a, n].
    """
    order = np.argsort(sizes, axis=0, kind="stable")
    ranked = np.take_along_axis(sizes, order, axis=0)
    unrolled = np.prod(ranked[:-2], axis=0)
    looped = order[-2:]
    moving = np.take_along_axis(sizes, looped, axis=0) > 1
    largest = {
        name: np.max(np.take_along_axis(table, looped, axis=0) * moving, axis=0)
        for name, table in strides.items()
    }
    return Loops(unrolled * ranked[-1] * ranked[-2], unrolled, ranked[-1], largest)
