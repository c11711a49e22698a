"""Which layer reads what another wrote: tensors followed through a graph, operator by operator.

A reader tells of every operator in the order of execution. A layer's output is followed while each
element goes its own way (biases, activations, turned axes); axes that something needs all of at
once are noted. A link is made where in the end one layer reads it and nothing else does: whatever
is not known to be harmless loses it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from attrs import define, evolve, field, frozen

from cosearch.errors import CosearchError
from cosearch.workload.einsum import Einsum, Tensor
from cosearch.workload.link import Link, refuse_broken
from cosearch.workload.network import Layer
from cosearch_plugins.readers.shapes_to_layers import Shape

Letters: TypeAlias = tuple[str, ...]
"""Of each axis of a graph's tensor the dimension of the layer; equal ones are one axis there."""

Place: TypeAlias = tuple[int, int] | None
"""Axis of the layer's tensor, and which part of it; None for a length of 1."""


@frozen
class Flow:
    """A tensor on its way from the layer that wrote it.

    Attributes:
        producer: number of the layer.
        shape: of the tensor where it is now.
        places: of each of its axes, in the producer's output.
        whole: axes of the producer's output that may not be cut.
    """

    producer: int
    shape: Shape
    places: tuple[Place, ...]
    whole: frozenset[int] = frozenset()


@define
class Follower:
    """Follows what layers write.

    Args:
        layers: of the network so far; a reader adds to it.
    """

    layers: list[Layer]
    _flows: dict[str, Flow] = field(init=False, factory=dict)
    _of_layers: set[str] = field(init=False, factory=set)
    _links: dict[int, list[Link | None]] = field(init=False, factory=dict)

    def wrote(self, tensor: str, producer: int, shape: Shape, letters: Letters) -> None:
        """Note that a layer writes a tensor."""
        einsum = self.layers[producer].einsum
        places = places_of(einsum, einsum.output, shape, letters)
        self._of_layers.add(tensor)
        self._links[producer] = [] if places is not None else [None]
        if places is not None:
            self._flows[tensor] = Flow(producer, shape, places)

    def read(self, tensor: str, consumer: int, role: str, letters: Letters) -> None:
        """Note that a layer reads a tensor as the operand of a role."""
        flow = self._flows.get(tensor)
        if flow is not None:
            self._links[flow.producer].append(self._link(flow, consumer, role, letters))

    def lost(self, tensors: Iterable[str]) -> None:
        """Note that somebody reads tensors who may need them outside."""
        for tensor in tensors:
            if tensor in self._flows:
                self._links[self._flows[tensor].producer].append(None)

    def unknown(self, inputs: Sequence[str], outputs: Iterable[str]) -> None:
        """Note an operator of which nothing is known."""
        self.lost(inputs)
        if any(name in self._of_layers for name in inputs):
            self._of_layers.update(outputs)

    def internal(self, link: Link) -> None:
        """Note that a layer hands its output to another within one operator."""
        self._links[link.producer] = [link]

    def one_to_one(self, inputs: Sequence[str], output: str, shape: Shape) -> None:
        """Note an operator whose elements depend on those at their place alone.

        Others of its operands may be anything that no layer has a part in, or the same tensor by
        another way.
        """
        flows = [self._flows[name] for name in inputs if name in self._flows]
        others = [x for x in inputs if x not in self._flows and x in self._of_layers]
        first = flows[0] if flows else None
        same = all(
            first and (f.producer, f.places) == (first.producer, first.places) for f in flows
        )
        if first is None or others or not same or first.shape != shape:
            self.unknown(inputs, [output])
            return
        whole = frozenset[int]().union(*(flow.whole for flow in flows))
        self._follow(output, evolve(first, whole=whole))

    def needs_whole(self, tensor: str, output: str, axes: Iterable[int]) -> None:
        """Note an operator that needs all of some axes at once, such as a softmax."""
        flow = self._flows.get(tensor)
        if flow is None:
            self.unknown([tensor], [output])
            return
        places = [flow.places[axis] for axis in axes]
        whole = flow.whole | {place[0] for place in places if place is not None}
        self._follow(output, evolve(flow, whole=whole))

    def turned(self, tensor: str, output: str, order: Sequence[int]) -> None:
        """Note an operator that gives axes another order."""
        flow = self._flows.get(tensor)
        if flow is None:
            self.unknown([tensor], [output])
            return
        shape = tuple(flow.shape[i] for i in order)
        places = tuple(flow.places[i] for i in order)
        self._follow(output, evolve(flow, shape=shape, places=places))

    def reshaped(self, tensor: str, output: str, shape: Shape) -> None:
        """Note an operator that adds or takes away axes of length 1; others lose the tensor."""
        flow = self._flows.get(tensor)
        if flow is None or [n for n in shape if n > 1] != [n for n in flow.shape if n > 1]:
            self.unknown([tensor], [output])
            return
        known = iter([p for n, p in zip(flow.shape, flow.places, strict=True) if n > 1])
        places = tuple(next(known) if n > 1 else None for n in shape)
        self._follow(output, evolve(flow, shape=shape, places=places))

    def _follow(self, tensor: str, flow: Flow) -> None:
        self._of_layers.add(tensor)
        self._flows[tensor] = flow

    def _link(self, flow: Flow, consumer: int, role: str, letters: Letters) -> Link | None:
        layer = self.layers[consumer].einsum
        operands = [t for t in layer.operands if t.role == role]
        if len(operands) != 1 or len(letters) != len(flow.shape):
            return None
        read = places_of(layer, operands[0], flow.shape, letters)
        written = self.layers[flow.producer].einsum
        axes = None if read is None else _matched(len(written.output.axes), flow.places, read)
        if axes is None:
            return None
        return Link(flow.producer, consumer, operands[0].name, axes, flow.whole)

    def links(self, results: Iterable[str]) -> tuple[Link, ...]:
        """Return the links of the network, given what it returns.

        Where two would end at one operand there is none.
        """
        self.lost(results)
        alone = [found[0] for found in self._links.values() if len(found) == 1]
        kept = [link for link in alone if link is not None and self._holds(link)]
        ends = [(link.consumer, link.operand) for link in kept]
        return tuple(x for x, end in zip(kept, ends, strict=True) if ends.count(end) == 1)

    def _holds(self, link: Link) -> bool:
        """Return whether a link is one that a network may have."""
        both = [self.layers[i] for i in (link.producer, link.consumer)]
        try:
            moved = evolve(link, producer=0, consumer=1)
            refuse_broken("graph", [(layer.einsum, layer.count) for layer in both], [moved])
        except CosearchError:
            return False
        return True


