"""Which layer's output is which operand of which later layer: what may stay on chip between them.

A link says less than a graph: of a tensor's readers one is linked. Where it is the only one, nobody
misses the tensor when it never reaches the outermost memory; where it is not, such as before a
residual connection, the tensor is written there as well. A link that is left out is always safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve, field, frozen

from cosearch.errors import CosearchError
from cosearch.workload.einsum import Axis, Einsum, Tensor


def _whole(axes: frozenset[int] | set[int] | tuple[int, ...]) -> frozenset[int]:
    return frozenset(axes)


@frozen
class Link:
    """A tensor that one layer writes and one later layer reads.

    Attributes:
        producer, consumer: places in the network's `layers`.
        operand: the consumer's name of the tensor.
        axes: for each axis of the producer's output, in order, the operand's axis it is; None for
            one of a single word that the operand does not have. Axes of the operand that are
            nobody's are of a single word too.
        whole: axes of the producer's output that may not be cut, for something between the two
            needs all of them at once: the keys of a softmax, the channels of a norm.
        written: whether others read the tensor too: it is written to the outermost memory as well.
    """

    producer: int
    consumer: int
    operand: str
    axes: tuple[int | None, ...]
    whole: frozenset[int] = field(default=frozenset(), converter=_whole)
    written: bool = False

    def moved(self, by: int) -> Link:
        """Return the link where so many layers stand before its network."""
        return evolve(self, producer=self.producer + by, consumer=self.consumer + by)


def chains(layers: int, links: Sequence[Link]) -> list[tuple[int, ...]]:
    """Return the layers in runs, each linked to the next by its output; every layer once.

    A layer with several linked operands goes on with the earliest of them.

    Args:
        layers: how many there are.
        links: of their network.
    """
    following: dict[int, int] = {}
    led_to: set[int] = set()
    for link in sorted(links, key=lambda link: link.producer):
        if link.consumer not in led_to:
            following[link.producer] = link.consumer
            led_to.add(link.consumer)
    out = []
    for first in range(layers):
        if first not in led_to:
            run = [first]
            while run[-1] in following:
                run.append(following[run[-1]])
            out.append(tuple(run))
    return out


def operand_of(consumer: Einsum, name: str) -> Tensor:
    """Return the operand of that name, or raise CosearchError."""
    for tensor in consumer.operands:
        if tensor.name == name:
            return tensor
    raise CosearchError(f"layer {consumer.name!r} has no operand {name!r} to be linked")


def refuse_broken(name: str, einsums: Sequence[tuple[Einsum, int]], links: Sequence[Link]) -> None:
    """Raise CosearchError for links that do not describe a network.

    Args:
        name: of the network.
        einsums: its layers, each with its count.
        links: to be checked.
    """
    for link in links:
        for problem in _problems(einsums, link):
            raise CosearchError(f"{name}: the link {link.producer} to {link.consumer}: {problem}")
    ends = [(link.producer, "") for link in links]
    ends += [(link.consumer, link.operand) for link in links]
    if len(set(ends)) < len(ends):
        layer, _ = next(end for end in ends if ends.count(end) > 1)
        raise CosearchError(f"{name}: two links begin or end at one tensor of layer {layer}")


def _problems(einsums: Sequence[tuple[Einsum, int]], link: Link) -> Iterator[str]:
    if not 0 <= link.producer < link.consumer < len(einsums):
        yield f"layers are numbered 0 to {len(einsums) - 1}, and a link goes to a later one"
        return
    (producer, runs), (consumer, others) = einsums[link.producer], einsums[link.consumer]
    if runs != others:
        yield f"{producer.name!r} runs {runs} times, {consumer.name!r} {others} times"
    operand, output = operand_of(consumer, link.operand), producer.output
    if len(link.axes) != len(output.axes):
        yield f"the output of {producer.name!r} has {len(output.axes)} axes"
        return
    matched = [axis for axis in link.axes if axis is not None]
    if len(set(matched)) < len(matched) or not set(matched) <= set(range(len(operand.axes))):
        yield f"{link.axes} are not axes of {link.operand!r}, each at most once"
        return
    lone = [axis for axis, to in zip(output.axes, link.axes, strict=True) if to is None]
    if any(extent(producer, axis) > 1 for axis in lone):
        yield "an axis of more than one word has no counterpart"
    rest = set(range(len(operand.axes))) - set(matched)
    if any(extent(consumer, operand.axes[i]) > 1 for i in rest):
        yield f"an axis of {link.operand!r} of more than one word has no counterpart"
    for axis, to in zip(output.axes, link.axes, strict=True):
        written = extent(producer, axis)
        if to is not None and written > (most := extent(consumer, operand.axes[to])):
            yield f"{written} words are written along an axis of which {most} are read"


def extent(layer: Einsum, axis: Axis) -> int:
    """Return the length of an axis of a layer's tensor."""
    return axis.extent(layer.bounds)
