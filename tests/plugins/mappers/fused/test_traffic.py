"""The fewest words at the outermost memory: never more than what any mapping moves."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from attrs import evolve

import cosearch
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.group import FusedGroup
from cosearch.loopnest.model.fused import group_cost
from cosearch.loopnest.validity import violations
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import conv, gemm
from cosearch.workload.network import Layer, Network
from cosearch_plugins.mappers.exact.counting import counting_words
from cosearch_plugins.mappers.exact.mapper import ExactMapper
from cosearch_plugins.mappers.fused.mapper import FusedMapper
from cosearch_plugins.mappers.fused.oracle.brute import best_group, every_mapping
from cosearch_plugins.mappers.fused.oracle.cases import chain_of, machine_of
from cosearch_plugins.mappers.fused.traffic import least_traffic


def network(seed: int):
    pick = random.Random(seed)
    machine = machine_of(pick, 16)
    layers, links = chain_of(pick, 2, largest=3)
    return machine, Network("net", tuple(map(Layer, layers)), links=links)


def fewest(machine, net, words):
    return least_traffic(FusedMapper(), SpatialAccelerator(machine), net, words, 2, Budget())


@pytest.mark.parametrize("seed", range(2))
def test_what_is_found_for_another_aim_moves_no_fewer_words(seed):
    machine, net = network(seed)
    bound = fewest(machine, net, 16)
    assert bound.gap == 0
    assert bound.together <= bound.alone
    for name in ("edp", "energy", "latency"):
        aim = next(o for o in OBJECTIVES if o.name == name)
        found = FusedMapper().fuse(SpatialAccelerator(machine), net, aim, Budget(), 2)
        assert sum(r.count * group_cost(machine, r.group).outermost_words for r in found.runs) >= (
            bound.together
        )


def test_it_is_the_least_of_all_groups():
    machine, net = network(1)
    bound = fewest(machine, net, 16)
    counting = counting_words(SpatialAccelerator(machine), 16).architecture
    tried = best_group(counting, tuple(x.einsum for x in net.layers), net.links, (1.0, 0.0))
    assert bound.together == min(bound.alone, tried.value)


def test_more_room_moves_no_more_words_and_in_the_end_each_tensor_once():
    machine, net = network(2)
    points = [fewest(machine, net, n) for n in (8, 16, 64, None)]
    for smaller, larger in pairwise(points):
        assert larger.alone <= smaller.alone
        assert larger.together <= smaller.together
    assert points[-1].alone == points[-1].once
    unlinked = fewest(machine, evolve(net, links=()), 16)
    assert unlinked.together == unlinked.alone


def one_buffer(words: int) -> Architecture:
    """A buffer that takes any tiles, and DRAM."""
    return Architecture(
        "one buffer",
        (
            Memory("buffer", words, AccessEnergy.uniform(6.0)),
            Memory("dram", None, AccessEnergy.uniform(100.0), is_dram=True),
        ),
        Compute(1.0),
    )


def words_of_all(machine: Architecture, layer) -> list[int]:
    """Return the words at DRAM of every mapping that can be run."""
    return [
        group_cost(machine, FusedGroup((layer,), mappings=(mapping,))).outermost_words
        for mapping in every_mapping(machine, layer, frozenset())
        if next(violations(machine, layer, mapping), None) is None
    ]


@pytest.mark.parametrize("words", [6, 10, 13, 24])
@pytest.mark.parametrize(
    "layer",
    [
        gemm("g", M=4, N=6, K=3),
        gemm("tall", M=8, N=2, K=4),
        conv("c", K=2, C=2, P=1, Q=4, S=3),
        conv("strided", K=2, C=1, P=1, Q=4, S=2, stride=(1, 2)),
    ],
    ids=lambda layer: layer.name,
)
def test_with_one_buffer_no_mapping_beats_it_and_one_reaches_it(layer, words):
    machine = one_buffer(words)
    net = Network("net", (Layer(layer),))
    found = ExactMapper().least_traffic(SpatialAccelerator(machine), net, Budget(), 1)
    assert (found.words, found.gap, found.alone) == (words, 0, found.together)
    assert min(words_of_all(machine, layer)) == found.least


@pytest.mark.parametrize("seed", range(3))
def test_no_mapping_of_a_deeper_machine_beats_it(seed):
    machine, net = network(seed)
    for layer in net.layers:
        alone = Network("one", (layer,))
        found = ExactMapper().least_traffic(SpatialAccelerator(machine), alone, Budget(), 1)
        assert min(words_of_all(machine, layer.einsum)) >= found.least


def test_a_search_that_ends_early_claims_no_more_than_it_proved():
    """A limit of nodes leaves a gap, by which the line is lower."""
    model = cosearch.hardware("eyeriss")
    machine = model.build({**model.baseline, "buffer_kb": 28})
    net = Network("net", (Layer(gemm("g", M=512, N=768, K=768)),))
    whole = ExactMapper().least_traffic(machine, net, Budget(), 1)
    cut = ExactMapper(nodes=1).least_traffic(machine, net, Budget(), 1)
    assert cut.gap > 0
    assert cut.least <= whole.least <= cut.together


def test_nothing_is_claimed_where_layers_are_rounded_up():
    layer = gemm("g", M=5, N=7, K=3)
    machine, net = SpatialAccelerator(one_buffer(12)), Network("net", (Layer(layer),))
    assert ExactMapper(imperfect="all").least_traffic(machine, net, Budget(), 1) is None
