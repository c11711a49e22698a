import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.mapping.network_front import Front
from cosearch.mapping.outline import Outline

number = st.integers(1, 1000)
points = st.lists(st.tuples(number, number), min_size=1, max_size=15)
directions = st.lists(st.tuples(number, number), max_size=6)


def outlined(mappings, asked, floor=(0.0, 0.0)):
    front = Front(*np.array(mappings, dtype=np.float64).T)
    outline = Outline(floor)
    for a, b in asked:
        weights = (float(a), float(b))
        best = int(np.argmin(front.sums(weights)))
        found = front.energy_pj[best], front.cycles[best]
        outline.add(*found, weights, float(front.sums(weights)[best]))
    return front, outline


@settings(max_examples=200, deadline=None)
@given(points, directions, st.tuples(number, number))
def test_no_mapping_is_below_the_corners_in_any_direction(mappings, asked, direction):
    front, outline = outlined(mappings, asked)
    least = float(outline.corners().sums(direction).min())
    assert least <= front.sums(direction).min() * (1 + 1e-12)


@settings(max_examples=200, deadline=None)
@given(points, directions.filter(bool))
def test_nothing_is_loose_where_it_was_asked(mappings, asked):
    _, outline = outlined(mappings, asked)
    for a, b in asked:
        assert outline.loose((float(a), float(b))) == 0.0
        assert outline.asked((2.0 * a, 2.0 * b))


def test_before_anything_is_asked_the_floors_are_the_corner():
    corners = Outline((3.0, 5.0)).corners()
    assert (corners.energy_pj.tolist(), corners.cycles.tolist()) == ([3.0], [5.0])


def test_a_corner_that_is_a_mapping_is_exactly_that_mapping():
    mapping = (1 / 3, 1 / 7)
    outline = Outline((0.1, 0.01))
    for weights in ((1.0, 0.3), (1.0, 0.4), (3.0, 17.0)):
        outline.add(*mapping, weights, weights[0] * mapping[0] + weights[1] * mapping[1])
    corners = outline.corners()
    assert mapping in zip(corners.energy_pj.tolist(), corners.cycles.tolist(), strict=True)


def test_between_two_mappings_the_edge_is_asked_next():
    _, outline = outlined([(1, 10), (10, 1), (4, 4)], [(10, 1), (1, 10)])
    assert outline.edge((1.0, 1.0)) == (9.0, 9.0)
    assert outline.loose((1.0, 1.0)) == pytest.approx(11 - 40 / 11)


def test_an_edge_needs_a_mapping_on_both_sides():
    _, outline = outlined([(1, 10), (10, 1)], [(10, 1)])
    assert outline.edge((1.0, 10.0)) is None


def test_floors_do_not_count_as_asked():
    assert not Outline((1.0, 1.0)).asked((1.0, 0.0))
    assert not Outline((1.0, 1.0)).asked((0.0, 1.0))
