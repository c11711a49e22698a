"""Which layer reads what another wrote: tensors followed through a graph, operator by operator.

A reader tells of every operator in the order of execution. A layer's output is followed while each
element goes its own way (biases, activations, turned axes, past sums and products of two tensors by
the one that is written last); axes that something needs all of at once are noted. The first layer
that reads it is linked; where others read it too it is written as well. Whatever is not known to be
harmless loses it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import or_
from typing import TypeAlias

from attrs import define, evolve, field, frozen

from cosearch.errors import CosearchError
from cosearch.workload.einsum import Einsum, Tensor
from cosearch.workload.link import Link, refuse_broken
from cosearch.workload.network import Layer
from cosearch_plugins.readers.link_choice import Candidate, Need, Place, chosen
from cosearch_plugins.readers.shapes_to_layers import Shape

Letters: TypeAlias = tuple[str, ...]
"""Of each axis of a graph's tensor the dimension of the layer; equal ones are one axis there."""


@frozen
class Flow:
    """A tensor on its way from the layer that wrote it.

    Attributes:
        producer: number of the layer.
        shape: of the tensor where it is now.
        places: of each of its axes, in the producer's output.
        whole: axes of the producer's output that may not be cut.
        needs: what went element by element with it on the way.
    """

    producer: int
    shape: Shape
    places: tuple[Place, ...]
    whole: frozenset[int] = frozenset()
    needs: tuple[Need, ...] = ()


@frozen
class Reading:
    """Who reads a layer's output: a tensor's name, and the link if there can be one."""

    tensor: str = ""
    link: Link | None = None
    needs: tuple[Need, ...] = ()


@define
class Follower:
    """Follows what layers write.

    Args:
        layers: of the network so far; a reader adds to it.
    """

    layers: list[Layer]
    _flows: dict[str, Flow] = field(init=False, factory=dict)
    _behind: dict[str, int] = field(init=False, factory=dict)
    _aside: int = field(init=False, default=0)
    _operands: dict[int, dict[str, int]] = field(init=False, factory=dict)
    _readings: dict[int, list[Reading]] = field(init=False, factory=dict)

    def wrote(self, tensor: str, producer: int, shape: Shape, letters: Letters) -> None:
        """Note that a layer writes a tensor."""
        einsum = self.layers[producer].einsum
        places = places_of(einsum, einsum.output, shape, letters)
        operands = self._operands.setdefault(producer, {})
        operands[""] = self._aside
        self._behind[tensor] = reduce(or_, operands.values(), 1 << producer)
        self._aside = 0
        self._readings[producer] = [] if places is not None else [Reading()]
        if places is not None:
            self._flows[tensor] = Flow(producer, shape, places)

    def read(self, tensor: str, consumer: int, role: str, letters: Letters) -> None:
        """Note that a layer reads a tensor as the operand of a role."""
        flow = self._flows.get(tensor)
        operands = self._operands.setdefault(consumer, {})
        again = tensor in operands
        operands[f"{tensor} again" if again else tensor] = self._behind.get(tensor, 0)
        if flow is not None:
            link = None if again else self._link(flow, consumer, role, letters)
            self._readings[flow.producer].append(Reading(tensor, link, flow.needs))

    def lost(self, tensors: Iterable[str]) -> None:
        """Note that somebody reads tensors who may need them outside."""
        for tensor in tensors:
            self._aside |= self._behind.get(tensor, 0)
            if tensor in self._flows:
                self._readings[self._flows[tensor].producer].append(Reading())

    def unknown(self, inputs: Sequence[str], outputs: Iterable[str]) -> None:
        """Note an operator of which nothing is known."""
        self.lost(inputs)
        for name in outputs:
            self._behind[name] = self._aside
        self._aside = 0

    def internal(self, link: Link) -> None:
        """Note that a layer hands its output to another within one operator."""
        self._readings[link.producer] = [Reading("", link)]

    def one_to_one(self, inputs: Sequence[str], output: str, shape: Shape) -> None:
        """Note an operator whose elements depend on those at their place alone.

        Of several tensors the one is followed that is written last. The others may be whatever does
        not depend on it; they are read here, from outside.
        """
        flows = [self._flows[name] for name in inputs if name in self._flows]
        last = max(flows, key=lambda flow: flow.producer, default=None)
        if last is None or last.shape != shape:
            self.unknown(inputs, [output])
            return
        own = [f for f in flows if f.producer == last.producer]
        names = [x for x in inputs if x not in self._flows or self._flows[x] not in own]
        late = any(self._behind.get(x, 0) >> last.producer & 1 for x in names)
        if late or any(f.places != last.places for f in own):
            self.unknown(inputs, [output])
            return
        whole = frozenset[int]().union(*(flow.whole for flow in own))
        needs = [need for flow in own for need in flow.needs]
        needs += [need for name in names for need in self._needed(name, last)]
        self.lost(names)
        self._follow([*inputs], output, evolve(last, whole=whole, needs=tuple(needs)))

    def _needed(self, name: str, followed: Flow) -> Iterator[Need]:
        """Yield what is needed of a tensor that goes element by element with another."""
        behind, flow = self._behind.get(name, 0), self._flows.get(name)
        if flow is None or flow.shape != followed.shape:
            yield from [Need(behind)] if behind else []
            return
        yield Need(behind, flow.producer, flow.places, followed.places, flow.whole)
        yield from flow.needs

    def needs_whole(self, tensor: str, output: str, axes: Iterable[int]) -> None:
        """Note an operator that needs all of some axes at once, such as a softmax."""
        flow = self._flows.get(tensor)
        if flow is None:
            self.unknown([tensor], [output])
            return
        places = [flow.places[axis] for axis in axes]
        whole = flow.whole | {place[0] for place in places if place is not None}
        self._follow([tensor], output, evolve(flow, whole=whole))

    def turned(self, tensor: str, output: str, order: Sequence[int]) -> None:
        """Note an operator that gives axes another order."""
        flow = self._flows.get(tensor)
        if flow is None:
            self.unknown([tensor], [output])
            return
        shape = tuple(flow.shape[i] for i in order)
        places = tuple(flow.places[i] for i in order)
        self._follow([tensor], output, evolve(flow, shape=shape, places=places))

    def reshaped(self, tensor: str, output: str, shape: Shape) -> None:
        """Note an operator that adds or takes away axes of length 1; others lose the tensor."""
        flow = self._flows.get(tensor)
        if flow is None or [n for n in shape if n > 1] != [n for n in flow.shape if n > 1]:
            self.unknown([tensor], [output])
            return
        known = iter([p for n, p in zip(flow.shape, flow.places, strict=True) if n > 1])
        places = tuple(next(known) if n > 1 else None for n in shape)
        self._follow([tensor], output, evolve(flow, shape=shape, places=places))

    def _follow(self, inputs: Iterable[str], tensor: str, flow: Flow) -> None:
        known = (self._behind.get(name, 0) for name in inputs)
        self._behind[tensor] = reduce(or_, known, self._aside)
        self._aside = 0
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
        """Return the links of the network, given what it returns."""
        self.lost(results)
        return chosen(self.layers, list(self._candidates()))

    def _candidates(self) -> Iterator[Candidate]:
        """Yield of each layer's output the first link there can be, with what its reader needs."""
        for readings in self._readings.values():
            for reading in readings:
                link = reading.link
                if link is not None and self._holds(link):
                    operands = self._operands.get(link.consumer, {})
                    others = [m for name, m in operands.items() if name != reading.tensor and m]
                    needs = (*reading.needs, *map(Need, others))
                    yield Candidate(evolve(link, written=len(readings) > 1), needs)
                    break

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
