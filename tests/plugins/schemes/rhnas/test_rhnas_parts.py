"""The relaxed search over sums of parts: slopes, values, and the knapsack that is its bar."""

import numpy as np
import pytest

from cosearch.hooks.discovery import load_registry
from cosearch_plugins.landscape.cheapest import cheapest_network
from cosearch_plugins.landscape.separable import Separable
from cosearch_plugins.schemes.rhnas.networks import Relaxation, softmax
from cosearch_plugins.schemes.rhnas.parts import SHORT, LayerCosts, PartsSearch

FLOOR = 76.0


@pytest.fixture(scope="module")
def space():
    return Separable.of(load_registry().find("network_spaces", "ofa-mobilenetv3").make())


@pytest.fixture(scope="module")
def costs(space):
    rng = np.random.default_rng(0)
    work = np.array([float(layer.operations) for layer in space.layers])
    energy, cycles = work * rng.uniform(0.5, 2.0, (2, len(work)))
    return LayerCosts(energy, cycles, 1.0)


def search_of(space, powers=(1.0, 1.0), **how):
    return PartsSearch(space, powers, FLOOR, np.random.default_rng(1), Relaxation(**how))


def test_a_networks_value_is_that_of_its_sums(space, costs):
    search = search_of(space)
    for row in space.networks.space.sample_feasible(6, np.random.default_rng(2))[0]:
        counts = space.counts_of(row)
        short = max(0.0, search._lacking(search._picks(row)) - search._budget)
        told = np.log((counts @ costs.energy_pj) * (counts @ costs.cycles)) + SHORT * short
        assert search.value(costs, row) == pytest.approx(told)
        assert search.meets(row) == (space.networks.accuracy(row[None])[0] >= FLOOR)
        assert (search._row(search._picks(row)) == row).all()
        assert search.describe(row).sum() == pytest.approx(1.0)


def test_slopes_are_those_of_finite_differences(space, costs):
    search = search_of(space, powers=(0.5, 2.0))
    priced = search._priced(costs)
    rng = np.random.default_rng(3)
    weights = [softmax(rng.normal(size=(1, c))) for c in search._cards]

    def loss():
        both = priced.fixed + sum(c @ w[0] for c, w in zip(priced.groups, weights, strict=True))
        lacks = sum(w[0] @ g.lacking for w, g in zip(weights, space.groups, strict=True))
        return float(np.dot(search.powers, np.log(both))) + 3.0 * lacks

    slopes = search._slopes(priced, weights, np.array([3.0]))
    for k in (0, 2, 14):
        for j in (0, len(weights[k][0]) - 1):
            found = []
            for step in (1e-6, -1e-6):
                weights[k][0, j] += step
                found.append(loss())
                weights[k][0, j] -= step
            assert slopes[k][0, j] == pytest.approx((found[0] - found[1]) / 2e-6, rel=1e-4)


@pytest.mark.parametrize("powers", [(0.0, 1.0), (1.0, 1.0)])
def test_it_comes_near_the_knapsack(space, costs, powers):
    search = search_of(space, powers)
    row = search.find(costs)
    assert search.meets(row)
    best = cheapest_network(space, costs.energy_pj, costs.cycles, powers, FLOOR, steps=2_000)
    least = np.dot(powers, np.log([best.energy_pj, best.cycles])) + np.log1p(-best.gap)
    assert least - 1e-9 <= search.value(costs, row) <= least + 0.1 * sum(powers)
