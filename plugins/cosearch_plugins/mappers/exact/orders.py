"""Classes of loop orders: of each class one order, the best of the class for every tensor.

What an order does to a tensor is decided by two things alone. First, which loops run before the
first one that moves the tile: those are free (stationarity). Second, when that first mover lies
on an axis that two dimensions share (a sliding window), the sequence of the loops on this axis
before any loop on another: only in this *run* can an overlap be credited, for once the tile has
moved along two axes no later move equals the first or is zero. An order is no worse than another
when for every tensor its free set contains the other's and its run continues the other's:

* a larger free set drops factors from the words delivered and leaves the run as it is;
* every loop of a run delivers at most what it would outside (a whole tile a step);
* a loop that does not move the tile costs no less inside a run than right after it.

Axes that share a dimension are one *place*: a tile that moved along another one is never credited.
Two cost rules change this. With `only_innermost_loop_slides` windows slide where no loop is free,
so an order with a free loop and one without do not compare. With `geometric_halo` every overlap
counts until the tile moves where nothing slides; runs last until then, and only equal ones compare.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from attrs import frozen

from cosearch.machine.architecture import CostRules
from cosearch.workload.einsum import Tensor

USUAL = CostRules()
"""How deliveries are counted unless an architecture says otherwise."""

Order = tuple[int, ...]
Signature = tuple[tuple[int, Order], ...]
"""Per tensor: the set of free dimensions as bits, and the run."""


@frozen
class Mover:
    """How dimensions move one tensor.

    Attributes:
        axis: per dimension the place that it moves the tile along, -1 for none: an axis, or axes
            that share dimensions, by the number of the first.
        slides: per dimension whether another dimension moves the tile there too.
        odd: whether some place where windows slide is not one axis of two dimensions.
        rules: how deliveries are counted.
    """

    axis: tuple[int, ...]
    slides: tuple[bool, ...]
    odd: bool = False
    rules: CostRules = USUAL

    @classmethod
    def of(cls, tensor: Tensor, dims: Sequence[str], rules: CostRules = USUAL) -> Mover:
        """Return how each of the dimensions moves a tensor."""
        axis = [-1] * len(dims)
        for a, terms in enumerate(tensor.axes):
            present = [dims.index(dim) for dim, _ in terms.terms if dim in dims]
            joined = {axis[d] for d in present} - {-1}
            place = min(joined, default=a)
            for d in range(len(dims)):
                if d in present or axis[d] in joined:
                    axis[d] = place
        together = [axis.count(a) if a >= 0 else 0 for a in axis]
        terms_of = [sum(dim == d for a in tensor.axes for d, _ in a.terms) for dim in dims]
        odd = any(n > 2 or (n == 2 and terms_of[d] > 1) for d, n in enumerate(together))
        return cls(tuple(axis), tuple(n > 1 for n in together), odd, rules)

    def signature(self, order: Order) -> tuple[int, Order]:
        """Return the free set and the run of an order, with what stands inside the run."""
        free = 0
        for position, d in enumerate(order):
            if self.axis[d] >= 0:
                return free, self._run(order[position:]) if self.slides[d] else ()
            free |= 1 << d
        return free, ()

    def _run(self, order: Order) -> Order:
        """Return the loops up to the last that moves the tile along the axis of the first."""
        if self.rules.geometric_halo:
            return tuple(itertools.takewhile(lambda d: self.axis[d] < 0 or self.slides[d], order))
        length = 0
        for position, d in enumerate(order):
            if self.axis[d] not in (-1, self.axis[order[0]]):
                break
            if self.axis[d] >= 0:
                length = position + 1
        return order[:length]

    def decided(self, order: Order) -> bool:
        """Return whether loops put outside an order cannot change its signature."""
        movers = [d for d in order if self.axis[d] >= 0]
        if not movers:
            return False
        if self.rules.geometric_halo:
            return not all(self.slides[d] for d in movers)
        return not self.slides[movers[0]] or any(
            self.axis[d] != self.axis[movers[0]] for d in movers
        )

    def alike(self, free: int, other: int) -> bool:
        """Return whether windows slide behind one free set where they slide behind another."""
        decisive = self.rules.only_innermost_loop_slides and any(self.slides)
        return not decisive or (free == 0) == (other == 0)

    def follows(self, run: Order, other: Order) -> bool:
        """Return whether one run delivers no more than another, by the module's rules."""
        if self.rules.geometric_halo:
            return run == other
        if run[: len(other)] == other:
            return True
        mine = tuple(d for d in run if self.axis[d] >= 0)
        theirs = tuple(d for d in other if self.axis[d] >= 0)
        return mine == run and mine[: len(theirs)] == theirs


def order_classes(
    movers: Sequence[Mover], real: Sequence[int], fixed: Sequence[int] | None = None
) -> list[Order]:
    """Return the orders of the real loops that are worth trying, one of each class.

    Args:
        movers: one per tensor.
        real: the dimensions whose loops turn at this level.
        fixed: dimensions whose order is prescribed, inner to outer; others come outside them.
    """
    prescribed = tuple(d for d in fixed or () if d in real)
    rest = tuple(d for d in real if d not in prescribed)
    found: dict[Signature, Order] = {}
    for order in _arrangements(movers, prescribed, rest):
        found.setdefault(tuple(m.signature(order) for m in movers), order)
    best: list[Signature] = []
    for mine in found:
        if not any(_no_worse(movers, other, mine) for other in best):
            best = [other for other in best if not _no_worse(movers, mine, other)] + [mine]
    return [found[mine] for mine in best]


def _arrangements(movers: Sequence[Mover], inside: Order, rest: Order) -> Iterator[Order]:
    """Yield the orders to look at: once every tensor is decided, one way to go on is enough."""
    if all(m.decided(inside) for m in movers):
        yield inside + rest
        return
    if not rest:
        yield inside
    for d in rest:
        yield from _arrangements(movers, (*inside, d), tuple(r for r in rest if r != d))


def _no_worse(movers: Sequence[Mover], a: Signature, b: Signature) -> bool:
    return all(
        free_b & ~free_a == 0 and mover.follows(run_a, run_b) and mover.alike(free_a, free_b)
        for mover, (free_a, run_a), (free_b, run_b) in zip(movers, a, b, strict=True)
    )
