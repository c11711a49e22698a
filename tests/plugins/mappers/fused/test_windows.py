"""Two convolutions whose rows do not fit, against brute force: windows that slide across parts."""

from __future__ import annotations

import random
from math import isclose

import pytest

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.group import FusedGroup
from cosearch.loopnest.model.fused import group_cost
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.workload.einsum import Einsum, conv
from cosearch.workload.link import Link
from cosearch_plugins.mappers.fused.bodies import Bodies
from cosearch_plugins.mappers.fused.group import GroupSearch
from cosearch_plugins.mappers.fused.oracle.brute import best_group
from cosearch_plugins.mappers.fused.oracle.walk import walk


def case(
    seed: int,
) -> tuple[Architecture, tuple[Einsum, ...], tuple[Link, ...], tuple[float, float]]:
    pick = random.Random(seed)
    rows, window = pick.choice((4, 6)), pick.choice((1, 2, 2, 3))
    depthwise = pick.random() < 0.5
    machine = Architecture(
        "tight",
        (
            Memory("buffer", pick.choice((10, 12, 14, 16)), AccessEnergy(6.0, 6.0, 7.0)),
            Memory(
                "dram",
                None,
                AccessEnergy.uniform(100.0),
                is_dram=True,
                shared_bandwidth=pick.choice((None, 0.5, 1.0)),
            ),
        ),
        Compute(1.0),
    )
    first = conv("a", K=2, C=1, P=1, Q=rows)
    second = conv(
        "b",
        K=1,
        C=1 if depthwise else 2,
        G=2 if depthwise else 1,
        P=1,
        Q=rows // 2 if window > 1 and pick.random() < 0.3 else rows,
        S=window,
        stride=(1, 1),
    )
    if second.bounds["Q"] < rows:
        second = conv("b", K=1, C=2, P=1, Q=rows // 2, S=window, stride=(1, 2))
        depthwise = False
    link = Link(0, 1, "Inputs", (0, 1, 3, 4) if depthwise else (0, 1, 2, 3))
    return machine, (first, second), (link,), pick.choice(((1.0, 0.0), (1.0, 20.0)))


def compared(seed: int) -> tuple[bool, FusedGroup | None]:
    """Return whether a case agrees, and the best group."""
    machine, layers, links, weights = case(seed)
    tried = best_group(machine, layers, links, weights)
    found = GroupSearch(Bodies(SpatialAccelerator(machine))).best(layers, links, weights)
    if tried.group is None or found.group is None:
        return tried.group is found.group, None
    cost = group_cost(machine, found.group)
    confirmed = cost.cycles == found.cycles and isclose(
        cost.energy_pj, found.energy_pj, rel_tol=1e-9
    )
    seen = walk(found.group)
    walked = [m.room for m in cost.members] == [seen.room[j] for j in range(len(layers))]
    return confirmed and walked and isclose(found.value, tried.value, rel_tol=1e-9), found.group


def test_windows_are_the_best_of_all() -> None:
    results = [compared(seed) for seed in range(6)]
    assert all(agrees for agrees, _ in results)
    groups = [group for _, group in results if group is not None]
    assert any(group.window(group.links[0]).words for group in groups)


@pytest.mark.exhaustive
@pytest.mark.parametrize("first", range(6, 506, 50))
def test_many_windows_are_the_best_of_all(first: int) -> None:
    assert [seed for seed in range(first, first + 50) if not compared(seed)[0]] == []
