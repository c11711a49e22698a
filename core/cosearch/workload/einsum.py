"""What is computed: dimensions with sizes, and tensors with affine projections onto them.

`O[n,k,p,q] += I[n,c,2*p+r,2*q+s] * W[k,c,r,s]` has the dimensions N K C P Q R S; the input's
third axis is the projection `2*P + R`. Strides and dilations are projection coefficients; there
is no padding: an input is exactly as large as its outputs need.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from functools import cached_property
from typing import Literal, TypeAlias

from attrs import evolve, field, frozen

from cosearch.errors import CosearchError

Role: TypeAlias = Literal["Weights", "Inputs", "Outputs"]
"""What an architecture knows of a tensor: which memories hold it depends on its role alone.

A product of two activations (attention) has its second operand in the role of the weights.
"""

ROLES: tuple[Role, ...] = ("Weights", "Inputs", "Outputs")

WIDEST = 1024
"""Bits of an element at most."""


@frozen
class Axis:
    """One axis of a tensor: the sum of `coefficient * dimension` over its terms."""

    terms: tuple[tuple[str, int], ...]

    def extent(self, tile: Mapping[str, int]) -> int:
        """Return the length of the box that a tile touches: `sum(coef * (tile - 1)) + 1`."""
        length = 1
        for dim, coefficient in self.terms:
            length += coefficient * (tile[dim] - 1)
        return length


@frozen
class Tensor:
    """A named operand or result.

    Attributes:
        name: unique in the layer.
        role: what a machine knows of it.
        axes: projections of the layer's dimensions.
        bits: of one element; None is a word of whichever memory holds it.
        density: share of the elements that are not zero, 0 to 1, such as spikes; None where nothing
            is known of it. Machines that skip no zeros do not look.
    """

    name: str
    role: Role
    axes: tuple[Axis, ...]
    bits: int | None = field(default=None, repr=False)
    density: float | None = field(default=None, repr=False)

    @cached_property
    def dims(self) -> frozenset[str]:
        """The dimensions relevant to the tensor: those that move its tile."""
        return frozenset(dim for axis in self.axes for dim, _ in axis.terms)

    def footprint(self, tile: Mapping[str, int]) -> int:
        """Return the words of the bounding box that a tile of dimensions touches."""
        return math.prod(axis.extent(tile) for axis in self.axes)


@frozen
class Einsum:
    """A layer: one output, accumulated over products of its inputs, or element-wise work.

    Attributes:
        name: for people; two layers that differ in name alone are equal and are searched once.
        dims: names of the dimensions, in the order used by every array of dimensions.
        sizes: their sizes, same order, each at least 1.
        tensors: operands first, weights before inputs, the output last: the order in which
            Timeloop adds up a level's bandwidth, so that rounding agrees.
        operation: None for multiply-accumulates; else what is done to every point of the
            dimensions in their place, such as `maximum` or `add`: element-wise work, which a
            machine prices or leaves out (see `cosearch.workload.elementwise`).
        place: which part of a machine runs it, and how, where a machine of several parts says so
            (`HardwareModel.placed`); equal work in two places is two layers.
    """

    name: str = field(eq=False)
    dims: tuple[str, ...]
    sizes: tuple[int, ...]
    tensors: tuple[Tensor, ...]
    operation: str | None = None
    place: str = ""

    def __attrs_post_init__(self) -> None:
        for dim, size in zip(self.dims, self.sizes, strict=True):
            if size < 1:
                raise CosearchError(
                    f"layer {self.name!r}: dimension {dim} has size {size}",
                    "every dimension is a whole number of at least 1",
                )
        for axis in (axis for tensor in self.tensors for axis in tensor.axes):
            for dim, coefficient in axis.terms:
                if dim not in self.dims or coefficient < 1:
                    raise CosearchError(
                        f"layer {self.name!r}: the term {coefficient}*{dim} is not a positive "
                        f"multiple of one of the dimensions {' '.join(self.dims)}"
                    )
        for tensor in self.tensors:
            if tensor.bits is not None and not 1 <= tensor.bits <= WIDEST:
                raise CosearchError(
                    f"layer {self.name!r}: {tensor.name} has elements of {tensor.bits} bits",
                    f"a width is a whole number of bits from 1 to {WIDEST}",
                )
            if tensor.density is not None and not 0 <= tensor.density <= 1:
                raise CosearchError(
                    f"layer {self.name!r}: {tensor.density} is no density of {tensor.name}",
                    "a density is a share from 0 to 1",
                )
        if [t.role for t in self.tensors].count("Outputs") != 1 or self.output.role != "Outputs":
            raise CosearchError(f"layer {self.name!r}: exactly one output is needed, listed last")

    @property
    def output(self) -> Tensor:
        """The tensor accumulated into."""
        return self.tensors[-1]

    @property
    def operands(self) -> tuple[Tensor, ...]:
        """The tensors that are only read."""
        return self.tensors[:-1]

    @property
    def bounds(self) -> dict[str, int]:
        """Dimension to size."""
        return dict(zip(self.dims, self.sizes, strict=True))

    @property
    def operations(self) -> int:
        """Multiply-accumulates or element-wise operations: the product of all dimensions."""
        return math.prod(self.sizes)

    @property
    def macs(self) -> int:
        """Multiply-accumulates; none in element-wise work."""
        return 0 if self.operation else self.operations

    @cached_property
    def key(self) -> str:
        """A stable digest of everything but the name, to cache results by."""
        work: tuple[str, ...] = (self.operation,) if self.operation else ()
        work += (f"at {self.place}",) if self.place else ()
        widths = tuple(t.bits for t in self.tensors) if any(t.bits for t in self.tensors) else ()
        densities = tuple((t.name, t.density) for t in self.tensors if t.density is not None)
        facts = repr((self.dims, self.sizes, self.tensors, *work, *widths, *densities))
        return hashlib.sha256(facts.encode()).hexdigest()[:16]

    def resized(self, sizes: tuple[int, ...] | None) -> Einsum:
        """Return the layer at other sizes, in the order of `dims`; None keeps its own."""
        return self if sizes is None else evolve(self, sizes=tuple(sizes))

    def with_bits(self, bits: Mapping[str, int | None]) -> Einsum:
        """Return the layer with other widths of its tensors.

        Args:
            bits: of an element, by the tensor's name or its role; a name goes before a role. None
                is a word of whichever memory holds it. Tensors that are not named keep theirs.

        Raises:
            CosearchError: a width is no number of bits from 1 to `WIDEST`.
        """
        tensors = [evolve(t, bits=bits.get(t.name, bits.get(t.role, t.bits))) for t in self.tensors]
        return evolve(self, tensors=tuple(tensors))

    def words(self, tensor: Tensor) -> int:
        """Return the words of a whole tensor."""
        return tensor.footprint(self.bounds)


def _axes(*axes: str | tuple[tuple[str, int], ...]) -> tuple[Axis, ...]:
    return tuple(Axis(((a, 1),) if isinstance(a, str) else a) for a in axes)


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """Return a number along the width and one along the height."""
    across, down = (value, value) if isinstance(value, int) else value
    return across, down


def conv(
    name: str = "conv",
    *,
    K: int,
    C: int,
    P: int,
    Q: int,
    R: int = 1,
    S: int = 1,
    N: int = 1,
    G: int = 1,
    stride: int | tuple[int, int] = 1,
    dilation: int | tuple[int, int] = 1,
) -> Einsum:
    """Return a convolution; K and C are per group, P and R run along the width.

    Args:
        name: for people.
        K: output channels (per group).
        C: input channels (per group).
        P: output width.
        Q: output height.
        R: filter width.
        S: filter height.
        N: batch.
        G: groups; depthwise is `K=1, C=1, G=channels`.
        stride: one number, or one along the width and one along the height.
        dilation: likewise.
    """
    (stride_x, stride_y), (dilation_x, dilation_y) = _pair(stride), _pair(dilation)
    sizes = {"N": N, "K": K, "C": C, "P": P, "Q": Q, "R": R, "S": S}
    group: tuple[str, ...] = ()
    if G != 1:
        sizes, group = {"G": G, **sizes}, ("G",)
    width = (("P", stride_x), ("R", dilation_x))
    height = (("Q", stride_y), ("S", dilation_y))
    return Einsum(
        name,
        tuple(sizes),
        tuple(sizes.values()),
        (
            Tensor("Weights", "Weights", _axes(*group, "K", "C", "R", "S")),
            Tensor("Inputs", "Inputs", _axes("N", *group, "C", width, height)),
            Tensor("Outputs", "Outputs", _axes("N", *group, "K", "P", "Q")),
        ),
    )


def gemm(name: str = "gemm", *, M: int, N: int, K: int, B: int = 1) -> Einsum:
    """Return `Outputs[b,m,n] += Inputs[b,m,k] * Weights[b,k,n]`; without B when it is 1."""
    sizes = {"M": M, "N": N, "K": K}
    batch: tuple[str, ...] = ()
    if B != 1:
        sizes, batch = {"B": B, **sizes}, ("B",)
    return Einsum(
        name,
        tuple(sizes),
        tuple(sizes.values()),
        (
            Tensor("Weights", "Weights", _axes(*batch, "K", "N")),
            Tensor("Inputs", "Inputs", _axes(*batch, "M", "K")),
            Tensor("Outputs", "Outputs", _axes(*batch, "M", "N")),
        ),
    )
