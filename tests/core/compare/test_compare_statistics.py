"""The statistics against definitions, and their error rates on simulated comparisons."""

import itertools
import statistics as python_statistics

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
    quartiles,
    superiority,
)

losses = st.lists(st.integers(0, 5), min_size=1, max_size=6).map(lambda x: np.array(x, float))


@given(losses, losses)
def test_superiority_is_the_share_of_pairs_won(a, b):
    won = [1.0 if x < y else 0.5 if x == y else 0.0 for x, y in itertools.product(a, b)]
    assert superiority(a, b) == pytest.approx(np.mean(won))
    assert superiority(a, b) + superiority(b, a) == pytest.approx(1.0)


numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9)


@given(numbers)
def test_quartiles_are_those_of_two_other_libraries(values):
    lower, median, upper = quartiles(np.array(values))
    assert median == pytest.approx(python_statistics.median(values))
    assert (lower, median, upper) == pytest.approx(np.quantile(values, (0.25, 0.5, 0.75)))


def test_the_median_of_an_even_number_is_the_mean_of_the_middle_two():
    assert quartiles(np.array([4.0, 1.0, 2.0, 100.0])) == (1.75, 3.0, 28.0)
    assert quartiles(np.array([7.0])) == (7.0, 7.0, 7.0)


@pytest.mark.parametrize(
    ("finite", "infinite", "median"), [(3, 2, 3.0), (2, 2, np.inf), (1, 3, np.inf)]
)
def test_runs_that_found_nothing_rank_last_and_make_no_nan(finite, infinite, median):
    values = np.array([1.0, 2.0, 3.0][:finite] + [np.inf] * infinite)
    found = quartiles(values)
    assert found[1] == median
    assert not np.isnan(found).any()


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])


def test_exact_permutation_distribution_of_a_tiny_case():
    # of the 20 ways to split six runs in two threes, two are as extreme as this one
    a, b = np.array([1.0, 2, 3]), np.array([4.0, 5, 6])
    found = permutation_test([a], [b], np.random.default_rng(0))
    assert found == pytest.approx(2 / 20, abs=0.01)


SIMULATED = 1000
"""Comparisons of contenders whose losses are drawn alike."""

TOO_MANY = 70
"""Of SIMULATED at a rate of 0.05: more are found once in 400 times (binomial, mean 50, sd 6.9)."""

TOO_FEW = 31
"""The same on the other side: a test that hardly ever speaks is no test either."""


def runs_of_identical_contenders(rng, contenders):
    """Return contender, case -> float64[10]: two cases of different scale and shape."""
    return [[rng.lognormal(size=10), 1e9 + rng.normal(size=10)] for _ in range(contenders)]


def runs_that_tie_and_fail(rng, contenders):
    """Return the same of losses as they are: the optimum found by half, nothing by a tenth."""
    values, chances = [1.0, 1.02, 1.3, np.inf], [0.5, 0.2, 0.2, 0.1]
    return [[rng.choice(values, 10, p=chances) for _ in range(2)] for _ in range(contenders)]


@pytest.mark.parametrize("draw", [runs_of_identical_contenders, runs_that_tie_and_fail])
def test_identical_contenders_are_found_different_at_the_nominal_rate(draw, monkeypatch):
    monkeypatch.setattr(statistics, "PERMUTATIONS", 399)
    rng = np.random.default_rng(1)
    wrong = sum(permutation_test(*draw(rng, 2), rng) <= 0.05 for _ in range(SIMULATED))
    assert TOO_FEW < wrong < TOO_MANY


def test_several_identical_contenders_are_rarely_told_apart_after_correction(monkeypatch):
    monkeypatch.setattr(statistics, "PERMUTATIONS", 199)
    rng = np.random.default_rng(2)
    wrong = sum(
        any(pair.corrected <= 0.05 for pair in pairwise(runs_of_identical_contenders(rng, 4), i))
        for i in range(400)
    )
    # binomial: mean at most 20, standard deviation 4.4; Holm's correction is on the careful side
    assert 0 < wrong < 33


def test_mean_ranks_of_identical_contenders_rarely_differ_critically():
    rng = np.random.default_rng(3)
    limit = critical_difference(5, 20)
    wrong = sum(
        np.ptp(mean_ranks(runs_of_identical_contenders(rng, 5))) > limit for _ in range(SIMULATED)
    )
    assert TOO_FEW < wrong < TOO_MANY


def test_different_contenders_are_found_different_often_enough(monkeypatch):
    # one standard deviation apart, ten runs on each of four cases: a t-test's power is above 0.98
    monkeypatch.setattr(statistics, "PERMUTATIONS", 399)
    rng = np.random.default_rng(4)
    right = 0
    for _ in range(100):
        good = [rng.normal(0.0, size=10) for _ in range(4)]
        bad = [rng.normal(1.0, size=10) for _ in range(4)]
        right += permutation_test(good, bad, rng) <= 0.05
    assert right >= 95


def test_a_difference_of_half_a_deviation_needs_more_runs(monkeypatch):
    monkeypatch.setattr(statistics, "PERMUTATIONS", 399)
    rng = np.random.default_rng(5)

    def power(runs):
        found = [
            permutation_test([rng.normal(0.0, size=runs)], [rng.normal(0.5, size=runs)], rng)
            for _ in range(200)
        ]
        return np.mean(np.array(found) <= 0.05)

    # a t-test's power is 0.18 with ten runs and 0.94 with a hundred
    assert power(10) < 0.3
    assert power(100) > 0.88


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
