"""What waits in the heap of a search for a group: prefixes and options, refined so far."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import numpy as np
from attrs import define, field

from cosearch.quantities import added
from cosearch.typing import FloatArray, IntArray
from cosearch_plugins.mappers.fused.body import Body
from cosearch_plugins.mappers.fused.options import THROUGH, Choice, Cut, Option

COARSE, GUESSED, ROOMY, EXACT = 0, 1, 2, 3
"""Stages of a member's bound."""


@define(eq=False)
class Entry:
    """A prefix with its holds; bounds, stages and bodies are its members'."""

    option: Option
    bounds: list[float]
    stages: list[int]
    bodies: list[Body | None]
    fixed: float

    @property
    def bound(self) -> float:
        """The sum of its members' bounds and of what is held."""
        return self.fixed + added(self.bounds)


@define(eq=False)
class Unfolded:
    """The options of a prefix, by their bounds.

    Attributes:
        cut: the prefix.
        held: of each member, the choices of what it holds.
        bounds: of each member, of each choice, what is held included.
        fixed: of each member, of each choice, the part of its bound that is held.
        order: options that leave room and are below the limit, numbered over all members' choices.
        least: their bounds, rising.
        at: how many have been taken.
    """

    cut: Cut
    held: list[list[tuple[Choice, ...]]]
    bounds: list[FloatArray]
    fixed: list[FloatArray]
    order: IntArray
    least: FloatArray
    at: int = 0

    def entry(self) -> Entry:
        """Return the next option."""
        places = np.unravel_index(int(self.order[self.at]), [len(h) for h in self.held])
        self.at += 1
        fixed = [float(f[i]) for f, i in zip(self.fixed, places, strict=True)]
        bounds = [float(b[i]) for b, i in zip(self.bounds, places, strict=True)]
        choices = [h[i] for h, i in zip(self.held, places, strict=True)]
        apart = [b - f for b, f in zip(bounds, fixed, strict=True)]
        members = len(choices)
        option = self.cut.option(tuple(itertools.chain.from_iterable(choices)))
        return Entry(option, apart, [COARSE] * members, [None] * members, added(fixed))


@define(eq=False)
class Drawn:
    """The prefixes of a group, coarse ones first, as far as they have been drawn."""

    more: Iterator[Cut]
    cuts: list[Cut] = field(init=False, factory=list)
    complete: bool = field(init=False, default=False)

    def draw(self, until: float) -> None:
        """Draw more, until a time; one at least, if there is one."""
        for cut in self.more:
            self.cuts.append(cut)
            if time.perf_counter() >= until:
                return
        self.complete = True


def dominates(coarse: Option, fine: Option) -> bool:
    """Return whether one option's loops are as coarse, in the same order, and it holds as much."""
    places, at = [], 0
    for loop in coarse.group.prefix:
        while at < len(fine.group.prefix) and fine.group.prefix[at].dims != loop.dims:
            at += 1
        if at == len(fine.group.prefix) or fine.group.prefix[at].bound % loop.bound:
            return False
        at += 1
        places.append(at)
    for a, b in zip(coarse.choices, fine.choices, strict=True):
        if b.depth in {None, THROUGH}:
            continue
        if a.depth is None or (places[a.depth - 1] if a.depth else 0) > b.depth:
            return False
    return True
