"""The divisor lattice of a layer: every tile that divides its dimensions, numbered.

A tile is one divisor per dimension. Writing a divisor by the exponents of its primes and reading
all exponents as the digits of one mixed-radix number gives each tile an id with two gifts:
`id(a * b) = id(a) + id(b)`, and the whole layer is the last id. Divisibility is one subtraction
of packed exponents whose fields have a guard bit on top.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.loopnest.slots import prime_factors, turning_dims
from cosearch.quantities import added
from cosearch.typing import FloatArray, IntArray
from cosearch.workload.einsum import Einsum, Tensor

LARGEST = 4_000_000
"""Tiles that are still tabulated."""


@frozen(eq=False)
class Lattice:
    """All tiles of a layer.

    Attributes:
        dims: the dimensions of more than one step; others never matter.
        extent: int64[n, d], the tile of each id.
        packed: int64[n], exponents in fields with a free guard bit on top of each.
        guard: all guard bits.
        strides: int64[axes], what one more of a prime adds to an id.
        lengths: int64[axes], exponent of each prime in the layer, plus one.
        axis_dim: int64[axes], the dimension whose prime an axis counts.
        axis_prime: int64[axes].
        volume: float64[n], multiply-accumulates of each tile.
    """

    dims: tuple[str, ...]
    extent: IntArray
    packed: IntArray
    guard: int
    strides: IntArray
    lengths: IntArray
    axis_dim: IntArray
    axis_prime: IntArray
    volume: FloatArray

    @classmethod
    def of(cls, layer: Einsum, look: Callable[[], None] = lambda: None) -> Lattice:
        """Number the tiles of a layer.

        Args:
            layer: a layer.
            look: called between pieces of work; it raises where there is no time for the next.

        Raises:
            CosearchError: the layer has too many tiles to be tabulated.
        """
        dims = turning_dims(layer)
        axes = [
            (d, prime, exponent)
            for d, dim in enumerate(dims)
            for prime, exponent in prime_factors(layer.bounds[dim]).items()
        ]
        lengths = np.array([e + 1 for _, _, e in axes], dtype=np.int64)
        n = math.prod(int(k) for k in lengths)
        widths = [e.bit_length() + 1 for _, _, e in axes]
        if n > LARGEST or added(widths) > 62:
            raise CosearchError(
                f"layer {layer.name!r} has {n} tiles, more than the exact mapper takes on "
                f"({LARGEST})",
                "name another mapper: -m random, -m annealing",
            )
        strides = np.cumprod(np.concatenate([[1], lengths])).astype(np.int64)[: len(axes)]
        ids = np.arange(n, dtype=np.int64)
        extent = np.ones((n, len(dims)), dtype=np.int64)
        packed = np.zeros(n, dtype=np.int64)
        guard = shift = 0
        for (d, prime, exponent), stride, width in zip(axes, strides, widths, strict=True):
            look()
            digit = (ids // stride) % (exponent + 1)
            extent[:, d] *= (prime ** np.arange(exponent + 1, dtype=np.int64))[digit]
            packed |= digit << shift
            shift += width
            guard |= 1 << (shift - 1)
        return cls(
            dims,
            extent,
            packed,
            guard,
            strides,
            lengths,
            np.array([d for d, _, _ in axes], dtype=np.int64),
            np.array([p for _, p, _ in axes], dtype=np.int64),
            _product(extent, range(len(dims))),
        )

    def __len__(self) -> int:
        return len(self.packed)

    def footprint(self, tensor: Tensor) -> FloatArray:
        """Return float64[n]: the words of a tensor that each tile touches."""
        words = np.ones(len(self))
        for axis in tensor.axes:
            words *= 1 + added(
                coefficient * (self.extent[:, self.dims.index(dim)] - 1.0)
                for dim, coefficient in axis.terms
                if dim in self.dims
            )
        return words

    def irrelevant(self, tensor: Tensor) -> FloatArray:
        """Return float64[n]: the product over the dimensions that do not move the tensor."""
        return self.product([i for i, dim in enumerate(self.dims) if dim not in tensor.dims])

    def product(self, columns: Iterable[int]) -> FloatArray:
        """Return float64[n]: the product of each tile over some dimensions, by number."""
        return _product(self.extent, columns)

    def tile(self, number: int) -> dict[str, int]:
        """Return the tile of an id."""
        return dict(zip(self.dims, (int(x) for x in self.extent[number]), strict=True))

    def number(self, tile: Mapping[str, int]) -> int:
        """Return the id of a tile; dimensions not named have extent 1."""
        total = 0
        for stride, dim, prime in zip(self.strides, self.axis_dim, self.axis_prime, strict=True):
            rest = tile.get(self.dims[dim], 1)
            while rest % prime == 0:
                rest //= int(prime)
                total += int(stride)
        return total


def _product(extent: IntArray, columns: Iterable[int]) -> FloatArray:
    product = np.ones(len(extent))
    for column in columns:
        product *= extent[:, column]
    return product
