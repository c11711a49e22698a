"""What partial last tiles save at most: no count falls below a share of its padded value.

Let `x = N / N'` be how much of a dimension rounded up from N to N' there is. Every count of
`cosearch.loopnest.model.partial_tiles` is a sum, with weights of 0 or more, of products over the
dimensions of *numbers of positions*: how many indices of some of the dimension's loops start
inside the layer, where each loop is free, held at its first index, or kept off it. A tile's extent
counts the positions inside the tile; one less than the extent, those that are not its first.

*With r loops kept off their first index, at least `h_r(x) = max(0, 1 - 2**r * (1 - x))` of the
positions are left.* By induction from the inside, h_r being convex with h_r(0) = 0, h_r(1) = 1. A
free loop of b turns over positions of which f are left: q whole turns and a broken one, so
`(q + f) / b >= h_r(x)` by Jensen's inequality. A held loop leaves the lowest positions: no fewer.
A loop kept off its first index leaves `(q - 1 + f) / (b - 1)`, at least
`h_r((b x - 1) / (b - 1)) >= h_r(2 x - 1) = h_(r+1)(x)` as b >= 2.

A count that is cut off, `min(side, shift)`, is concave in the extents and 0 with them: it keeps at
least the share that the side keeps.

How many loops are kept off their first index, see `restricted`. Two loops are the most: one whose
steps deliver tiles, and the words of a tile but its first. Where children share a place because
two dimensions of an axis are both spread, the one that starts lowest along the dimension rounded
up stands for them; the lowest are at least as many as of any other, as sums of sets overlap less
and less, so the share holds, provided that only one dimension of an axis is rounded up.
"""

from __future__ import annotations

import math

import numpy as np
from attrs import frozen

from cosearch.typing import FloatArray
from cosearch.workload.einsum import Einsum, Tensor
from cosearch_plugins.mappers.exact.problem import Problem


def share_left(part: float, restricted: int) -> float:
    """Return the least share of positions left when so much of a dimension is there."""
    return max(0.0, 1.0 - 2.0**restricted * (1.0 - part))


def restricted(layer: Einsum, tensor: Tensor, dim: str) -> int:
    """Return how many loops of a dimension a tensor's deliveries keep off their first index.

    - A tensor whose axes are one dimension each is delivered in full at every position of the
      loops from the innermost that moves it outward: none.
    - Where a window slides, deliveries differ by the loop that steps: one more, also for
      dimensions that do not move such a tensor, which may step between two loops that do.
    - The side of a tile is the extent and something not negative, unless the coefficient is above
      1; then it is a multiple of the extent less one, and that something: one more.
    """
    widths = {
        d: sum(layer.bounds[e] > 1 for e, _ in axis.terms)
        for axis in tensor.axes
        for d, _ in axis.terms
    }
    if dim not in widths:
        return int(any(width > 1 for width in widths.values()))
    coefficient = next(c for axis in tensor.axes for d, c in axis.terms if d == dim)
    return int(widths[dim] > 1) + int(coefficient > 1)


@frozen(eq=False)
class Shares:
    """The least shares of a padded layer's counts.

    Attributes:
        macs: of multiplications, steps and instances.
        moved: float64[T], of words that pass.
        revisited: float64[T], of words that pass again: a result's, but its first visits.
    """

    macs: float
    moved: FloatArray
    revisited: FloatArray

    @classmethod
    def of(cls, layer: Einsum, padded: Einsum) -> Shares:
        """Return the shares of a layer rounded up.

        Of the dimensions of an axis at most one may be rounded up.
        """
        part = {d: n / padded.bounds[d] for d, n in layer.bounds.items() if n < padded.bounds[d]}

        def share(tensor: Tensor, *, again: bool) -> float:
            return math.prod(
                share_left(
                    x, max(restricted(padded, tensor, d), int(again and d not in tensor.dims))
                )
                for d, x in part.items()
            )

        moved = [share(t, again=False) for t in layer.tensors]
        again = [share(t, again=t is layer.output) for t in layer.tensors]
        return cls(math.prod(part.values()), np.array(moved), np.array(again))

    @property
    def least(self) -> float:
        """The least of all."""
        return float(min(self.macs, self.moved.min(), self.revisited.min()))

    def deflated(self, problem: Problem) -> Problem:
        """Return a problem whose every mapping costs no more than with partial last tiles.

        Cycles are to be multiplied by `macs` once more. Blocks are not rounded up.
        """
        ports = self.macs / self.least if self.least else np.inf
        link = self.least
        read = problem.word_read * self.revisited
        fill = problem.word_fill * self.revisited
        update = problem.word_update * self.moved
        return problem.replace(
            read=read,
            fill=fill,
            update=update,
            word_read=read,
            word_fill=fill,
            word_update=update,
            many=np.ones_like(problem.many),
            few=np.ones_like(problem.few),
            pace=problem.pace / ports,
            bandwidth=problem.bandwidth * ports,
            leak=problem.leak * self.macs**2,
            hop=problem.hop * link,
            router=problem.router * link,
            compute=problem.compute * self.macs,
        )
