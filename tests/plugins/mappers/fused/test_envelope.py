"""Bounds from other weights: never above the least of lines, and exact where they bend nowhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cosearch_plugins.mappers.fused.envelope import Envelope

LINES = st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1, max_size=6)
WEIGHTS = st.tuples(st.floats(0.01, 100), st.floats(0, 100))


def least(lines, weights):
    return min((weights[0] * e + weights[1] * c, (e, c)) for e, c in lines)


@given(LINES, st.lists(WEIGHTS, max_size=5), WEIGHTS)
def test_no_bound_is_above_the_least(lines, asked, weights):
    envelope = Envelope()
    for other in asked:
        value, line = least(lines, other)
        envelope.learn(other, value, line)
    value, _ = least(lines, weights)
    assert envelope.least(weights) <= value * (1 + 1e-9) + 1e-9
    for other in asked:
        assert envelope.least(other) >= least(lines, other)[0] * (1 - 1e-9)


@given(LINES, WEIGHTS, WEIGHTS, st.floats(0.01, 0.99))
def test_what_is_best_on_both_sides_is_best_between(lines, one, other, share):
    envelope = Envelope()
    for weights in (one, other):
        value, line = least(lines, weights)
        envelope.learn(weights, value, line)
    between = (1.0, (1 - share) * one[1] / one[0] + share * other[1] / other[0])
    around = envelope.around(between)
    if around is None or around[0] != around[1]:
        return
    energy, cycles = around[0]
    value = between[0] * energy + between[1] * cycles
    assert value <= least(lines, between)[0] * (1 + 1e-9) + 1e-9
