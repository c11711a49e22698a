"""The growing factor against dense matrices."""

import itertools

import numpy as np
import pytest

from cosearch_plugins.strategies.parts import gaussian_process
from cosearch_plugins.strategies.parts.gaussian_process import (
    KernelSurrogate,
    correlation,
    evidences,
    squared_distances,
    trend,
    trend_factor,
)


def data(n, f=3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, f))
    y = np.sin(2 * x[:, 0]) + 0.3 * x[:, 1] ** 2
    return x, (y - y.mean()) / y.std()


def grown(x, y, steps, kernel="matern"):
    model = KernelSurrogate(x.shape[1], kernel)
    for n in steps:
        model.add(x[len(model._x) : n])
        model.fit(y[:n])
    return model


@pytest.mark.parametrize("kernel", ["matern", "rbf"])
@pytest.mark.parametrize("steps", [(3,), (5, 6, 7, 8), (4, 30, 31, 100), (10, 70, 150)])
def test_equals_the_textbook(kernel, steps):
    x, y = data(steps[-1])
    model = grown(x, y, steps, kernel)
    at = np.random.default_rng(1).normal(size=(6, 3))

    def k(a, b):
        apart = ((a[:, None, :] - b[None, :, :]) / model._length) ** 2
        line = (1 + a @ b.T) / (1 + a.shape[1])
        return correlation(apart.sum(axis=2), kernel) + model._trend * line

    noisy = k(x, x) + (model._ratio + 1e-10) * np.eye(len(x))
    mean, covariance = model.posterior(at)
    signal = (y @ np.linalg.solve(noisy, y) + 0.01) / (len(y) + 0.01)
    assert mean == pytest.approx(k(at, x) @ np.linalg.solve(noisy, y), abs=1e-6)
    dense = k(at, at) - k(at, x) @ np.linalg.solve(noisy, k(x, at))
    assert covariance == pytest.approx(signal * dense, abs=1e-6)


def test_kernels_at_known_distances():
    assert correlation(np.array([0.0]), "rbf") == 1.0
    assert correlation(np.array([4.0]), "rbf") == pytest.approx(np.exp(-2.0))
    root = np.sqrt(5.0)
    expected = (1 + root + 5 / 3) * np.exp(-root)
    assert correlation(np.array([1.0]), "matern") == pytest.approx(expected)


def test_a_trend_goes_on_where_there_are_no_trials():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 5))
    line = np.array([1.0, -0.5, 0.0, 0.3, 0.0])
    model = grown(x, x @ line / 1.2, (40,))
    far = 4.0 * rng.normal(size=(20, 5))
    assert model._trend > 0
    assert model.posterior(far)[0] == pytest.approx(far @ line / 1.2, abs=0.3)


def test_only_the_first_features_are_read():
    x, y = data(30)
    own, more = KernelSurrogate(3, "matern"), KernelSurrogate(3, "matern")
    own.add(x)
    more.add(np.hstack([x, np.random.default_rng(1).normal(size=(30, 4))]))
    for model in (own, more):
        model.fit(y)
    one, other = (m.posterior(np.ones((2, 3 + extra)))[0] for m, extra in ((own, 0), (more, 4)))
    assert one.tolist() == other.tolist()


def test_interpolates_without_noise():
    x, y = data(80)
    mean, covariance = grown(x, y, (80,)).posterior(x)
    assert np.abs(mean - y).max() < 0.05
    assert np.diag(covariance).max() < 0.05


def test_repeated_inputs_and_equal_targets_are_no_problem():
    x = np.zeros((40, 3))
    mean, covariance = grown(x, np.zeros(40), (5, 40)).posterior(np.ones((2, 3)))
    assert np.isfinite(mean).all()
    assert np.isfinite(covariance).all()


def test_evidence_equals_the_textbook():
    """Rasmussen and Williams, equation 2.30, with the signal variance profiled out."""
    x, y = data(50, f=4)
    close = correlation(squared_distances(x, x) / 4.0, "matern")
    for i, share in enumerate(gaussian_process._TRENDS):
        for j, noise in enumerate(gaussian_process._NOISES):
            k = close + share * trend(x, x) + noise * np.eye(50)
            signal = (y @ np.linalg.solve(k, y) + 0.01) / 50.01
            expected = -0.5 * (50 * np.log(signal) + np.linalg.slogdet(k)[1])
            found = evidences(close, trend_factor(x), y)[i, j]
            assert found == pytest.approx(expected, rel=1e-6)


def test_of_many_trials_new_hyperparameters_wait_for_their_factor(monkeypatch):
    """Until then the old ones serve; then it is the process that one step would have made."""
    x, y = data(300)
    other = np.random.default_rng(2).normal(size=300)
    whole, parts = grown(x, y, (240, 299)), grown(x, y, (240, 299))
    monkeypatch.setattr(gaussian_process, "_AT_ONCE", 64)
    parts.add(x[299:])
    parts._fitted = 0
    before = (parts._length, parts._trend, parts._ratio)
    for _ in range(4):  # 66, 130, 194 and 258 rows
        parts.fit(other)
        assert (parts._length, parts._trend, parts._ratio) == before
        assert parts._factored == 300
    parts.fit(other)
    assert (parts._length, parts._trend, parts._ratio) != before
    monkeypatch.undo()
    whole.add(x[299:])
    whole._fitted = 0
    whole.fit(other)
    at = np.random.default_rng(1).normal(size=(6, 3))
    assert parts.posterior(at)[0] == pytest.approx(whole.posterior(at)[0], abs=1e-9)


@pytest.mark.parametrize("batches", [(4,), (21,), (24,), (64,), (200,), (8, 8, 8, 160)])
def test_new_hyperparameters_are_in_use_before_the_next_are_due(batches, monkeypatch):
    """However many trials come with each ask; choices are made to differ each time."""
    chosen_of = {}

    def choose(model, y):
        model._length, model._factored = 1.0 + len(chosen_of), 0
        chosen_of[model._length] = len(y)

    monkeypatch.setattr(KernelSurrogate, "_choose", choose)
    x, y = data(1500)
    model, n = KernelSurrogate(3, "matern"), 0
    for batch in itertools.cycle(batches):
        model.add(x[n : n + batch])
        n = min(n + batch, len(x))
        model.fit(y[:n])
        assert n < 1.25 * (1.25 * chosen_of[model._length] + max(batches))
        if n == len(x):
            break
    assert len(chosen_of) > 5
