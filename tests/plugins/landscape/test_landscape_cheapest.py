"""The knapsack of networks against enumeration; spaces as sums of parts against built networks."""

from itertools import product

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry
from cosearch_plugins.landscape.cheapest import cheapest_network, least_product
from cosearch_plugins.landscape.separable import Separable

REGISTRY = load_registry(third_party=False)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([(0, 1), (1, 0), (1, 1), (1, 2)]),
    st.sampled_from([0.1, 0.4, 0.7, 1.5]),
)
def test_the_best_of_all_choices_is_within_the_gap(seed, powers, tight) -> None:
    """Rounding loses a step a group at most: what is allowed with so much less is no better."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, size=4)
    fixed = rng.random(2)
    costs = [rng.random((2, c)) for c in sizes]
    lacking = [rng.normal(size=c) for c in sizes]
    low, high = (float(np.sum([f(x) for x in lacking])) for f in (np.min, np.max))
    budget = low + tight * (high - low)
    values, safe = {}, []
    for picks in product(*(range(c) for c in sizes)):
        lacks = sum(x[k] for x, k in zip(lacking, picks, strict=True))
        if lacks <= budget:
            e, t = fixed + sum(x[:, k] for x, k in zip(costs, picks, strict=True))
            values[picks] = e ** powers[0] * t ** powers[1]
            if lacks <= budget - len(sizes) * (budget - low) / 500:
                safe.append(values[picks])
    found = least_product(fixed, costs, lacking, budget, powers, 500)
    assert found is not None
    picks, bound = found
    best = min(values.values())
    mine = values[tuple(picks.tolist())]
    assert bound <= best * (1 + 1e-12)
    assert best <= mine * (1 + 1e-12)
    assert mine <= min(safe) * 1.002


def test_a_choice_that_cannot_be_run_is_not_taken_and_none_may_be_allowed() -> None:
    costs, lacking = [np.array([[1.0, np.inf], [2.0, np.inf]])], [np.array([1.0, 0.0])]
    picks, _ = least_product(np.zeros(2), costs, lacking, 1.0, (0, 1), 10)
    assert picks.tolist() == [0]
    assert least_product(np.zeros(2), costs, lacking, 0.5, (0, 1), 10) is None
    assert least_product(np.zeros(2), costs, lacking, -0.5, (0, 1), 10) is None


@pytest.fixture(scope="module")
def ofa():
    return Separable.of(REGISTRY.find("network_spaces", "ofa-mobilenetv3").make())


def test_networks_are_the_sums_of_their_parts(ofa) -> None:
    assert len(ofa.groups) == 15
    assert sum(len(group.columns) for group in ofa.groups) == 20
    assert np.prod([float(len(group.choices)) for group in ofa.groups]) == pytest.approx(
        sum(9.0**k for k in (2, 3, 4)) ** 5
    )
    rows = ofa.networks.space.sample_feasible(4, np.random.default_rng(5))[0]
    ofa.check(rows)
    for row in rows:
        lacking = ofa.model.intercept
        for group in ofa.groups:
            at = (group.choices == row[group.columns]).all(axis=1)
            lacking += group.lacking[at][0]
        assert lacking == pytest.approx(ofa.model.lacking(row[None])[0])


def test_a_wrong_sum_is_found_out(ofa) -> None:
    wrong = evolve(ofa, always=ofa.always + 1)
    with pytest.raises(CosearchError, match="not the sum of its parts"):
        wrong.check(ofa.networks.space.sample_feasible(1, np.random.default_rng(0))[0])


@pytest.mark.parametrize("powers", [(0, 1), (1, 1)])
def test_no_network_met_is_better_than_the_cheapest(ofa, powers) -> None:
    macs = np.array([float(layer.operations) for layer in ofa.layers])
    energy = macs + 1e5 * np.random.default_rng(0).random(len(macs))
    found = cheapest_network(ofa, energy, macs, powers, 76.0, steps=4_000)
    space = ofa.networks
    assert space.accuracy(found.row[None])[0] >= 76.0
    assert space.space.feasible(found.row[None])[0]
    assert found.cycles == pytest.approx(float(space.build(found.row).operations))
    assert found.gap < 0.01
    value = found.energy_pj ** powers[0] * found.cycles ** powers[1] * (1 - found.gap)
    rows = space.space.sample_feasible(400, np.random.default_rng(1))[0]
    counts = np.array([ofa.counts_of(row) for row in rows])
    met = (counts @ energy) ** powers[0] * (counts @ macs) ** powers[1]
    assert (met[space.accuracy(rows) >= 76.0] >= value).all()
    assert cheapest_network(ofa, energy, macs, powers, 79.5) is None


def test_other_spaces_are_refused() -> None:
    other = REGISTRY.find("network_spaces", "accel-nasbench").make()
    other.parts = ()
    with pytest.raises(CosearchError, match="does not say"):
        Separable.of(other)
