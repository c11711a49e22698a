"""A layer in VTA's blocks, and the tiles of it that one task loads, computes and stores."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from attrs import frozen

from cosearch.errors import Infeasible
from cosearch.typing import IntArray
from cosearch.workload.einsum import Axis, Einsum
from cosearch_hardware.systolic.gemm_view import GemmView, gemm_view
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
    block, batch = 1 << configuration.block, 1 << configuration.batch
    return Blocks(
        rows=-(-_product(view, "M", sliding) // batch),
        co=-(-_product(view, "N", sliding) // block),
        ci=-(-_product(view, "K", sliding) // block),
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
            "uop": self.threads * (self.gemm_loops(blocks)[1] + 2),
        }

    @property
    def outputs(self) -> IntArray:
        """Accumulator entries of one tile."""
        return self.rows * self.co * self.height * self.width

    def gemm_loops(self, blocks: Blocks) -> tuple[IntArray, IntArray, IntArray]:
        """Return the micro-ops run, the micro-ops stored and the longest loop, int64[n] each.

        A GEMM instruction has two loops, which take the two longest axes of the tile; the others
        are unrolled into micro-ops.
        """
        one = np.ones_like(self.rows)
        axes = np.sort(
            [
                self.rows,
                self.co,
                self.ci,
                self.height,
                self.width,
                one * blocks.height.taps,
                one * blocks.width.taps,
            ],
            axis=0,
        )
        unrolled = np.prod(axes[:-2], axis=0)
        return unrolled * axes[-1] * axes[-2], unrolled, axes[-1]
