"""The memory port in slots: against the simulation cycle by cycle, and what slots promise."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cosearch.errors import InputError
from cosearch.workload.einsum import conv
from cosearch_hardware.vta import pipeline
from cosearch_hardware.vta.breakdown import instruction
from cosearch_hardware.vta.model import Vta
from cosearch_hardware.vta.port import Slots
from cosearch_hardware.vta.queues import simulate, simulate_in_slots
from cosearch_hardware.vta.slots import run_in_slots

ALLOWED = (
    pipeline.POP_NEXT | pipeline.PUSH_NEXT,
    15,
    pipeline.POP_PREV | pipeline.PUSH_PREV,
)


def instructions(queue):
    flags = st.integers(0, 15).map(lambda bits: bits & ALLOWED[queue])
    return st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3), flags), max_size=6)


queues = st.tuples(*(instructions(queue) for queue in range(3)))
tables = st.permutations("LLCSS").map("".join)
slot, delay, free = st.integers(1, 7), st.integers(0, 9), st.integers(0, 2)


def packed(queues):
    queues = [[(c + (n > 0), n, f) for c, n, f in queue] for queue in queues]
    length = np.array([len(queue) for queue in queues])
    program = np.zeros((3, max(1, length.max()), 3), dtype=np.int64)
    for i, queue in enumerate(queues):
        program[i, : len(queue)] = np.array(queue).reshape(-1, 3)
    return queues, program, length


def in_words(queues):
    return tuple([instruction(*fields) for fields in queue] for queue in queues)


@settings(max_examples=500, deadline=None)
@given(queues, free, delay, tables, slot)
def test_compiled_equals_cycle_by_cycle(queues, free, delay, table, slot):
    queues, program, length = packed(queues)
    owners = Slots(table, slot).owners
    try:
        cycles = simulate_in_slots(in_words(queues), free, delay, list(owners), slot)
    except ValueError:
        cycles = -1
    assert run_in_slots(program, length, free, delay, owners, slot) == cycles


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2), st.lists(st.tuples(st.integers(1, 12), st.integers(0, 3))), delay, slot)
def test_alone_and_with_every_slot_a_queue_is_as_fast_as_on_demand(queue, own, delay, slot):
    queues = [[], [], []]
    queues[queue] = [(c, n, 0) for c, n in own]
    queues, program, length = packed(queues)
    on_demand = simulate(*in_words(queues), 0, delay)
    owners = np.array([queue], dtype=np.int64)
    assert run_in_slots(program, length, 0, delay, owners, slot) == on_demand


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3)), min_size=1), queues, delay, slot)
def test_what_others_move_changes_nothing(own, others, delay, slot):
    """The load queue's time does not depend on the transfers of queues it takes no tokens of."""
    loads = [(c, n, 0) for c, n in own]
    owners = Slots("LCS", slot).owners
    _, alone, length = packed([loads, [], []])
    expected = run_in_slots(alone, length, 0, delay, owners, slot)
    busy = [[(c, n, 0) for c, n, _ in queue] for queue in others[1:]]
    _, together, lengths = packed([loads, *busy])
    found = run_in_slots(together, lengths, 0, delay, owners, slot)
    rest = run_in_slots(*packed([[], *busy])[1:], 0, delay, owners, slot)
    assert found == max(expected, rest)


@given(st.integers(0, 60), st.integers(0, 60), tables, slot, st.integers(0, 2))
def test_a_transfer_ends_when_its_own_slots_add_up(start, work, table, slot, queue):
    owners = Slots(table, slot).owners
    now, left = start, work
    while left:
        left -= owners[(now // slot) % len(owners)] == queue
        now += 1
    words = [(), (), ()]
    words[queue] = ((start, 0, 0), (work, 1, 0)) if work else ((start, 0, 0),)
    _, program, length = packed_exactly(words)
    assert run_in_slots(program, length, 0, 0, owners, slot) == now


def packed_exactly(queues):
    length = np.array([len(queue) for queue in queues])
    program = np.zeros((3, max(1, length.max()), 3), dtype=np.int64)
    for i, queue in enumerate(queues):
        program[i, : len(queue)] = np.array(queue).reshape(-1, 3)
    return queues, program, length


def test_a_machine_in_slots_maps_explains_and_is_never_faster():
    layer = conv(K=32, C=32, P=7, Q=7, R=3, S=3)
    shared, slotted = Vta().build({}), Vta(slots="LLCS", slot_cycles=8).build({})
    assert shared.key != slotted.key
    space = slotted.mapspace(layer)
    rows, _ = space.sample_feasible(40, np.random.default_rng(0))
    on_demand, in_slots = shared.evaluate(layer, rows), slotted.evaluate(layer, rows)
    assert (in_slots.cycles >= on_demand.cycles).all()
    assert (in_slots.energy_pj == on_demand.energy_pj).all()
    assert (slotted.bounds(layer, rows)[1] <= in_slots.cycles).all()
    for row, cycles in list(zip(rows, in_slots.cycles, strict=True))[:3]:
        assert slotted.explain(layer, row).cycles == cycles


@pytest.mark.parametrize("table", ["LC", "LCX", ""])
def test_a_table_that_starves_a_queue_is_refused(table):
    with pytest.raises(InputError, match="at least once"):
        Vta(slots=table)


@settings(max_examples=150, deadline=None)
@given(queues, free, delay, slot)
def test_a_program_is_not_faster_in_slots(queues, free, delay, slot):
    queues, program, length = packed(queues)
    try:
        on_demand = simulate(*in_words(queues), free, delay)
    except ValueError:
        assume(False)
    owners = Slots("LCS", slot).owners
    assert run_in_slots(program, length, free, delay, owners, slot) >= on_demand
