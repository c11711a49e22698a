import numpy as np
import pytest

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch_plugins.strategies.cmaes import CmaEs, Gaussian


def minimised(function, e, generations, seed=0):
    gaussian = Gaussian(np.full(e, 0.5), 0.3, np.full(e, 1e-9), 0)
    rng = np.random.default_rng(seed)
    for _ in range(generations):
        points = gaussian.sample(gaussian.population, rng)
        order = np.argsort([function(point) for point in points])
        gaussian.update(points[order[: gaussian.population // 2]])
    return gaussian


def test_converges_on_an_ill_conditioned_ellipsoid():
    scale = 1e4 ** (np.arange(6) / 5)
    gaussian = minimised(lambda x: (scale * (x - 0.3) ** 2).sum(), 6, 400)
    assert gaussian.mean == pytest.approx(np.full(6, 0.3), abs=1e-6)


def test_learns_the_shape_of_the_ellipsoid():
    scale = 1e4 ** (np.arange(4) / 3)
    gaussian = minimised(lambda x: (scale * (x - 0.3) ** 2).sum(), 4, 150)
    spread = np.sqrt(np.diag(gaussian._covariance))
    assert spread[0] / spread[3] == pytest.approx(100.0, rel=0.8)


def test_a_long_encoding_keeps_a_diagonal():
    gaussian = minimised(lambda x: ((x - 0.3) ** 2).sum(), 150, 600)
    assert gaussian._covariance.shape == (150,)
    assert np.abs(gaussian.mean - 0.3).max() < 0.05


def test_the_deviation_never_freezes_an_integer():
    gaussian = Gaussian(np.full(3, 0.5), 0.3, np.full(3, 0.1), 0)
    for _ in range(60):
        gaussian.update(np.tile(gaussian.mean, (gaussian.population // 2, 1)))
    assert (gaussian.sigma * np.sqrt(np.diag(gaussian._covariance)) > 0.099).all()


def test_learns_from_points_it_never_asked_for():
    space = ParameterSpace(tuple(Parameter(f"p{i}", tuple(range(32))) for i in range(4)))
    strategy = CmaEs(space, np.random.default_rng(0))
    rows = np.random.default_rng(1).integers(20, 30, size=(60, 4))
    losses = 1.0 + ((rows - 28) ** 2).sum(axis=1)
    strategy.tell(rows, losses[:, None], np.ones(60, dtype=bool))
    assert (strategy.ask(40).mean(axis=0) > 20).all()
