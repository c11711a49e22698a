"""Groups against brute force: every prefix, order, hold and mapping, under the readable model."""

from __future__ import annotations

import math
import random
from math import isclose

import pytest
from attrs import evolve

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.model.fused import group_cost
from cosearch.machine.architecture import Architecture
from cosearch.workload.einsum import Einsum
from cosearch.workload.link import Link
from cosearch_plugins.mappers.fused import group
from cosearch_plugins.mappers.fused.bodies import Bodies
from cosearch_plugins.mappers.fused.group import GroupSearch
from cosearch_plugins.mappers.fused.oracle.brute import best_group, every_group, every_mapping
from cosearch_plugins.mappers.fused.oracle.cases import chain_of, machine_of

WORK = 3000
"""Groups times mappings of a case that are still all tried."""


def case(seed: int) -> tuple[Architecture, tuple[Einsum, ...], tuple[Link, ...], tuple]:
    pick = random.Random(seed)
    machine = machine_of(pick)
    layers, links = chain_of(pick, pick.choice((2, 2, 2, 3)), largest=3)
    weights = pick.choice(((1.0, 0.0), (1.0, 3.0), (1.0, 50.0), (0.25, 100.0)))
    return machine, layers, links, weights


def small(machine: Architecture, layers: tuple[Einsum, ...], links: tuple[Link, ...]) -> bool:
    if any(math.prod(layer.sizes) > 24 for layer in layers):
        return False
    mappings = max(len(every_mapping(machine, layer, frozenset())) for layer in layers)
    return mappings * sum(1 for _ in every_group(layers, links)) <= WORK


def agrees(seed: int) -> bool | None:
    """Return whether a case agrees; None where it is too large to be tried."""
    machine, layers, links, weights = case(seed)
    if not small(machine, layers, links):
        return None
    tried = best_group(machine, layers, links, weights)
    for dominance in (True, False):
        search = GroupSearch(Bodies(SpatialAccelerator(machine)), dominance=dominance)
        found = search.best(layers, links, weights)
        if tried.group is None or found.group is None:
            if (tried.group is None) != (found.group is None):
                return False
            continue
        cost = group_cost(machine, found.group)
        confirmed = isclose(cost.energy_pj, found.energy_pj, rel_tol=1e-9)
        if not (confirmed and cost.cycles == found.cycles):
            return False
        if not isclose(found.value, tried.value, rel_tol=1e-9):
            return False
    return True


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_groups_are_the_best_of_all(first: int) -> None:
    assert [s for s in range(first, first + 10) if agrees(s) is False] == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("first", range(40, 2000, 40))
def test_many_groups_are_the_best_of_all(first: int) -> None:
    assert [s for s in range(first, first + 40) if agrees(s) is False] == []


def test_more_room_is_never_worse() -> None:
    for seed in range(6):
        machine, layers, links, weights = case(seed)
        values = []
        for room in (8, 16, 64):
            level = evolve(machine.levels[1], entries=room)
            roomy = evolve(machine, levels=(machine.levels[0], level, machine.levels[2]))
            search = GroupSearch(Bodies(SpatialAccelerator(roomy)))
            values.append(search.best(layers, links, weights).value)
        assert values == sorted(values, reverse=True)


def clocked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what was refined; it is the clock."""
    refine, refined = GroupSearch._refine, list[object]()

    def refining(self: GroupSearch, *of: object) -> bool:
        refined.append(of)
        return refine(self, *of)

    monkeypatch.setattr(GroupSearch, "_refine", refining)
    monkeypatch.setattr(group.time, "perf_counter", lambda: len(refined))
    return refined


def test_a_finished_best_is_kept_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    machine, layers, links, weights = case(0)
    refined = clocked(monkeypatch)
    best = GroupSearch(Bodies(SpatialAccelerator(machine))).best(layers, links, weights)
    end = len(refined)
    assert best.group is not None
    for early in (0, 1):
        refined.clear()
        search = GroupSearch(Bodies(SpatialAccelerator(machine)), end - early)
        found = search.best(layers, links, weights)
        assert (found.group == best.group) == (not early)
        assert found.least <= best.value


def test_the_first_option_alone_is_finished_where_patience_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine, layers, links, weights = case(0)
    clocked(monkeypatch)
    search = GroupSearch(Bodies(SpatialAccelerator(machine)), patience=1)
    best = search.best(layers, links, weights)
    assert best.cut_short
    assert best.group is not None


@pytest.mark.parametrize("deadline", [2, 3])
def test_options_are_finished_until_the_deadline_only(
    deadline: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, layers, links, weights = case(0)
    refined = clocked(monkeypatch)
    search = GroupSearch(Bodies(SpatialAccelerator(machine)), deadline, patience=1)
    assert search.best(layers, links, weights).group is None
    assert len(refined) == deadline
