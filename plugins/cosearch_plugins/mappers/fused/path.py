"""The shortest path through a chain whose pieces are dear to price: few are, the others bounded.

A piece is a run of layers as one group. Each has a bound; the path that the bounds make the
shortest is priced piece by piece, and found anew, until it has no open piece left: then nothing is
shorter. What a piece is asked is no more than whether it can be on a path below the best one known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from attrs import define, frozen

from cosearch.quantities import added
from cosearch_plugins.mappers.exact.arrays import MARGIN
from cosearch_plugins.mappers.fused.group import GroupFound

Span: TypeAlias = tuple[int, int]
"""First layer of a piece, and the one behind its last."""


@define(eq=False)
class Piece:
    """A run of layers as one group.

    Attributes:
        least: it is not below.
        found: the best way, where it is known.
        open: whether to ask is of use.
    """

    least: float
    found: GroupFound | None = None
    open: bool = True

    def learn(self, found: GroupFound) -> None:
        """Take in an answer."""
        self.least, self.open = max(self.least, found.least), False
        if found.value < self.value:
            self.found = found

    @property
    def value(self) -> float:
        """What it costs as far as is known."""
        return math.inf if self.found is None else self.found.value


@frozen(eq=False)
class Path:
    """The best path found; none is below `least`."""

    groups: tuple[GroupFound, ...]
    least: float


def shortest(
    layers: int, pieces: dict[Span, Piece], ask: Callable[[Span, float], GroupFound]
) -> Path:
    """Return the shortest path through layers.

    Args:
        layers: how many.
        pieces: by span; each layer alone is among them.
        ask: prices a piece, if it is below a value; no answer opens a piece again.
    """
    least = _asked_along(layers, pieces, ask, lambda piece: piece.least)
    if least < _most(layers, pieces) * (1 - MARGIN):  # a limit ended searches: what else is good?
        _asked_along(layers, pieces, ask, lambda piece: piece.least if piece.open else piece.value)
    best = _way(layers, {span: piece.value for span, piece in pieces.items()})
    groups = tuple(found for span in best if (found := pieces[span].found) is not None)
    return Path(groups, min(least, _most(layers, pieces)))


def _asked_along(
    layers: int,
    pieces: dict[Span, Piece],
    ask: Callable[[Span, float], GroupFound],
    hope: Callable[[Piece], float],
) -> float:
    """Ask pieces until the path that is hoped for has none that is open; return what it costs."""
    while True:
        most = _most(layers, pieces)
        hopes = {span: hope(piece) for span, piece in pieces.items()}
        way = _way(layers, hopes)
        least = added(hopes[span] for span in way)
        asked = [span for span in way if pieces[span].open]
        if not asked or least >= most * (1 - MARGIN):
            return least
        span = max(asked, key=lambda s: (s[1] - s[0], -s[0]))
        around = _ahead(span[0], hopes) + _behind(span[1], layers, hopes)
        pieces[span].learn(ask(span, most - around))


def _most(layers: int, pieces: dict[Span, Piece]) -> float:
    """Return what the best path of pieces that are known costs."""
    return _distances(0, layers, {span: piece.value for span, piece in pieces.items()})[0][-1]


def _ahead(end: int, costs: dict[Span, float]) -> float:
    """Return the least cost of the layers ahead of one."""
    return _distances(0, end, costs)[0][end]


def _behind(first: int, layers: int, costs: dict[Span, float]) -> float:
    """Return the least cost of the layers from one on."""
    return _distances(first, layers, costs)[0][layers - first]


def _way(layers: int, costs: dict[Span, float]) -> list[Span]:
    """Return the spans of a shortest path."""
    _, came = _distances(0, layers, costs)
    out, end = [], layers
    while end > 0:
        out.append((came[end], end))
        end = came[end]
    return out[::-1]


def _distances(first: int, end: int, costs: dict[Span, float]) -> tuple[list[float], list[int]]:
    """Return the least costs from one layer to each up to another, and where each comes from."""
    least, came = [0.0], [0]
    for at in range(first + 1, end + 1):
        best, via = math.inf, at - 1
        for k in range(at - 1, first - 1, -1):
            if (k, at) not in costs:
                break
            cost = least[k - first] + costs[k, at]
            if cost < best:
                best, via = cost, k
        least.append(best)
        came.append(via)
    return least, came
