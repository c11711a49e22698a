"""Fused groups: the model against a walk of the schedule, and against the model of one layer."""

from __future__ import annotations

import random

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import CosearchError, Infeasible
from cosearch.loopnest.group import FusedGroup, Held, PrefixLoop, joint_dims, slides
from cosearch.loopnest.model.fused import group_cost, held_words
from cosearch.loopnest.model.reference import analyse
from cosearch.machine.architecture import Partition
from cosearch.workload.einsum import gemm
from cosearch.workload.link import Link
from cosearch_plugins.mappers.fused.oracle.cases import chain_of, group_of, machine_of, mapping_of
from cosearch_plugins.mappers.fused.oracle.walk import walk

PAIR = (gemm("a", M=4, K=2, N=6), gemm("b", M=4, K=6, N=3))
LINKS = (Link(0, 1, "Inputs", (0, 1)),)


def random_group(seed: int, members: int) -> tuple:
    pick = random.Random(seed)
    machine = machine_of(pick, room=200)
    registers = evolve(machine.levels[0], entries=40)
    machine = evolve(machine, levels=(registers, *machine.levels[1:]))
    layers, links = chain_of(pick, members)
    group = group_of(pick, layers, links)
    mappings = tuple(mapping_of(pick, machine, group, j) for j in range(members))
    return machine, evolve(group, mappings=mappings)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**9), st.integers(2, 3))
def test_words_and_room_are_those_of_a_walk(seed: int, members: int) -> None:
    machine, group = random_group(seed, members)
    try:
        found = group_cost(machine, group)
    except Infeasible:
        return
    seen = walk(group)
    for j, member in enumerate(found.members):
        assert member.room == seen.room[j]
        for moved in member.levels[-1]:
            tensor = next(t for t in group.layers[j].tensors if t.name == moved.tensor)
            if any(slides(group.layers[j], tensor, d) for d in tensor.dims):
                continue  # the model of one layer extrapolates overlaps of tiles
            key = (j, moved.tensor)
            assert moved.reads == seen.read[key]
            assert moved.updates == seen.written.get(key, 0)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**9))
def test_a_layer_alone_costs_what_it_always_did(seed: int) -> None:
    pick = random.Random(seed)
    machine = machine_of(pick)
    (layer,), _ = chain_of(pick, 1)
    group = FusedGroup((layer,))
    group = evolve(group, mappings=(mapping_of(pick, machine, group, 0),))
    try:
        alone = analyse(machine, layer, group.mappings[0])
    except Infeasible:
        with pytest.raises(Infeasible):
            group_cost(machine, group)
        return
    found = group_cost(machine, group)
    assert (found.energy_pj, found.cycles) == (alone.energy_pj, alone.cycles)


def test_a_held_tensor_comes_as_often_as_its_tile_changes() -> None:
    machine = machine_of(random.Random(0), room=200)
    (m, _), (n, _) = joint_dims(PAIR, LINKS)
    assert (m, n) == (("M", "M"), ("N", "K"))
    group = FusedGroup(PAIR, LINKS, (PrefixLoop(2, m), PrefixLoop(3, n)))
    weights, result = Held(0, "Weights", 2), Held(1, "Outputs", 2)
    assert held_words(machine, group, weights) == (2 * 12, 0)  # the outer loop moves nothing
    assert held_words(machine, group, Held(0, "Weights", 0)) == (12, 0)
    assert held_words(machine, group, result) == (0, 12)  # n reduces inside: the tile stays
    other = evolve(group, prefix=group.prefix[::-1])
    assert held_words(machine, other, result) == (2 * 12, 3 * 12)


def test_a_sliding_window_keeps_the_rows_that_are_read_again() -> None:
    from cosearch.workload.einsum import conv

    layers = (conv("a", K=4, C=1, P=5, Q=4), conv("b", K=1, C=4, P=3, Q=4, R=3, S=3))
    links = (Link(0, 1, "Inputs", (0, 1, 2, 3)),)
    joint = dict(joint_dims(layers, links))
    assert joint == {("N", "N"): False, ("K", "C"): False, ("P", "P"): True, ("Q", "Q"): True}
    rows, channels = PrefixLoop(2, ("Q", "Q")), PrefixLoop(2, ("K", "C"))
    group = FusedGroup(layers, links, (rows, channels))
    window = group.window(links[0])
    assert (window.words, window.inside) == (2 * 5 * 2, 2)
    with pytest.raises(CosearchError, match="along one loop"):
        evolve_and_price(group, (rows, PrefixLoop(3, ("P", "P"))))


def evolve_and_price(group: FusedGroup, prefix: tuple[PrefixLoop, ...]) -> None:
    layers = tuple(evolve(x, sizes=(1, *x.sizes[1:3], 3, *x.sizes[4:])) for x in group.layers)
    group_cost(machine_of(random.Random(0)), evolve(group, layers=layers, prefix=prefix))


def test_what_may_not_be_cut_is_refused() -> None:
    whole = (evolve(LINKS[0], whole=(1,)),)
    assert [dims for dims, _ in joint_dims(PAIR, whole)] == [("M", "M")]
    group = FusedGroup(PAIR, whole, (PrefixLoop(2, ("N", "K")),))
    with pytest.raises(CosearchError, match="no loop over N K may be outside"):
        group_cost(machine_of(random.Random(0)), group)


def test_a_level_in_parts_fuses_nothing() -> None:
    machine = machine_of(random.Random(0))
    buffer = evolve(
        machine.levels[1], partitions={"Weights": Partition(4, machine.levels[1].energy)}
    )
    parted = evolve(machine, levels=(machine.levels[0], buffer, machine.levels[2]))
    with pytest.raises(CosearchError, match="partitioned by role"):
        group_cost(parted, FusedGroup(PAIR, LINKS))
