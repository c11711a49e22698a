"""The fewest words at the outermost memory: never more than what any mapping moves."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from attrs import evolve

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.model.fused import group_cost
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.network import Layer, Network
from cosearch_plugins.mappers.fused.mapper import FusedMapper
from cosearch_plugins.mappers.fused.oracle.brute import best_group
from cosearch_plugins.mappers.fused.oracle.cases import chain_of, machine_of
from cosearch_plugins.mappers.fused.traffic import counting_words, least_traffic


def network(seed: int):
    pick = random.Random(seed)
    machine = machine_of(pick, 16)
    layers, links = chain_of(pick, 2, largest=3)
    return machine, Network("net", tuple(map(Layer, layers)), links=links)


@pytest.mark.parametrize("seed", range(2))
def test_what_is_found_for_another_aim_moves_no_fewer_words(seed):
    machine, net = network(seed)
    bound = least_traffic(SpatialAccelerator(machine), net, 16, 2)
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
    bound = least_traffic(SpatialAccelerator(machine), net, 16, 2)
    counting = counting_words(SpatialAccelerator(machine), 16).architecture
    tried = best_group(counting, tuple(x.einsum for x in net.layers), net.links, (1.0, 0.0))
    assert bound.together == min(bound.alone, tried.value)


def test_more_room_moves_no_more_words_and_in_the_end_each_tensor_once():
    machine, net = network(2)
    points = [least_traffic(SpatialAccelerator(machine), net, n, 2) for n in (8, 16, 64, None)]
    for smaller, larger in pairwise(points):
        assert larger.alone <= smaller.alone
        assert larger.together <= smaller.together
    assert points[-1].alone == points[-1].once
    unlinked = least_traffic(SpatialAccelerator(machine), evolve(net, links=()), 16, 2)
    assert unlinked.together == unlinked.alone
