"""A thousand small cases against brute force over everything, and against the walk.

Groups, windows between convolutions, and chains cut into groups in every way. What the search finds
is as good as the best of all prefixes, orders, holds and mappings under the readable model; what it
found is walked through, iteration by iteration, and has the words and the room that the model says.
"""

from __future__ import annotations

import math
import random
from itertools import pairwise
from math import inf, isclose

import pytest

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.group import FusedGroup, slides
from cosearch.loopnest.model.fused import group_cost
from cosearch.loopnest.validity import violations
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.mapping.mapper import Budget
from cosearch.workload.einsum import conv, gemm
from cosearch.workload.link import Link
from cosearch_plugins.mappers.exact.mapper import ExactMapper
from cosearch_plugins.mappers.fused.bodies import Bodies
from cosearch_plugins.mappers.fused.chain import Chain
from cosearch_plugins.mappers.fused.group import GroupSearch
from cosearch_plugins.mappers.fused.network import fuser
from cosearch_plugins.mappers.fused.oracle.brute import best_group, every_group, every_mapping
from cosearch_plugins.mappers.fused.oracle.cases import chain_of, machine_of
from cosearch_plugins.mappers.fused.oracle.walk import walk

WORK = 700
"""Groups times mappings of a case that are all tried."""

WEIGHTS = ((1.0, 0.0), (1.0, 3.0), (1.0, 50.0), (0.25, 100.0))


def tight(pick: random.Random, words: tuple[int, ...]) -> Architecture:
    """Return a machine of a buffer and DRAM."""
    bandwidth = pick.choice((None, 0.5, 1.0))
    return Architecture(
        "tight",
        (
            Memory("buffer", pick.choice(words), AccessEnergy(6.0, 6.0, 7.0)),
            Memory(
                "dram", None, AccessEnergy.uniform(100.0), is_dram=True, shared_bandwidth=bandwidth
            ),
        ),
        Compute(1.0),
    )


def groups(pick: random.Random):
    """Return two or three layers of any kind on a machine with registers."""
    machine = machine_of(pick)
    layers, links = chain_of(pick, pick.choice((2, 2, 3)), largest=3)
    return machine, layers, links


def windows(pick: random.Random):
    """Return two convolutions along a height, the rows between them too many for the buffer."""
    rows, window = 4, pick.choice((2, 2, 3))
    depthwise, stride = pick.random() < 0.4, pick.choice((1, 1, 2))
    channels = 2 if depthwise else pick.choice((1, 2))
    groups = {"G": channels, "K": 1, "C": 1} if depthwise else {"K": 1, "C": channels}
    layers = (
        conv("a", K=channels, C=1, P=1, Q=rows),
        conv("b", **groups, P=1, Q=rows // stride, S=window, stride=(1, stride)),
    )
    axes = (0, 1, 3, 4) if depthwise else (0, 1, 2, 3)
    link = Link(0, 1, "Inputs", axes, written=pick.random() < 0.3)
    return tight(pick, (7, 8, 10, 12, 14)), layers, (link,)


def chains(pick: random.Random):
    """Return three matrix products of one or two columns."""
    rows = pick.choice((2, 3, 4))
    widths = [pick.choice((1, 2, 2)) for _ in range(4)]
    layers = tuple(gemm(f"l{i}", M=rows, K=k, N=n) for i, (k, n) in enumerate(pairwise(widths)))
    links = tuple(Link(i, i + 1, "Inputs", (0, 1), written=pick.random() < 0.3) for i in range(2))
    return tight(pick, (6, 8, 10, 14)), layers, links


def drawn(kind, seed: int):
    """Return a case that is small enough: of its seed, or of the next that is."""
    while True:
        pick = random.Random(seed)
        machine, layers, links = kind(pick)
        if all(math.prod(layer.sizes) <= 24 for layer in layers):
            ways = sum(1 for _ in every_group(layers, links))
            most = max(len(every_mapping(machine, layer, frozenset())) for layer in layers)
            if kind is not groups or ways * most <= WORK:
                return machine, layers, links, pick.choice(WEIGHTS)
        seed += 10**6


def walked(machine: Architecture, group: FusedGroup) -> bool:
    """Return whether words and room of the model are those of a walk.

    Words of sliding windows at the outermost memory are not compared: the model of one layer
    extrapolates overlaps.
    """
    cost, seen = group_cost(machine, group), walk(group)
    for j, member in enumerate(cost.members):
        if member.room != seen.room[j]:
            return False
        tensors = {t.name: t for t in group.layers[j].tensors}
        for moved in member.levels[-1]:
            tensor = tensors[moved.tensor]
            key = j, moved.tensor
            counted = seen.read.get(key, 0), seen.written.get(key, 0)
            if any(slides(group.layers[j], tensor, d) for d in tensor.dims):
                continue
            if (moved.reads, moved.updates) != counted:
                return False
    return True


def group_agrees(kind, seed: int) -> bool:
    machine, layers, links, weights = drawn(kind, seed)
    tried = best_group(machine, layers, links, weights)
    search = GroupSearch(Bodies(SpatialAccelerator(machine)))
    found = search.best(layers, links, weights)
    if search.least(layers, links, weights) > tried.value * (1 + 1e-9):
        return False
    if tried.group is None or found.group is None:
        return tried.group is None and found.group is None
    cost = group_cost(machine, found.group)
    same = isclose(cost.energy_pj, found.energy_pj, rel_tol=1e-9) and cost.cycles == found.cycles
    return same and walked(machine, found.group) and isclose(found.value, tried.value, rel_tol=1e-9)


def alone(machine: Architecture, layer, weights) -> float:
    """Return the best of all mappings of a layer."""
    best = inf
    for mapping in every_mapping(machine, layer, frozenset()):
        if next(violations(machine, layer, mapping), None) is None:
            cost = group_cost(machine, FusedGroup((layer,), mappings=(mapping,)))
            best = min(best, weights[0] * cost.energy_pj + weights[1] * cost.cycles)
    return best


def chain_agrees(seed: int) -> bool:
    machine, layers, links, weights = drawn(chains, seed)
    chain = Chain(layers, links)
    parts = {}
    for first in range(3):
        for end in range(first + 1, 4):
            part = chain.part(first, end)
            several = end - first > 1
            parts[first, end] = (
                best_group(machine, part.layers, part.links, weights).value
                if several
                else alone(machine, part.layers[0], weights)
            )
    cuts = ((0, 3), (0, 1, 3), (0, 2, 3), (0, 1, 2, 3))
    best = min(sum(parts[ends] for ends in pairwise(cut)) for cut in cuts)
    search = fuser(SpatialAccelerator(machine), ExactMapper(), 3, inf, Budget()).chains
    found = search.best(chain, weights)
    value = weights[0] * found.energy_pj + weights[1] * found.cycles
    together = (group for group in found.groups if len(group.layers) > 1)
    return isclose(value, best, rel_tol=1e-9) and all(walked(machine, g) for g in together)


def wrong(seeds: range) -> list[tuple[str, int]]:
    """Return the cases that disagree: three groups to a window and a chain."""
    kinds = ("group", "group", "group", "window", "chain")
    out = []
    for seed in seeds:
        kind = kinds[seed % 5]
        if kind == "chain":
            agrees = chain_agrees(seed)
        else:
            agrees = group_agrees(groups if kind == "group" else windows, seed)
        if not agrees:
            out.append((kind, seed))
    return out


def test_a_few_cases_agree() -> None:
    assert wrong(range(-10, 0)) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("first", range(0, 1000, 100))
def test_a_thousand_cases_agree(first: int) -> None:
    assert wrong(range(first, first + 100)) == []
