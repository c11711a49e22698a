"""Policies of bits: the action wall, exact knapsacks, and the space that holds them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import Infeasible, InputError
from cosearch.workload.einsum import conv
from cosearch.workload.network import Layer, Network, Workload
from cosearch_plugins.precision.costs import bit_operations, table_costs, weight_bits
from cosearch_plugins.precision.knapsack import cheapest
from cosearch_plugins.precision.wall import cost_of, walled
from cosearch_plugins.workloads.mixed_precision import MixedPrecision, noise_of

LAYERS = (
    Layer(conv("stem", K=8, C=3, P=8, Q=8, R=3, S=3)),
    Layer(conv("depthwise", G=8, K=1, C=1, P=8, Q=8, R=3, S=3)),
    Layer(conv("project", K=16, C=8, P=8, Q=8), 2),
    Layer(conv("fc", K=10, C=16, P=1, Q=1)),
)


class Tiny(Workload):
    def network(self):
        return Network("tiny", LAYERS)


COSTS = st.integers(0, 2**32).map(
    lambda seed: np.random.default_rng(seed).integers(1, 9, (5, 9, 9)).cumsum(1).cumsum(2) * 1.0
)
POLICIES = st.lists(st.tuples(st.integers(2, 8), st.integers(2, 8)), min_size=5, max_size=5)
FREE = np.arange(1, 4)


@settings(max_examples=60, deadline=None)
@given(COSTS, POLICIES, st.floats(0.0, 1.0))
def test_the_wall_is_a_repair(costs, policy, share):
    bits = np.array(policy)
    narrow = bits.copy()
    narrow[FREE] = 2
    least, most = cost_of(costs, narrow), cost_of(costs, np.full((5, 2), 8))
    budget = least + share * (most - least)
    found = walled(costs, bits, budget, 2, FREE)
    assert cost_of(costs, found) <= budget
    assert (found <= bits).all()
    assert found.min() >= 2
    assert (found[[0, 4]] == bits[[0, 4]]).all()
    assert (walled(costs, found, budget, 2, FREE) == found).all()
    if cost_of(costs, bits) <= budget:
        assert (found == bits).all()


def test_the_wall_takes_bits_from_the_last_layer_and_inputs_first():
    costs = np.zeros((3, 9, 9)) + np.add.outer(np.arange(9.0), np.arange(9.0))
    bits = np.full((3, 2), 8)
    free = np.arange(3)
    for budget, wanted in (
        (47, [[8, 8], [8, 8], [8, 7]]),
        (46, [[8, 8], [8, 8], [7, 7]]),
        (45, [[8, 8], [8, 7], [7, 7]]),
        (41, [[7, 7], [7, 7], [7, 6]]),
    ):
        assert walled(costs, bits, budget, 2, free).tolist() == wanted


def test_a_budget_that_nothing_meets():
    with pytest.raises(Infeasible, match="2 bits everywhere cost"):
        walled(bit_operations(LAYERS, 8), np.full((4, 2), 8), 1.0, 2, np.arange(4))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 4), st.integers(0, 30))
def test_a_knapsack_is_exact(seed, layers, choices, most):
    rng = np.random.default_rng(seed)
    costs = rng.integers(0, 9, (layers, choices)).astype(np.float64)
    noise = rng.integers(0, 9, (layers, choices))
    every = [
        (sum(costs[i, c] for i, c in enumerate(policy)), policy)
        for policy in itertools.product(range(choices), repeat=layers)
        if sum(noise[i, c] for i, c in enumerate(policy)) <= most
    ]
    if not every:
        with pytest.raises(Infeasible, match="the bound is"):
            cheapest(costs, noise, most)
        return
    cost, policy = cheapest(costs, noise, most)
    assert cost == min(every)[0]
    assert cost == sum(costs[i, c] for i, c in enumerate(policy))
    assert sum(noise[i, c] for i, c in enumerate(policy)) <= most


def test_a_space_of_policies():
    space = MixedPrecision(Tiny())
    assert space.space.names == ("w1", "a1", "w2", "a2")
    row = space.space.index({"w1": 3, "a1": 4, "w2": 8, "a2": 5})
    network = space.build(row)
    bits = [[t.bits for t in layer.einsum.tensors] for layer in network.layers]
    assert bits == [[8, 8, None], [3, 4, None], [8, 5, None], [8, 8, None]]
    assert [layer.count for layer in network.layers] == [1, 1, 2, 1]
    assert np.isnan(space.accuracy(row[None])).all()
    assert space.score("noise", row[None])[0] == 4**5 + 4**4 + 1 + 4**3 + 4
    own = MixedPrecision(Tiny(), accuracy=lambda bits: bits.mean(axis=(1, 2)))
    assert own.accuracy(row[None])[0] == (8 * 5 + 3 + 4 + 5) / 8


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["operations", "size"]))
def test_every_network_of_a_space_is_within_its_wall(seed, cost):
    space = MixedPrecision(Tiny(), wall=0.7, cost=cost)
    rows = space.space.sample(4, np.random.default_rng(seed))
    assert (space.score("budgeted", rows) <= 0.7).all()
    assert (space.policies(rows)[:, [0, -1]] == 8).all()


def test_a_wall_that_no_policy_meets_is_told_at_once():
    with pytest.raises(Infeasible, match="2 bits everywhere cost"):
        MixedPrecision(Tiny(), wall=0.01)


def test_costs_by_hand():
    operations, size = bit_operations(LAYERS, 8), weight_bits(LAYERS, 8)
    assert operations[2, 3, 5] == 2 * 16 * 8 * 64 * 15
    assert size[2, 3, 5] == 2 * 16 * 8 * 3
    assert (noise_of(np.array([8, 6, 2])) == [1, 16, 4**6]).all()


def table(tmp_path, lines):
    file = tmp_path / "costs.csv"
    file.write_text("\n".join(["layer,w_bits,a_bits,latency", *lines]))
    return str(file)


def test_a_table_of_costs(tmp_path):
    lines = [f"{i},{w},{a},{100 * i + w * a}" for i in range(4) for w in range(1, 9)
             for a in range(1, 9)]  # fmt: skip
    file = table(tmp_path, lines)
    assert table_costs(file, 4, 8)[3, 2, 7] == 314
    space = MixedPrecision(Tiny(), table=file, wall=0.9)
    rows = space.space.sample(3, np.random.default_rng(0))
    assert (space.score("budgeted", rows) <= 0.9).all()
    with pytest.raises(InputError, match="another network's"):
        table_costs(file, 3, 8)
    with pytest.raises(InputError, match="no latency of layer 3 at 8 x 8 bits"):
        table_costs(table(tmp_path, lines[:-1]), 4, 8)
