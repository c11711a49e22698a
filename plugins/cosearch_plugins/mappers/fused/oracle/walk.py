"""A walk through the schedule of a fused group, iteration by iteration: an oracle.

It shares nothing with the formulas but the definition of a group: loops are run, tiles are boxes
of elements, a buffer holds one tile of a tensor and asks for another when it is not the one it
has. Without sliding windows at the outermost level its words are the model's; with them only its
room is compared, for the model extrapolates overlaps.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from typing import TypeAlias

from attrs import define, field, frozen

from cosearch.loopnest.group import FusedGroup, Held
from cosearch.loopnest.mapping import Loop
from cosearch.quantities import added
from cosearch.workload.einsum import Einsum, Tensor
from cosearch.workload.link import Link

Box: TypeAlias = tuple[tuple[int, int], ...]
"""First and last element along each axis."""

Ranges: TypeAlias = dict[str, tuple[int, int]]
"""First and last value of each dimension."""


@frozen
class Walked:
    """What a walk has seen.

    Attributes:
        read, written: words at the outermost level, by member and tensor.
        room: most words in the second outermost level, by member that was running.
    """

    read: dict[tuple[int, str], int]
    written: dict[tuple[int, str], int]
    room: dict[int, int]


@define
class _Walk:
    group: FusedGroup
    read: dict[tuple[int, str], int] = field(factory=lambda: defaultdict(int))
    written: dict[tuple[int, str], int] = field(factory=lambda: defaultdict(int))
    room: dict[int, int] = field(factory=lambda: defaultdict(int))
    held: dict[Held, Box | None] = field(factory=dict)
    seen: dict[tuple[int, str], set[tuple[int, ...]]] = field(factory=lambda: defaultdict(set))

    def move(self, member: int, tensor: Tensor, box: Box) -> None:
        """Count a tile that arrives, and for a result leaves again."""
        key, words = (member, tensor.name), _words(box)
        if tensor.role != "Outputs":
            self.read[key] += words
            return
        places = set(itertools.product(*(range(a, b + 1) for a, b in box)))
        self.read[key] += len(places & self.seen[key])
        self.written[key] += words
        self.seen[key] |= places


def walk(group: FusedGroup) -> Walked:
    """Run a group and count."""
    state = _Walk(group)
    bounds = [range(loop.bound) for loop in group.prefix]
    for at in itertools.product(*bounds):
        tiles = 0
        for held in group.held:
            box = _box(group.tensor(held), _ranges(group, held.member, at[: held.depth]))
            if box != state.held.get(held):
                state.held[held] = box
                state.move(held.member, group.tensor(held), box)
            tiles += _words(box)
        for member in range(len(group.layers)):
            _run(state, member, at, tiles)
    return Walked(dict(state.read), dict(state.written), dict(state.room))


def _run(state: _Walk, member: int, at: tuple[int, ...], tiles: int) -> None:
    """Run one body: its loops at the outermost level, and the tiles of what it streams."""
    group = state.group
    body, mapping = group.cut(member), group.mappings[member]
    tiles += added(_alive(group, link, member, at) for link in group.links)
    streamed = [t for t in body.tensors if t.name not in group.at_home(member)]
    here: dict[str, Box] = {}
    for loops in _loops(mapping.levels[-1].temporal):
        inside = mapping.tile(len(mapping.levels) - 2, body.dims)
        ranges = _ranges(group, member, at)
        for dim in body.dims:
            first, step = ranges[dim][0], inside[dim]
            place = first + _place(loops, dim) * step
            ranges[dim] = (place, place + step - 1)
        for tensor in streamed:
            box = _box(tensor, ranges)
            if here.get(tensor.name) != box:
                here[tensor.name] = box
                state.move(member, tensor, box)
        kept = mapping.levels[-2].keep
        words = added(_words(here[t.name]) for t in streamed if t.name in kept)
        state.room[member] = max(state.room[member], tiles + words)
    if any(link.written for link in group.links if link.producer == member):
        result = group.layers[member].output
        state.move(member, result, _box(result, _ranges(group, member, at)))


def _loops(temporal: tuple[Loop, ...]) -> Iterator[list[tuple[Loop, int]]]:
    """Yield the values of loops, the last (outermost) changing slowest."""
    outer = temporal[::-1]
    for values in itertools.product(*(range(loop.bound) for loop in outer)):
        yield list(zip(outer, values, strict=True))


def _place(loops: list[tuple[Loop, int]], dim: str) -> int:
    """Return the place along a dimension: its loops are digits, the outermost the highest."""
    place = 0
    for loop, value in loops:
        if loop.dim == dim:
            place = place * loop.bound + value
    return place


def _ranges(group: FusedGroup, member: int, at: tuple[int, ...]) -> Ranges:
    layer, cut = group.layers[member], group.cut(member, len(at))
    ranges = {dim: (0, size - 1) for dim, size in layer.bounds.items()}
    for loop, value in zip(group.prefix, at, strict=False):
        dim = loop.dims[member]
        size = cut.bounds[dim]
        ranges[dim] = (value * size, (value + 1) * size - 1)
    return ranges


def _box(tensor: Tensor, ranges: Ranges) -> Box:
    return tuple(
        (
            added(c * ranges[d][0] for d, c in axis.terms),
            added(c * ranges[d][1] for d, c in axis.terms),
        )
        for axis in tensor.axes
    )


def _words(box: Box) -> int:
    return math.prod(last - first + 1 for first, last in box)


def _alive(group: FusedGroup, link: Link, member: int, at: tuple[int, ...]) -> int:
    """Return the words of an intermediate that are there while a member runs.

    The tile read in this iteration, or as many as are written for it, if the member writes or
    reads it; and of the tiles of all other iterations of the loops inside a sliding one, what was
    read in its current part and will be read again in its next; of this one too for others.
    """
    layer = group.layers[link.consumer]
    tensor = next(t for t in layer.operands if t.name == link.operand)
    now = _box(tensor, _ranges(group, link.consumer, at))
    words = 0
    if member in (link.producer, link.consumer):
        writer = group.layers[link.producer].output
        words = max(_words(now), _words(_box(writer, _ranges(group, link.producer, at))))
    for i, loop in enumerate(group.prefix):
        if not _slides(layer, tensor, loop.dims[link.consumer]):
            continue
        for inner in itertools.product(*(range(p.bound) for p in group.prefix[i + 1 :])):
            if member in (link.producer, link.consumer) and inner == at[i + 1 :]:
                continue
            tile = _box(tensor, _ranges(group, link.consumer, (*at[: i + 1], *inner)))
            later = _box(tensor, _ranges(group, link.consumer, (*at[:i], at[i] + 1, *inner)))
            words += _shared(tile, later)
    return words


def _shared(a: Box, b: Box) -> int:
    return math.prod(
        max(0, min(x[1], y[1]) - max(x[0], y[0]) + 1) for x, y in zip(a, b, strict=True)
    )


def _slides(layer: Einsum, tensor: Tensor, dim: str) -> bool:
    terms = [dict(axis.terms) for axis in tensor.axes]
    return any(
        dim in t and (t[dim] != 1 or any(layer.bounds[d] > 1 for d in t if d != dim)) for t in terms
    )
