"""The statistics against definitions, and their error rates on simulated comparisons."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.compare import statistics
from cosearch.compare.statistics import (
    critical_difference,
    holm,
    mean_ranks,
    pairwise,
    permutation_test,
    superiority,
)

losses = st.lists(st.integers(0, 5), min_size=1, max_size=6).map(lambda x: np.array(x, float))


@given(losses, losses)
def test_superiority_is_the_share_of_pairs_won(a, b):
    won = [1.0 if x < y else 0.5 if x == y else 0.0 for x, y in itertools.product(a, b)]
    assert superiority(a, b) == pytest.approx(np.mean(won))
    assert superiority(a, b) + superiority(b, a) == pytest.approx(1.0)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])


def test_exact_permutation_distribution_of_a_tiny_case():
    # of the 20 ways to split six runs in two threes, two are as extreme as this one
    a, b = np.array([1.0, 2, 3]), np.array([4.0, 5, 6])
    found = permutation_test([a], [b], np.random.default_rng(0))
    assert found == pytest.approx(2 / 20, abs=0.01)


def test_identical_contenders_are_found_different_at_the_nominal_rate(monkeypatch):
    monkeypatch.setattr(statistics, "PERMUTATIONS", 399)
    rng = np.random.default_rng(1)
    found = [
        permutation_test(
            [rng.lognormal(size=10) for _ in range(2)],
            [rng.lognormal(size=10) for _ in range(2)],
            rng,
        )
        for _ in range(1000)
    ]
    rate = np.mean(np.array(found) <= 0.05)
    assert 0.03 < rate < 0.07


def test_several_identical_contenders_are_rarely_told_apart_after_correction(monkeypatch):
    monkeypatch.setattr(statistics, "PERMUTATIONS", 399)
    rng = np.random.default_rng(2)
    wrong = sum(
        any(
            pair.corrected <= 0.05
            for pair in pairwise([[rng.normal(size=10)] for _ in range(4)], seed=i)
        )
        for i in range(200)
    )
    assert wrong / 200 <= 0.09


def test_different_contenders_are_found_different():
    rng = np.random.default_rng(3)
    good = [rng.normal(0.0, size=10) for _ in range(4)]
    bad = [rng.normal(1.5, size=10) for _ in range(4)]
    (pair,) = pairwise([good, bad])
    assert pair.corrected <= 0.001
    assert pair.superiority > 0.75


def test_ranks_of_a_clear_order():
    cases = [[np.array([1.0, 1.0])], [np.array([2.0, 2.0])], [np.array([3.0, np.inf])]]
    assert list(mean_ranks(cases)) == [1.0, 2.0, 3.0]


def test_critical_difference_of_demsars_example():
    # JMLR 7, section 3.2.4: four classifiers on fourteen data sets
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.01)
    assert critical_difference(11, 14) is None
