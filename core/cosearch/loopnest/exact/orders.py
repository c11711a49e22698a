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
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from cosearch.einsum import Tensor

Order = tuple[int, ...]
Signature = tuple[tuple[int, Order], ...]
"""Per tensor: the set of free dimensions as bits, and the run."""


@frozen
class Mover:
    """How dimensions move one tensor.

    Attributes:
        axis: per dimension the axis that it moves the tile along, -1 for none.
        slides: per dimension whether that axis is shared by another dimension.
    """

    axis: tuple[int, ...]
    slides: tuple[bool, ...]

    @classmethod
    def of(cls, tensor: Tensor, dims: Sequence[str]) -> Mover:
        """Return how each of the dimensions moves a tensor."""
        axis = [-1] * len(dims)
        slides = [False] * len(dims)
        for a, terms in enumerate(tensor.axes):
            present = [dims.index(dim) for dim, _ in terms.terms if dim in dims]
            for d in present:
                axis[d], slides[d] = a, len(present) > 1
        return cls(tuple(axis), tuple(slides))

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
        return not self.slides[movers[0]] or any(
            self.axis[d] != self.axis[movers[0]] for d in movers
        )

    def follows(self, run: Order, other: Order) -> bool:
        """Return whether one run delivers no more than another, by the module's rules."""
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
        free_b & ~free_a == 0 and mover.follows(run_a, run_b)
        for mover, (free_a, run_a), (free_b, run_b) in zip(movers, a, b, strict=True)
    )
