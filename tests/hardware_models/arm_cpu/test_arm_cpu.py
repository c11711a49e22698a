"""Implementations along a chain: the shortest path against every choice, and a learner."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cosearch
from cosearch.hooks.discovery import load_registry
from cosearch.workload.einsum import conv
from cosearch.workload.network import Layer, Network
from cosearch_hardware.arm_cpu.chain import greedy, length, q_learning, shortest
from cosearch_hardware.arm_cpu.model import CONVERT, ArmCpu, Cpu, chain_of
from cosearch_hardware.arm_cpu.primitives import DIRECT, IM2COL, WINOGRAD, needs, primitives


def tables(seed, layers, choices, moving):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, choices + 1, layers)
    costs = [rng.random(n) for n in sizes]
    moves = [rng.random((a, b)) * moving for a, b in pairwise(sizes)]
    return costs, moves


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 4), st.sampled_from((0.0, 0.3, 2)))
def test_the_shortest_path_is_the_least_of_all_choices(seed, layers, choices, moving):
    costs, moves = tables(seed, layers, choices, moving)
    choice, total = shortest(costs, moves)
    every = [length(costs, moves, c) for c in product(*(range(len(c)) for c in costs))]
    assert total == pytest.approx(min(every), rel=1e-12)
    assert length(costs, moves, choice) == pytest.approx(total, rel=1e-12)
    assert length(costs, moves, greedy(costs)) >= total - 1e-12


def test_a_tabular_learner_comes_near_the_path_and_greedy_does_not():
    """20 layers, 8 implementations, conversions as dear as layers; 1,000 episodes."""
    learned, picked = [], []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        costs = [rng.random(8) for _ in range(20)]
        moves = [rng.random((8, 8)) for _ in range(19)]
        _, least = shortest(costs, moves)
        learned.append(q_learning(costs, moves, 1000, rng)[1] / least - 1)
        picked.append(length(costs, moves, greedy(costs)) / least - 1)
    assert np.median(learned) < 0.15
    assert np.median(learned) < np.median(picked) / 2


def test_one_seed_learns_one_thing():
    costs, moves = tables(3, 5, 4, 1.0)
    found = [q_learning(costs, moves, 50, np.random.default_rng(1)) for _ in range(2)]
    assert found[0] == found[1]


def test_winograd_multiplies_less_and_moves_more():
    layer = conv(K=64, C=64, P=56, Q=56, R=3, S=3)
    assert WINOGRAD in primitives(layer, int8=False)
    direct, winograd = needs(layer, DIRECT), needs(layer, WINOGRAD)
    tiles = 28 * 28
    transforms = tiles * (64 * 24 + 64 * 32)
    assert winograd[0] == pytest.approx(layer.macs / 2.25 + transforms)
    assert winograd[1] > direct[1]
    assert needs(layer, IM2COL)[1] - direct[1] == 2 * 4 * 56 * 56 * 64 * 9


@pytest.mark.parametrize(
    "layer",
    [
        conv(K=8, C=8, P=8, Q=8, R=3, S=3, stride=2),
        conv(K=8, C=8, P=8, Q=8, R=5, S=5),
        conv(K=1, C=1, G=8, P=8, Q=8, R=3, S=3),
        conv(K=8, C=8, P=8, Q=8),
    ],
)
def test_winograd_is_for_dense_3x3_of_stride_1(layer):
    assert WINOGRAD not in primitives(layer, int8=False)


@pytest.mark.parametrize("name", ["vgg16", "mobilenetv2"])
@pytest.mark.parametrize("int8", [False, True])
def test_a_network_takes_its_shortest_path(name, int8):
    network = load_registry().find("workloads", name).make().network()
    model = ArmCpu(int8=int8)
    placed = model.placed(network, {})
    machine = model.build({})
    total = sum(machine.floor(layer.einsum)[1] * layer.count for layer in placed.layers)
    runs = [x.einsum for x in network.layers for _ in range(x.count)]
    ways = [primitives(e, int8=int8) for e in runs]
    costs, moves = chain_of(Cpu("cortex-a72", 4, 1500, 12.8, 3.0), runs, ways)
    assert total == pytest.approx(shortest(costs, moves)[1])
    assert placed.macs == network.macs
    if not int8:
        assert not any("int8" in layer.einsum.place for layer in placed.layers)


def test_the_front_door_maps_the_chain():
    network = Network("two", (Layer(conv("a", K=64, C=64, P=56, Q=56, R=3, S=3)),
                              Layer(conv("b", K=1, C=1, G=64, P=56, Q=56, R=3, S=3))))  # fmt: skip
    found = cosearch.map(network, "arm-cpu", objective="latency")
    placed = ArmCpu().placed(network, {})
    assert found.cycles == sum(ArmCpu().build({}).floor(layer.einsum)[1] for layer in placed.layers)
    assert any(x.einsum.operation == CONVERT for x in placed.layers) == (
        len(placed.layers) > len(network.layers)
    )


def test_the_papers_learner_chooses_no_better_than_the_path_and_for_one_layer_as_well():
    layers = [Layer(conv(f"c{i}", K=8 + i, C=8, P=20, Q=20, R=3, S=3)) for i in range(6)]
    for network in (Network("one", tuple(layers[:1])), Network("six", tuple(layers))):
        machine, times = ArmCpu().build({}), {}
        for choice, episodes in (("shortest-path", 1), ("tabular-q", 200), ("tabular-q", 1)):
            placed = ArmCpu(choice=choice, episodes=episodes).placed(network, {})
            times[choice, episodes] = sum(machine.floor(x.einsum)[1] for x in placed.layers)
        path = times.pop(("shortest-path", 1))
        assert all(time >= path for time in times.values())
        assert times["tabular-q", 200] <= times["tabular-q", 1]
        assert len(network.layers) > 1 or times["tabular-q", 200] == path
