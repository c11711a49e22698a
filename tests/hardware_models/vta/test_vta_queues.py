"""The event-driven simulation on programs small enough to check by hand."""

import pytest

from cosearch_hardware.vta.queues import Instruction, simulate


def test_the_port_serves_one_at_a_time():
    load = [Instruction(10, lines=1)]
    compute = [Instruction(20, lines=1)]
    assert simulate(load, compute, [], 0) == 30


def test_lines_take_turns():
    load = [Instruction(10, lines=3)]
    compute = [Instruction(1, lines=1), Instruction(100)]
    assert simulate(load, compute, [], 0) == 10 + 1 + 100


def test_independent_queues_overlap():
    assert simulate([Instruction(10)], [Instruction(20)], [Instruction(15)], 0) == 20


def test_a_token_makes_compute_wait_for_load():
    load = [Instruction(10, push_next=True)]
    compute = [Instruction(20, pop_prev=True)]
    assert simulate(load, compute, [], 0) == 30


def test_waiting_for_ever_is_an_error():
    with pytest.raises(ValueError, match="deadlock"):
        simulate([Instruction(1, pop_next=True)], [Instruction(1, pop_prev=True)], [], 0)


def test_a_read_waits_for_the_memory_once():
    assert simulate([Instruction(10, lines=3)], [], [], 0, delay=16) == 16 + 30


def test_reads_one_after_another_wait_each():
    assert simulate([Instruction(10, lines=1)] * 2, [], [], 0, delay=16) == 2 * 26


def test_a_read_that_finds_another_does_not_wait_again():
    load, compute = [Instruction(10, lines=1)] * 2, [Instruction(30, lines=1)]
    # the second load begins while the compute queue reads, which waited with the first
    assert simulate(load, compute, [], 0, delay=16) == 16 + 10 + 30 + 10


def test_a_write_does_not_wait_and_passes_a_read_that_does():
    store = [Instruction(5, lines=1)]
    assert simulate([], [], store, 0, delay=16) == 5
    assert simulate([Instruction(10, lines=1)], [], store, 0, delay=16) == 26


def test_a_write_under_way_when_the_memory_is_ready_ends_first():
    store = [Instruction(12, lines=2)]
    assert simulate([Instruction(10, lines=1)], [], store, 0, delay=16) == 24 + 10
