"""Bayesian linear regression against the Gaussian process it is."""

import numpy as np
import pytest

from cosearch_plugins.strategies.parts.surrogates import LinearSurrogate


def data(n=30, f=4, noise=0.1, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, f))
    y = x @ np.array([1.0, -0.5, 0.0, 0.3])[:f] + noise * rng.normal(size=n)
    return x, (y - y.mean()) / y.std()


def fitted(x, y, pieces=1):
    model = LinearSurrogate(x.shape[1])
    for part in np.array_split(x, pieces):
        model.add(part)
    model.fit(y)
    return model


def test_equals_a_gaussian_process_with_a_linear_kernel():
    x, y = data()
    model = fitted(x, y)
    at = np.random.default_rng(1).normal(size=(7, 4))
    mean, covariance = model.posterior(at)
    # The weights' variance follows from the covariance at the origin before any trial: read it
    # back from the ridge, noise / variance, that reproduces the mean.
    one = np.hstack([np.ones((len(x), 1)), x])
    ones = np.hstack([np.ones((7, 1)), at])
    ridge = best_ridge(one, y)
    kernel = one @ one.T / ridge
    cross = ones @ one.T / ridge
    inverse = np.linalg.inv(kernel + np.eye(len(x)))
    assert mean == pytest.approx(cross @ inverse @ y, abs=1e-9)
    expected = model.noise * (ones @ ones.T / ridge - cross @ inverse @ cross.T)
    assert covariance == pytest.approx(expected, abs=1e-9)


def best_ridge(x, y):
    """Maximise the marginal likelihood with dense matrices, noise profiled with its prior."""
    best = (-np.inf, 0.0)
    for ridge in np.logspace(-4, 4, 33):
        k = x @ x.T / ridge + np.eye(len(x))
        noise = (y @ np.linalg.solve(k, y) + 0.01) / (len(x) + 1)
        evidence = -0.5 * ((len(x) + 1) * np.log(noise) + np.linalg.slogdet(k)[1])
        best = max(best, (evidence, ridge))
    return best[1]


@pytest.mark.parametrize("n", [1, 2, 5, 80, 200])
def test_trial_by_trial_equals_all_at_once(n):
    x, y = data(n=n + 1)
    one, many = fitted(x, y), fitted(x, y, pieces=n + 1)
    for a, b in zip(one.posterior(x), many.posterior(x), strict=True):
        assert a == pytest.approx(b, abs=1e-8)


def test_the_noise_is_recovered():
    x, y = data(n=400, noise=0.3)
    scale = np.std(x @ np.array([1.0, -0.5, 0.0, 0.3])) ** 2 + 0.09
    assert fitted(x, y).noise == pytest.approx(0.09 / scale, rel=0.2)


def test_more_trials_leave_less_doubt():
    x, y = data(n=60)
    doubts = [np.trace(fitted(x[:n], y[:n]).posterior(x)[1]) for n in (5, 20, 60)]
    assert doubts[0] > doubts[1] > doubts[2]


def test_equal_targets_are_no_problem():
    x, _ = data()
    mean, covariance = fitted(x, np.zeros(len(x))).posterior(x)
    assert np.abs(mean).max() < 1e-12
    assert np.isfinite(covariance).all()


def test_codes_take_part_when_they_explain():
    rng = np.random.default_rng(0)
    x = np.hstack([rng.normal(size=(200, 2)), np.eye(4)[rng.integers(0, 4, size=200)]])
    for y, weights in ((x[:, 0] + 3.0 * x[:, 3], 7), (x[:, 0] + 0.1 * rng.normal(size=200), 3)):
        model = LinearSurrogate(6, 2)
        model.add(x)
        model.fit((y - y.mean()) / y.std())
        assert len(model._weights) == weights
