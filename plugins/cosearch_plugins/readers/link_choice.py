"""Which of the tensors that layers read may be linked, so that no group needs its own results.

A tensor that others read too is linked to one of them, and written as well. Then a layer outside a
group may depend on one inside: it runs behind the group, so nothing inside may wait for it. What
goes element by element with a tensor on its way (a residual's sum) may come from inside, where the
loops around the group cut both alike: then it has been written before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

from attrs import evolve, frozen

from cosearch.loopnest.group import joint_dims
from cosearch.workload.einsum import Axis
from cosearch.workload.link import Link, chains
from cosearch.workload.network import Layer

Place: TypeAlias = tuple[int, int] | None
"""Axis of the layer's tensor, and which part of it; None for a length of 1."""


@frozen
class Need:
    """What a linked layer needs besides what it is linked to.

    Attributes:
        behind: the layers it depends on, a bit each.
        producer: the layer that wrote it, of what goes element by element with the linked tensor;
            None of anything else.
        places, beside: of its axes, in the output of `producer` and in that of the linked one.
        whole: axes of the output of `producer` that may not be cut.
    """

    behind: int
    producer: int | None = None
    places: tuple[Place, ...] = ()
    beside: tuple[Place, ...] = ()
    whole: frozenset[int] = frozenset()


@frozen
class Candidate:
    """A link that a graph has, and what its reader needs besides."""

    link: Link
    needs: tuple[Need, ...] = ()


def chosen(layers: Sequence[Layer], candidates: Iterable[Candidate]) -> tuple[Link, ...]:
    """Return the links that can be had together: first those of tensors with one reader.

    Of several that would end at one operand the tensors with one reader have none, the others the
    first.
    """
    once = [c for c in candidates if not c.link.written]
    ends = [_end(c.link) for c in once]
    several = [c for c in candidates if c.link.written and _end(c.link) not in ends]
    kept: list[Candidate] = []
    rest = [c for c, end in zip(once, ends, strict=True) if ends.count(end) == 1]
    for candidate in (*rest, *several):
        if all(_end(c.link) != _end(candidate.link) for c in kept):
            tried = [*kept, candidate]
            if all(_runs(layers, tried, run) for run in _chains(layers, tried)):
                kept = tried
    return tuple(sorted((c.link for c in kept), key=lambda link: link.producer))


def _end(link: Link) -> tuple[int, str]:
    return link.consumer, link.operand


def _chains(layers: Sequence[Layer], candidates: list[Candidate]) -> Iterator[tuple[int, ...]]:
    """Yield the chain that the last candidate is in."""
    last = candidates[-1].link
    for run in chains(len(layers), [c.link for c in candidates]):
        if len(run) > 1 and (last.producer in run or last.consumer in run):
            yield run


def _runs(layers: Sequence[Layer], candidates: list[Candidate], run: tuple[int, ...]) -> bool:
    """Return whether every part of a chain may run together."""
    known = {(c.link.producer, c.link.consumer): c for c in candidates}
    steps = [known[pair] for pair in pairwise(run)]
    for i, step in enumerate(steps):
        before = sum(1 << member for member in run[: i + 1])  # bits, not words
        for need in step.needs:
            if need.behind & before and not _aligned(layers, run[: i + 2], steps[: i + 1], need):
                return False
    return True


def _aligned(
    layers: Sequence[Layer], run: tuple[int, ...], steps: list[Candidate], need: Need
) -> bool:
    """Return whether whatever cuts a chain cuts alike what its last member needs and is linked to.

    Args:
        layers: of the network.
        run: members, to the one that needs it.
        steps: from each to the next.
        need: what.
    """
    if need.producer not in run[:-2]:
        return False
    at = run.index(need.producer)
    members = tuple(layers[i].einsum for i in run[at:])
    links = tuple(
        evolve(step.link, producer=i, consumer=i + 1) for i, step in enumerate(steps[at:])
    )
    first, last = members[0].output.axes, members[-2].output.axes
    for dims, _ in joint_dims(members, links):
        if any(dims[0] in dict(first[i].terms) for i in need.whole):
            return False
        if _where(need.places, first, dims[0]) != _where(need.beside, last, dims[-2]):
            return False
    return True


def _where(places: tuple[Place, ...], axes: Sequence[Axis], dim: str) -> list[int]:
    """Return the axes of a graph's tensor that a dimension of a layer is along."""
    own = [i for i, axis in enumerate(axes) if dim in dict(axis.terms)]
    return [i for i, place in enumerate(places) if place is not None and place[0] in own]
