"""What brute force has to notice: a search that forgets something is found out."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import cache
from math import isclose

import pytest
from attrs import evolve

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.group import FusedGroup
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.workload.einsum import Einsum, gemm
from cosearch.workload.link import Link
from cosearch_plugins.mappers.fused import group as group_module
from cosearch_plugins.mappers.fused import options
from cosearch_plugins.mappers.fused.bodies import Bodies
from cosearch_plugins.mappers.fused.coarser import Coarser
from cosearch_plugins.mappers.fused.group import GroupSearch
from cosearch_plugins.mappers.fused.oracle.brute import best_group

LINKS = (Link(0, 1, "Inputs", (0, 1)),)
WRITTEN = (Link(0, 1, "Inputs", (0, 1), written=True),)


def case(seed: int) -> tuple[Architecture, tuple[Einsum, ...]]:
    """Return a pair whose intermediate is too large for the buffer: a prefix has to cut it."""
    pick = random.Random(seed)
    m, n = pick.choice(((4, 4), (2, 4), (4, 2), (2, 6), (3, 4)))
    k, out = pick.choice((1, 2)), pick.choice((1, 2))
    machine = Architecture(
        "tight",
        (
            Memory("buffer", pick.choice((8, 10, 12)), AccessEnergy(6.0, 6.0, 7.0)),
            Memory("dram", None, AccessEnergy.uniform(100.0), is_dram=True),
        ),
        Compute(1.0),
    )
    return machine, (gemm("a", M=m, K=k, N=n), gemm("b", M=m, K=n, N=out))


@cache
def best_of_all(seed: int, links: tuple[Link, ...]) -> float:
    machine, layers = case(seed)
    return best_group(machine, layers, links, (1.0, 0.0)).value


def wrong(seeds: range, links: tuple[Link, ...] = LINKS) -> list[int]:
    out = []
    for seed in seeds:
        machine, layers = case(seed)
        tried = best_of_all(seed, links)
        found = GroupSearch(Bodies(SpatialAccelerator(machine))).best(layers, links, (1.0, 0.0))
        same = math.isinf(tried) and math.isinf(found.value)
        if not (same or isclose(found.value, tried, rel_tol=1e-9)):
            out.append(seed)
    return out


def without_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    own = group_module.cuts
    monkeypatch.setattr(
        group_module, "cuts", lambda a, x, y, k: own(a, x, y, tuple(frozenset() for _ in k))
    )


def in_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    own = options.prefixes

    def one(layers: tuple[Einsum, ...], links: tuple[Link, ...]) -> list[FusedGroup]:
        groups = own(layers, links)
        return [g for g in groups if list(g.prefix) == sorted(g.prefix, key=lambda p: p.dims)[::-1]]

    monkeypatch.setattr(options, "prefixes", one)


def first_visits_in_every_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        GroupSearch,
        "_question",
        lambda self, option, j, own=GroupSearch._question: evolve(own(self, option, j), visits=1),
    )


def without_others_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    def question(self: GroupSearch, option: object, j: int, own=GroupSearch._question):
        others = sum(c.room for c in option.choices if c.member != j)
        asked = own(self, option, j)
        return evolve(asked, room=asked.room + others)

    monkeypatch.setattr(GroupSearch, "_question", question)


def test_tight_pairs_agree() -> None:
    assert wrong(range(12)) == []
    assert wrong(range(6), WRITTEN) == []


def test_a_search_that_writes_nothing_through_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "written_through", lambda *_: {})
    assert wrong(range(6), WRITTEN)


def test_bounds_that_take_coarser_bodies_for_dearer_are_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = Coarser.least
    monkeypatch.setattr(Coarser, "least", lambda self, body, home: 4 * own(self, body, home))
    assert wrong(range(12))


@pytest.mark.parametrize(
    "mutate",
    [without_holds, in_one_order, first_visits_in_every_body, without_others_tiles],
)
def test_a_search_that_forgets_is_noticed(
    mutate: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate(monkeypatch)
    assert wrong(range(12))