def places_of(
    layer: Einsum, tensor: Tensor, shape: Shape, letters: Letters
) -> tuple[Place, ...] | None:
    """Return where each axis of a graph's tensor is in a layer's; None where it is not so."""
    axes = {d: i for i, axis in enumerate(tensor.axes) for d, _ in axis.terms}
    parts: dict[int, list[int]] = {}
    places: list[Place] = []
    if len(letters) != len(shape):
        return None
    for length, letter in zip(shape, letters, strict=True):
        if length == 1:
            places.append(None)
            continue
        if letter not in axes:
            return None
        axis = axes[letter]
        places.append((axis, len(parts.setdefault(axis, []))))
        parts[axis].append(length)
    for axis, lengths in parts.items():
        terms = tensor.axes[axis].terms
        if len(lengths) > 1 and (len(terms) > 1 or layer.bounds[terms[0][0]] != math.prod(lengths)):
            return None
    return tuple(places)


def _matched(
    axes: int, written: tuple[Place, ...], read: tuple[Place, ...]
) -> tuple[int | None, ...] | None:
    """Return for each axis of the output the operand's; None where parts of one are elsewhere."""

    def of(places: tuple[Place, ...], axis: int) -> list[int]:
        parts = [(p[1], i) for i, p in enumerate(places) if p is not None and p[0] == axis]
        return [i for _, i in sorted(parts)]

    out: list[int | None] = []
    for axis in range(axes):
        here = of(written, axis)
        place = read[here[0]] if here else None
        if here and (place is None or of(read, place[0]) != here):
            return None
        out.append(None if place is None else place[0])
    return tuple(out)


def conv_letters(layer: Einsum, rank: int, *, output: bool) -> Letters:
    """Return the axes of what a convolution reads or writes: batch, channels, height, width."""
    sizes = layer.bounds
    own = "K" if output else "C"
    channels = "G" if sizes.get("G", 1) > 1 and sizes.get(own) == 1 else own
    if sizes.get("G", 1) > 1 and sizes.get(own, 1) > 1:
        channels = "none: groups and channels are one axis of the graph"
    return {3: ("N", channels, "P"), 4: ("N", channels, "Q", "P")}.get(rank, ())


def row_letters(rank: int, channels: str) -> Letters:
    """Return the axes of what a fully connected layer reads (C) or writes (K)."""
    if rank < 3:
        return ("N", channels)[-rank:]
    return ("N", *("Q",) * (rank - 3), "P", channels)


def batched_letters(rank: int, rows: str, columns: str) -> Letters:
    """Return the axes of a tensor of a product in groups."""
    return (*("G",) * (rank - 2), rows, columns)


def product_letters(
    layer: Einsum, first: Shape, second: Shape, *, first_is_constant: bool
) -> tuple[Letters, Letters, Letters]:
    """Return the axes of the operands and of the result, as `matrix_product` makes the layer."""
    ranks = len(first), len(second), max(len(first), len(second))
    plain = math.prod(second[:-2]) == 1 and not (first_is_constant and len(first) == 2)
    if plain:
        return row_letters(ranks[0], "C"), (), row_letters(ranks[0], "K")
    if math.prod(first[:-2]) == 1 or first[:-2] != second[:-2] or min(ranks) < 2:
        return (), (), ()
    if layer.bounds.get("G", 1) != math.prod(first[:-2]):
        return (), (), ()
    return (
        batched_letters(ranks[0], "P", "C"),
        batched_letters(ranks[1], "C", "K"),
        batched_letters(ranks[2], "P", "K"),
    )


def attention_link(layers: Sequence[Layer], first: int) -> Link:
    """Return the link from scores to weighted values of one operator: all keys are needed."""
    output = layers[first].einsum.output
    keys = next(i for i, axis in enumerate(output.axes) if "K" in dict(axis.terms))
    return Link(first, first + 1, "Inputs", tuple(range(len(output.axes))), frozenset((keys,)))
