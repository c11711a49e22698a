"""Hypervolumes against inclusion and exclusion over all subsets, and by hand."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.search.hypervolume import dominated_share, hypervolume, reference_point

REFERENCE = 8


def oracle(points, reference):
    """The volume of a union of boxes: plus single ones, minus pairs, plus triples, and so on."""
    total = 0
    for size in range(1, len(points) + 1):
        for chosen in combinations(points, size):
            corner = np.max(chosen, axis=0)
            total -= (-1) ** size * np.prod(np.maximum(reference - corner, 0))
    return total


def fronts(m):
    point = st.tuples(*[st.integers(0, REFERENCE + 2)] * m)
    return st.lists(point, max_size=6).map(lambda p: np.array(p, float).reshape(-1, m))


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_it_is_the_volume_of_the_union(m):
    reference = np.full(m, float(REFERENCE))

    @given(fronts(m))
    def equal(points):
        assert hypervolume(points, reference) == oracle(points, reference)

    equal()


@given(fronts(3), st.permutations(range(6)))
def test_neither_order_nor_dominated_points_matter(points, order):
    reference = np.full(3, float(REFERENCE))
    there = hypervolume(points, reference)
    shuffled = points[[i for i in order if i < len(points)]]
    assert hypervolume(shuffled, reference) == there
    assert hypervolume(np.concatenate([points, points + 1]), reference) == there


def test_a_staircase_by_hand():
    points = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]])
    assert hypervolume(points, np.array([4.0, 4.0])) == 3 + 2 + 1
    assert dominated_share(points, np.array([4.0, 4.0])) == 6 / 16


def test_units_do_not_change_the_share():
    points = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]])
    units = np.array([1e-6, 1e9])
    here = dominated_share(points, np.array([4.0, 4.0]))
    assert dominated_share(points * units, 4.0 * units) == pytest.approx(here, rel=1e-12)


def test_the_reference_lies_beyond_the_front_and_ignores_what_it_dominates():
    points = np.array([[1.0, 3.0], [3.0, 1.0], [9.0, 9.0], [np.inf, np.inf]])
    assert reference_point(points) == pytest.approx([3.3, 3.3])
