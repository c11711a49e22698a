"""Layers that run together, piece by piece, so that what flows between them stays on chip.

A group's *prefix* is a list of loops outside everything. In each of their iterations the *bodies*
run one after the other: each member, its dimensions divided by the prefix, under a mapping of its
own. What one member hands to the next is *at home* in the second outermost memory while the two
run. Any other tensor is *streamed*, once a body, or *held*: its tile under the first loops of the
prefix stays there during all bodies of the group.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.loopnest.mapping import Mapping
from cosearch.workload.einsum import Axis, Einsum, Tensor
from cosearch.workload.link import Link, operand_of


@frozen
class PrefixLoop:
    """A loop of the prefix.

    Attributes:
        bound: into how many parts it cuts.
        dims: of each member the dimension that it cuts.
    """

    bound: int
    dims: tuple[str, ...]


@frozen
class Held:
    """A tensor whose tile stays on chip while all bodies run.

    Attributes:
        member: whose tensor it is.
        tensor: its name.
        depth: how many loops of the prefix, from the outermost, are outside its tile.
    """

    member: int
    tensor: str
    depth: int


@frozen
class Window:
    """Rows of an intermediate that the next part of a sliding window reads again.

    Attributes:
        words: of them, in one iteration of the loops inside.
        inside: iterations of the loops of the prefix inside the one that slides.
    """

    words: int
    inside: int


@frozen
class FusedGroup:
    """Members, and how they run together; a group of one without prefix is a layer.

    Attributes:
        layers: in order; each but the last hands its output to the next.
        links: between them, members numbered from 0.
        prefix: its loops, outermost first.
        held: what is held.
        mappings: of the bodies. Tensors at home are kept in the second outermost level and not
            in the outermost; all others in the outermost.
    """

    layers: tuple[Einsum, ...]
    links: tuple[Link, ...] = ()
    prefix: tuple[PrefixLoop, ...] = ()
    held: tuple[Held, ...] = ()
    mappings: tuple[Mapping, ...] = ()

    @property
    def bodies(self) -> int:
        """How often each member runs."""
        return math.prod(loop.bound for loop in self.prefix)

    def inside(self, member: int, depth: int | None = None) -> dict[str, int]:
        """Return a member's sizes inside the first loops of the prefix; None is all."""
        sizes = self.layers[member].bounds
        for loop in self.prefix[:depth]:
            sizes[loop.dims[member]] //= loop.bound
        return sizes

    def cut(self, member: int, depth: int | None = None) -> Einsum:
        """Return a member inside the first loops of the prefix; None is all: its body."""
        layer, sizes = self.layers[member], self.inside(member, depth)
        return layer.resized(tuple(sizes[dim] for dim in layer.dims))

    def visits(self, member: int) -> int:
        """Return how many bodies add to one result of a member."""
        moved = self.layers[member].output.dims
        return math.prod(p.bound for p in self.prefix if p.dims[member] not in moved)

    def intermediates(self, member: int) -> tuple[str, ...]:
        """Return the names of the tensors that a member gets from, or hands to, another."""
        names = [link.operand for link in self.links if link.consumer == member]
        if member + 1 < len(self.layers):
            names.append(self.layers[member].output.name)
        return tuple(names)

    def at_home(self, member: int) -> frozenset[str]:
        """Return the names of the tensors of a member that its body finds on chip."""
        held = [h.tensor for h in self.held if h.member == member]
        return frozenset((*self.intermediates(member), *held))

    def tensor(self, held: Held) -> Tensor:
        """Return what is held."""
        tensors = {t.name: t for t in self.layers[held.member].tensors}
        return tensors[held.tensor]

    def window(self, link: Link) -> Window:
        """Return what the next part of the consumer reads again of an intermediate."""
        consumer = self.layers[link.consumer]
        operand, sizes = operand_of(consumer, link.operand), self.inside(link.consumer)
        for i, loop in enumerate(self.prefix):
            dim = loop.dims[link.consumer]
            if loop.bound == 1 or not slides(consumer, operand, dim):
                continue
            axis = next(axis for axis in operand.axes if dim in dict(axis.terms))
            side, step = axis.extent(sizes), dict(axis.terms)[dim] * sizes[dim]
            words = operand.footprint(sizes) // side * max(0, side - step)
            return Window(words, math.prod(p.bound for p in self.prefix[i + 1 :]))
        return Window(0, 1)


