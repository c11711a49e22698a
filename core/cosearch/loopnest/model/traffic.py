"""A tensor's words through the levels: what each level sends to, or receives from, its children."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from attrs import frozen

from cosearch.loopnest.mapping import Mapping
from cosearch.loopnest.model.analysis import Scatter
from cosearch.loopnest.model.delivery import delivered
from cosearch.loopnest.model.grid import Grid, groups_by_size, offsets
from cosearch.loopnest.model.links import exchange
from cosearch.loopnest.nest import Nest
from cosearch.machine.architecture import Architecture
from cosearch.quantities import added
from cosearch.typing import IntArray
from cosearch.workload.einsum import Tensor

Served: TypeAlias = list[tuple[list[IntArray], int]]
"""Groups of children served at the same time, int64[n, size] each, and the words sent to each."""


@frozen
class Flow:
    """One tensor's words between one used instance of a level and its children.

    Attributes:
        served: words that pass, each counted once however many children share it; not whole where
            link transfers meet a bypass.
        scatters: the same words by the groups they reach.
        handed_on: words that children took from a neighbour instead.
        received: words that children got from this level, all children together.
    """

    served: Fraction
    scatters: tuple[Scatter, ...]
    handed_on: int
    received: int


NOTHING = Flow(Fraction(0), (), 0, 0)


def flows(
    architecture: Architecture, nest: Nest, mapping: Mapping, tensor: Tensor
) -> tuple[Flow, ...]:
    """Return a tensor's flow through each level, inner to outer; outside its home, nothing.

    A child that keeps the tensor receives what its tile lacks, step by step. A child that lets the
    tensor pass receives whatever its own children want, so nothing is reused in it.
    """
    kept = [tensor.name in entry.keep for entry in mapping.levels]
    home = max(level for level, here in enumerate(kept) if here)
    out: list[Flow] = []
    for level in range(home + 1):
        flow = _to_keepers(architecture, nest, mapping, tensor, level)
        if level and not kept[level - 1]:
            flow = _past(flow, out[-1], nest.fanout(level))
        out.append(flow)
    return tuple(out) + (NOTHING,) * (len(kept) - len(out))


def partitions(nest: Nest, tensor: Tensor) -> tuple[int, ...]:
    """Return how many of the tensor's elements one instance of each level is home to.

    They are shared out from the outermost level inward, among children whose tiles overlap too.
    """
    shares = [nest.layer.words(tensor)]
    for level in reversed(range(nest.depth - 1)):
        tile = math.prod(nest.box(tensor, level))
        spread = nest.fanout(level + 1) > 1
        around = math.prod(nest.box_of_children(tensor, level + 1)) if spread else tile
        shares.append(shares[-1] * tile // around)
    return tuple(reversed(shares))


def _to_keepers(
    architecture: Architecture, nest: Nest, mapping: Mapping, tensor: Tensor, level: int
) -> Flow:
    places = offsets(nest, tensor, level)
    grid = Grid.below(architecture, mapping, level)
    if architecture.rules.link_transfers:
        apart = list(map(tuple, places.tolist()))
        exchanged, handed_on = exchange(nest, tensor, level, grid, apart, architecture.rules)
        served = [(list(_by_size(together)), words) for together, words in exchanged.items()]
    else:
        words = delivered(nest, tensor, level - 1, architecture.rules)
        served, handed_on = [(list(groups_by_size(places)), words)], 0
    scatters = _scatters(served, grid)
    received = added(words * added(g.size for g in together) for together, words in served)
    words_served = added((s.words for s in scatters), Fraction(0))
    return Flow(words_served, scatters, handed_on, received)


def _by_size(together: tuple[tuple[int, ...], ...]) -> Iterator[IntArray]:
    """Yield groups of children, all of a size at once."""
    for size in sorted({len(group) for group in together}):
        yield np.array([group for group in together if len(group) == size], dtype=np.int64)


def _scatters(served: Served, grid: Grid) -> tuple[Scatter, ...]:
    """Return the words by (children in a group, number of such groups)."""
    words: dict[tuple[int, int], int] = {}
    double_hops: dict[tuple[int, int], int] = {}
    for together, each in served:
        for alike in together:
            number, size = alike.shape
            key = size, number
            words[key] = words.get(key, 0) + each * number
            double_hops[key] = double_hops.get(key, 0) + each * grid.double_hops(alike)
    return tuple(
        Scatter(*key, Fraction(words[key]), double_hops[key], float(words[key]))
        for key in sorted(words)
    )


def _past(near: Flow, inner: Flow, children: int) -> Flow:
    """Scale the flow to children that keep the tensor up to what those without it ask for.

    A word count is exact here, and rounded where it is counted as a read or an update, not before.
    Timeloop multiplies by a ratio in double precision instead, level by level; its rounded product
    is kept beside each count, for routers are counted with it.
    """
    served = near.served * inner.served * children / near.received
    ratio = added(s.scaled for s in inner.scatters) / (float(near.received) / children)
    scatters = tuple(
        Scatter(
            s.multicast,
            s.groups,
            s.words * served / near.served,
            s.double_hops,
            float(s.words) * ratio,
        )
        for s in near.scatters
    )
    return Flow(served, scatters, 0, near.received)
