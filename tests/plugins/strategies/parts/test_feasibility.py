"""Logistic regression against integrals on a grid."""

import numpy as np
import pytest

from cosearch_plugins.strategies.parts.feasibility import FeasibilityModel, laplace, sigmoid

PRECISION = np.array([0.5, 2.0])


def data(n, seed=0, steep=2.0):
    rng = np.random.default_rng(seed)
    x = np.stack([np.ones(n), rng.normal(size=n)], axis=1)
    return x, np.where(rng.random(n) < sigmoid(0.5 + steep * x[:, 1]), 1.0, -1.0)


def grid(x, signs):
    """The posterior of two weights on a fine grid: their log density and its integral's log."""
    axis = np.linspace(-6, 6, 601)
    w = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    log = -np.logaddexp(0.0, -signs[:, None] * (x @ w.T)).sum(axis=0)
    log += 0.5 * np.log(PRECISION / (2 * np.pi)).sum() - 0.5 * (PRECISION * w**2).sum(axis=1)
    total = np.log(np.exp(log - log.max()).sum()) + log.max() + 2 * np.log(axis[1] - axis[0])
    return w, log, total


def test_the_mode_is_the_mode():
    x, signs = data(40)
    found = laplace(x, signs, PRECISION, np.array([5.0, -5.0]))
    w, log, _ = grid(x, signs)
    assert found.weights == pytest.approx(w[log.argmax()], abs=0.02)


def test_the_evidence_is_near_the_integral():
    # The Gaussian's own constant, k/2 log 2 pi, cancels the prior's.
    for n, tolerance in ((10, 0.2), (200, 0.02)):
        x, signs = data(n)
        found = laplace(x, signs, PRECISION, np.zeros(2))
        assert found.evidence == pytest.approx(grid(x, signs)[2], abs=tolerance)


def test_the_covariance_is_near_that_of_the_posterior():
    x, signs = data(200)
    w, log, _ = grid(x, signs)
    p = np.exp(log - log.max())
    p /= p.sum()
    centred = w - p @ w
    factor = laplace(x, signs, PRECISION, np.zeros(2)).factor
    assert np.linalg.inv(factor @ factor.T) == pytest.approx((centred.T * p) @ centred, abs=0.02)


def learned(n, f=6, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, f))
    model = FeasibilityModel(f, f)
    for i in range(n):
        model.add(x[[i]], x[[i], 0] + x[[i], 1] < 0.3)
        model.fit()
    at = rng.normal(size=(4000, f))
    return model, at, at[:, 0] + at[:, 1] < 0.3


def test_an_edge_is_found():
    model, at, feasible = learned(120)
    p = model.probability(at)
    assert ((p > 0.5) == feasible).mean() > 0.95
    assert p[~feasible].mean() < 0.12 < 0.88 < p[feasible].mean()


def test_draws_are_feasible_as_often_as_is_probable():
    model, at, _ = learned(30)
    rng = np.random.default_rng(5)
    often = np.mean([model.drawn(at[:50], rng) for _ in range(4000)], axis=0)
    p = model.probability(at[:50])
    # A draw decides; the probability also has the doubt at an edge that is known.
    assert np.abs(often - p).max() < 0.25
    assert ((often > 0.5) == (p > 0.5)).mean() > 0.9


def test_codes_take_part_when_they_explain():
    rng = np.random.default_rng(0)
    x = np.hstack([rng.normal(size=(300, 2)), np.eye(4)[rng.integers(0, 4, size=300)]])
    for labels, coded in ((x[:, 3] == 1, True), (x[:, 0] > 0, False)):
        model = FeasibilityModel(6, 2)
        model.add(x, labels)
        model.fit()
        assert model._coded == coded


def test_one_label_alone_is_no_problem():
    model = FeasibilityModel(3, 3)
    model.add(np.zeros((4, 3)), np.zeros(4, dtype=bool))
    model.fit()
    assert np.isfinite(model.probability(np.ones((2, 3)))).all()
    assert (model.probability(np.zeros((2, 3))) < 0.5).all()
