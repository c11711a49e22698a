"""The shortest path over pieces that are bounded first: that of trying every way to cut a chain."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import inf, isclose

from hypothesis import given
from hypothesis import strategies as st

from cosearch.loopnest.group import FusedGroup
from cosearch.workload.einsum import gemm
from cosearch_plugins.mappers.fused.group import GroupFound
from cosearch_plugins.mappers.fused.path import Piece, shortest

ANY = FusedGroup((gemm("any", M=1, K=1, N=1),))


def answer(value: float) -> GroupFound:
    return GroupFound(ANY, value, 0.0, value, value)


@st.composite
def chains(draw):
    """Layers, and of each piece the cost, inf where it cannot run, and a bound of it."""
    layers, most = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    costs, bounds = {}, {}
    for first in range(layers):
        for end in range(first + 1, min(layers, first + most) + 1):
            several = end - first > 1
            costs[first, end] = float(draw(st.integers(1, 30)))
            bounds[first, end] = draw(st.floats(0, 1)) * costs[first, end]
            if several and draw(st.integers(0, 3)) == 0:
                costs[first, end] = inf
    return layers, costs, bounds


def every_way(layers, costs):
    for n in range(layers):
        for inner in combinations(range(1, layers), n):
            spans = list(pairwise((0, *inner, layers)))
            if all(span in costs for span in spans):
                yield sum(costs[span] for span in spans)


@given(chains())
def test_the_path_is_the_best_of_all_ways(drawn):
    layers, costs, bounds = drawn
    asked = []

    def ask(span, below):
        asked.append(span)
        if costs[span] >= below:
            return GroupFound(None, inf, inf, inf, below)
        return answer(costs[span])

    pieces = {
        span: Piece(costs[span], answer(costs[span]), open=False)
        if span[1] - span[0] == 1
        else Piece(bound)
        for span, bound in bounds.items()
    }
    path = shortest(layers, pieces, ask)
    best = min(every_way(layers, costs))
    assert isclose(sum(found.value for found in path.groups), best)
    assert isclose(path.least, best)
    assert len(set(asked)) == len(asked)


@given(chains())
def test_where_nothing_is_answered_the_bounds_hold(drawn):
    layers, costs, bounds = drawn
    pieces = {
        span: Piece(costs[span], answer(costs[span]), open=False)
        if span[1] - span[0] == 1
        else Piece(bound)
        for span, bound in bounds.items()
    }
    path = shortest(
        layers, pieces, lambda span, _: GroupFound(None, inf, inf, inf, 0.5 * bounds[span])
    )
    alone = sum(costs[k, k + 1] for k in range(layers))
    assert isclose(sum(found.value for found in path.groups), alone)
    assert path.least <= min(every_way(layers, costs)) * (1 + 1e-12)


@given(chains(), st.floats(0, 1))
def test_unproven_answers_are_the_best_known_and_what_may_be_below_stays_open(drawn, share):
    layers, costs, bounds = drawn

    def ask(span, _):
        if costs[span] == inf:
            return GroupFound(None, inf, inf, inf, inf)
        return GroupFound(ANY, costs[span], 0.0, costs[span], share * costs[span])

    pieces = {
        span: Piece(costs[span], answer(costs[span]), open=False)
        if span[1] - span[0] == 1
        else Piece(share * bound)
        for span, bound in bounds.items()
    }
    path = shortest(layers, pieces, ask)
    best = min(every_way(layers, costs))
    assert isclose(sum(found.value for found in path.groups), best)
    assert path.least <= best * (1 + 1e-12)


def test_pieces_that_cannot_be_on_the_path_are_not_asked():
    alone = {(k, k + 1): Piece(4.0, answer(4.0), open=False) for k in range(3)}
    pieces = {**alone, (0, 2): Piece(7.0), (1, 3): Piece(7.9), (0, 3): Piece(1.0)}
    told = []

    def ask(span, below):
        told.append((span, below))
        return answer(5.0)

    path = shortest(3, pieces, ask)
    assert told == [((0, 3), 12.0)]
    assert path.least == sum(found.value for found in path.groups) == 5.0
