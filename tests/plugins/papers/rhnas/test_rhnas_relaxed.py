"""The counter-example on a space whose best corner cannot be built."""

import numpy as np
import pytest

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch_plugins.papers.rhnas import relaxed
from cosearch_plugins.strategies.parts.perceptron import Perceptron


def test_slopes_are_those_of_finite_differences():
    rng = np.random.default_rng(0)
    net, x, weight = Perceptron(4, rng), rng.normal(size=(3, 4)), rng.normal(size=3)
    of_theta, of_x = net.slopes(x, weight)
    for i in rng.choice(len(net.theta), 25, replace=False):
        before = net.theta[i]
        sums = []
        for step in (1e-6, -1e-6):
            net.theta[i] = before + step
            sums.append((weight * net(x)).sum())
        net.theta[i] = before
        assert of_theta[i] == pytest.approx((sums[0] - sums[1]) / 2e-6, abs=1e-5)
    for i, j in np.ndindex(3, 4):
        moved = x.copy()
        moved[i, j] += 1e-6
        assert of_x[i, j] == pytest.approx((weight * (net(moved) - net(x))).sum() / 1e-6, abs=1e-4)


def test_rounding_to_what_can_be_built_repairs_what_extrapolation_breaks(monkeypatch):
    for name, value in (("FIT_STEPS", 300), ("STEPS", 150), ("DESIGNS", 200), ("ATTEMPTS", 400)):
        monkeypatch.setattr(relaxed, name, value)
    space = ParameterSpace((Parameter("a", range(8)), Parameter("b", range(8))))
    rows = space.unrank(np.arange(space.size))
    losses = np.where(rows.sum(axis=1) <= 8, 100.0 / (1.0 + rows.sum(axis=1)), np.inf)
    search = relaxed.RelaxedHardware(space, losses, np.random.default_rng(0))
    assert search.error < 0.2
    naive = search.search(8, 0.0)
    assert naive.built < 4
    assert naive.repaired <= 0.3
    assert search.search(8, 3.0).built > naive.built
