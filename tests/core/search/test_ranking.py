"""Ranks against their definition; correlation against the formula for ranks without ties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.search.ranking import midranks, spearman

values = st.lists(st.integers(0, 5), min_size=1, max_size=8).map(lambda x: np.array(x, float))


@given(values)
def test_midranks_count_the_smaller_and_half_the_equal(found):
    expected = [np.sum(found < v) + (np.sum(found == v) + 1) / 2 for v in found]
    assert midranks(found) == pytest.approx(expected)


@given(st.permutations(range(8)))
def test_spearman_is_the_formula_without_ties(order):
    d = np.array(order) - np.arange(8)
    expected = 1 - 6 * (d @ d) / (8 * 63)
    assert spearman(np.arange(8.0), np.array(order, float)) == pytest.approx(expected)


def test_spearman_ignores_how_far_apart_values_are():
    a = np.array([1.0, 2, 3, 4])
    assert spearman(a, np.exp(a)) == pytest.approx(1.0)
    assert spearman(a, -(a**3)) == pytest.approx(-1.0)