def slides(layer: Einsum, tensor: Tensor, dim: str) -> bool:
    """Return whether tiles along a dimension overlap, or leave gaps, in a tensor."""
    for axis in tensor.axes:
        terms = dict(axis.terms)
        if dim in terms:
            others = any(layer.bounds[d] > 1 for d in terms if d != dim)
            return others or terms[dim] != 1
    return False


def joint_dims(
    layers: tuple[Einsum, ...], links: tuple[Link, ...]
) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield the dimensions that every intermediate of a group may be cut along.

    They are those of an axis that all links carry on, and that may be cut in all of them.

    Yields:
        of each member the dimension, and whether a window slides along it somewhere.
    """
    for first in range(len(layers[0].output.axes)):
        found = _along(layers, links, first)
        if found is not None:
            yield found


def _along(
    layers: tuple[Einsum, ...], links: tuple[Link, ...], axis: int
) -> tuple[tuple[str, ...], bool] | None:
    """Return the joint dimension along an axis of the first output, and whether a window slides."""
    dims: list[str] = []
    sliding = False
    for link in links:
        producer = layers[link.producer]
        dim = _alone(producer.output.axes[axis])
        found = None if dim is None else _carried(layers, link, axis, dim)
        if dim is None or found is None:
            return None
        dims.append(dim)
        sliding = sliding or found[1]
        last = link.consumer + 1 == len(layers)
        axes = [i for i, a in enumerate(layers[link.consumer].output.axes) if _alone(a) == found[0]]
        if last:
            return (*dims, found[0]), sliding
        if len(axes) != 1:
            return None
        (axis,) = axes
    return None


def _alone(axis: Axis) -> str | None:
    """Return the one dimension of an axis whose places are its values, or None."""
    return axis.terms[0][0] if len(axis.terms) == 1 and axis.terms[0][1] == 1 else None


def _carried(
    layers: tuple[Einsum, ...], link: Link, axis: int, dim: str
) -> tuple[str, bool] | None:
    """Return the consumer's dimension along an axis of the producer's output; None if uncut."""
    to = link.axes[axis]
    if to is None or axis in link.whole:
        return None
    producer, consumer = layers[link.producer], layers[link.consumer]
    operand = operand_of(consumer, link.operand)
    moving = [(d, c) for d, c in operand.axes[to].terms if d in consumer.output.dims]
    moving = moving or [(d, c) for d, c in operand.axes[to].terms if consumer.bounds[d] > 1]
    if len(moving) != 1:
        return None
    other = moving[0][0]
    if sum(other in dict(a.terms) for a in operand.axes) != 1:
        return None
    window = slides(consumer, operand, other)
    if not window and consumer.bounds[other] != producer.bounds[dim]:
        return None
    return other, window


def refuse_ill_formed(group: FusedGroup) -> None:
    """Raise CosearchError where a prefix cuts what may not be cut, or holds what is not there."""
    if len(group.links) != len(group.layers) - 1:
        raise CosearchError("a fused group has a link from each member to the next")
    allowed = dict(joint_dims(group.layers, group.links)) if group.links else {}
    windows = 0
    for loop in group.prefix:
        if loop.dims not in allowed:
            raise CosearchError(f"no loop over {' '.join(loop.dims)} may be outside the group")
        windows += allowed[loop.dims]
        for layer, dim in zip(group.layers, loop.dims, strict=True):
            if layer.bounds[dim] % loop.bound:
                raise CosearchError(f"{loop.bound} does not divide {dim} of {layer.name!r}")
    if windows > 1:
        raise CosearchError("windows slide along one loop of a prefix at most")
    if len({loop.dims for loop in group.prefix}) < len(group.prefix):
        raise CosearchError("a prefix has one loop a dimension")
    for held in group.held:
        layer = group.layers[held.member]
        if held.tensor not in {t.name for t in layer.tensors}:
            raise CosearchError(f"layer {layer.name!r} has no tensor {held.tensor!r} to be held")
        if held.tensor in group.intermediates(held.member):
            raise CosearchError(f"{held.tensor!r} of {layer.name!r} is an intermediate")
        if not 0 <= held.depth <= len(group.prefix):
            raise CosearchError(f"the prefix has no depth {held.depth}")
