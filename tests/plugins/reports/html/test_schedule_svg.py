"""The drawing of a schedule: its tiles add up to the model's room, in every moment."""

from __future__ import annotations

import random
import re

import pytest
from attrs import evolve

from cosearch.errors import Infeasible
from cosearch.loopnest.model.fused import group_cost
from cosearch_plugins.mappers.fused.oracle.cases import (
    KINDS,
    chain_of,
    group_of,
    machine_of,
    mapping_of,
)
from cosearch_plugins.reports.html.schedule_svg import occupants, schedule_svg


def drawn(seed):
    pick = random.Random(seed)
    machine = machine_of(pick, 400)
    machine = evolve(machine, levels=(evolve(machine.levels[0], entries=99), *machine.levels[1:]))
    group = group_of(pick, *chain_of(pick, pick.choice((2, 3)), pick.choice(KINDS)))
    members = range(len(group.layers))
    return machine, evolve(
        group, mappings=tuple(mapping_of(pick, machine, group, j) for j in members)
    )


@pytest.mark.parametrize("seed", range(60))
def test_what_is_live_adds_up_to_the_room(seed):
    machine, group = drawn(seed)
    try:
        cost = group_cost(machine, group)
    except Infeasible:
        pytest.skip("this random mapping fits nowhere")
    names = [layer.name for layer in group.layers]
    for j, member in enumerate(cost.members):
        live = occupants(group, cost, names, j)
        assert sum(tile.words for tile in live) == member.room
        assert all(tile.words > 0 for tile in live)
    picture = schedule_svg(machine, group, names)
    assert all(f">{name}<" in picture for name in names)
    told = [int(x.replace(",", "")) for x in re.findall(r"([\d,]+) words</title>", picture)]
    assert sum(told) == sum(member.room for member in cost.members)
