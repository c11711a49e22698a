import numpy as np
import pytest

from cosearch_plugins.strategies.parts.acquisition import (
    Acquisition,
    Belief,
    expected_improvement,
    normal_cdf,
    normal_pdf,
)


def test_the_normal_distribution():
    z = np.linspace(-4, 4, 4001)
    assert normal_cdf(np.array([-1.96, 0.0, 1.0])) == pytest.approx([0.024998, 0.5, 0.841345], 1e-4)
    area = np.concatenate([[0.0], np.cumsum((normal_pdf(z)[1:] + normal_pdf(z)[:-1]) / 2 * 0.002)])
    assert area == pytest.approx(normal_cdf(z) - normal_cdf(z[:1]), abs=1e-6)


def test_expected_improvement_is_an_expectation():
    rng = np.random.default_rng(0)
    mean, deviation = np.array([0.3, -0.5, 2.0]), np.array([1.0, 0.2, 0.5])
    samples = mean + deviation * rng.standard_normal((400_000, 3))
    brute = np.maximum(0.1 - samples, 0).mean(axis=0)
    assert expected_improvement(mean, deviation, 0.1) == pytest.approx(brute, abs=3e-3)


def belief(mean, covariance, feasible=None, pending=0, best=0.0):
    mean = np.asarray(mean, dtype=float)
    share = np.ones(len(mean)) if feasible is None else np.asarray(feasible)
    return Belief(mean, np.asarray(covariance, dtype=float), 0.01, share, best, pending)


RNG = np.random.default_rng(0)


def test_the_bound_trades_mean_for_doubt():
    at = belief([0.0, 0.3, 0.6], np.diag([0.01, 0.25, 0.04]))
    assert Acquisition("lcb", 0.0).choose(1, at, RNG).tolist() == [0]
    assert Acquisition("lcb", 1.0).choose(1, at, RNG).tolist() == [1]


def test_an_unlikely_design_is_passed_over():
    at = belief([0.0, 0.2, 1.0], 0.01 * np.eye(3), feasible=[0.1, 0.9, 1.0], best=0.5)
    for kind in ("lcb", "ei", "thompson"):
        assert Acquisition(kind, 1.0).choose(1, at, RNG).tolist() == [1]


def test_a_batch_is_spread_and_distinct():
    twins = np.array([[1.0, 0.99, 0.0], [0.99, 1.0, 0.0], [0.0, 0.0, 1.0]])
    at = belief([0.0, 0.01, 0.3], twins)
    assert Acquisition("lcb", 1.0).choose(2, at, RNG).tolist() == [0, 2]
    for kind in ("lcb", "ei", "thompson"):
        assert sorted(Acquisition(kind, 1.0).choose(9, at, RNG)) == [0, 1, 2]


def test_what_is_being_evaluated_is_believed_and_not_chosen():
    twins = np.array([[1.0, 0.99, 0.0], [0.99, 1.0, 0.0], [0.0, 0.0, 1.0]])
    at = belief([0.0, 0.01, 0.3], twins, pending=1)
    assert Acquisition("lcb", 1.0).choose(1, at, RNG).tolist() == [2]


def test_believing_is_conditioning():
    rng = np.random.default_rng(3)
    root = rng.normal(size=(5, 5))
    covariance = root @ root.T
    seen = [3, 1]
    noisy = covariance[np.ix_(seen, seen)] + 0.01 * np.eye(2)
    gain = covariance[:, seen] @ np.linalg.inv(noisy)
    left = np.sqrt(np.diag(covariance - gain @ covariance[seen]))
    order = Acquisition("lcb", 1.0).choose(
        3, belief(np.where(np.isin(np.arange(5), seen), -100.0, 0.0) + 0.0, covariance), rng
    )
    rest = [i for i in range(5) if i not in seen]
    assert set(order[:2]) == set(seen)
    assert order[2] == rest[int(left[rest].argmax())]


def test_thompson_samples_choose_by_probability_of_being_best():
    at = belief([0.0, 0.0, 3.0], np.diag([1.0, 1.0, 0.01]))
    rng = np.random.default_rng(0)
    picks = [int(Acquisition("thompson", 1.0).choose(1, at, rng)[0]) for _ in range(400)]
    assert np.bincount(picks, minlength=3) == pytest.approx([200, 200, 0], abs=45)
