"""The compiled queues against the event-driven simulation, and its bounds and counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch_hardware.vta import pipeline
from cosearch_hardware.vta.breakdown import instruction, simulated
from cosearch_hardware.vta.queues import simulate

few = st.integers(1, 5)
time = st.one_of(st.just(0), st.integers(0, 60))
"""Often nothing: instructions of no length make several things happen in one moment."""

schedules = st.builds(
    pipeline.Schedule,
    spatial_tiles=few,
    channel_tiles=few,
    reduction_tiles=st.integers(1, 4),
    spatial_inside=st.integers(0, 1),
    threads=st.integers(1, 2),
    repeats=st.integers(1, 3),
    inp_lines=few,
    inp_line=time,
    wgt_lines=few,
    wgt_line=time,
    acc_line=time,
    uop_line=time,
    store_lines=few,
    store_line=time,
    reset=time,
    gemm=time,
    alu=time,
)


alu_schedules = st.builds(
    pipeline.AluSchedule,
    tiles=st.integers(1, 12),
    steps=st.integers(1, 4),
    threads=st.integers(1, 2),
    operands=st.integers(1, 2),
    load_lines=few,
    load_line=time,
    parameter_line=time,
    uop_line=time,
    store_lines=few,
    store_line=time,
    step=time,
    finish=time,
)
delays = st.integers(0, 40)
RANDOM = settings(max_examples=1_000, deadline=None)


@RANDOM
@given(schedules, delays)
def test_compiled_equals_event_driven_on_the_gemm_core(schedule, delay):
    row = np.array(schedule)
    assert pipeline.latency(row[None, :], delay)[0] == simulated(schedule, delay)


@RANDOM
@given(alu_schedules, delays)
def test_compiled_equals_event_driven_on_the_alu(schedule, delay):
    row = np.array(schedule)
    assert pipeline.alu_latency(row[None, :], delay)[0] == simulated(schedule, delay)


def instructions(queue):
    flags = st.integers(0, 15).map(lambda bits: bits & ALLOWED[queue])
    return st.lists(st.tuples(time, st.integers(0, 4), flags), max_size=8)


ALLOWED = (
    pipeline.POP_NEXT | pipeline.PUSH_NEXT,
    15,
    pipeline.POP_PREV | pipeline.PUSH_PREV,
)
"""Load has no queue before it, store none behind it."""


@RANDOM
@given(st.tuples(*(instructions(queue) for queue in range(3))), st.integers(0, 3), delays)
def test_compiled_equals_event_driven_on_any_program(queues, free, delay):
    queues = [[(c + (n > 0), n, f) for c, n, f in queue] for queue in queues]
    length = np.array([len(queue) for queue in queues])
    program = np.zeros((3, max(1, length.max()), 3), dtype=np.int64)
    for i, queue in enumerate(queues):
        program[i, : len(queue)] = np.array(queue).reshape(-1, 3)
    try:
        expected = simulate(*([instruction(*x) for x in q] for q in queues), free, delay)
    except ValueError:
        expected = -1
    assert pipeline.run(program, length, free, delay) == expected


@RANDOM
@given(schedules, delays)
def test_no_run_beats_its_bound(schedule, delay):
    table = np.array(schedule)[None, :]
    assert pipeline.bounds(table, delay)[0] <= pipeline.latency(table, delay)[0]


@RANDOM
@given(alu_schedules, delays)
def test_no_run_on_the_alu_beats_its_bound(schedule, delay):
    table = np.array(schedule)[None, :]
    assert pipeline.alu_bounds(table, delay)[0] <= pipeline.alu_latency(table, delay)[0]


@settings(max_examples=300, deadline=None)
@given(schedules)
def test_fetches_are_those_of_the_program(schedule):
    inputs_only = schedule._replace(inp_line=1, inp_lines=1, wgt_line=0)
    weights_only = schedule._replace(inp_line=0, wgt_line=1, wgt_lines=1)
    inp, wgt = pipeline.fetches(np.array(schedule)[None, :])
    for one, found in ((inputs_only, inp), (weights_only, wgt)):
        program, length = pipeline.programs(one)
        assert program[pipeline.LOAD, : length[pipeline.LOAD], 0].sum() == found[0]


def schedule(**fields):
    return pipeline.Schedule(**{**dict.fromkeys(pipeline.Schedule._fields, 1), **fields})


def test_one_task_runs_its_stages_one_after_another():
    one = schedule(
        inp_line=10, wgt_line=20, acc_line=3, uop_line=5, store_line=40, reset=7, gemm=99, alu=9
    )
    # the micro-ops and the bias take turns with the inputs and weights on the port
    assert simulated(one, 0) == (10 + 5 + 20 + 3) + 7 + 99 + 9 + 40


@pytest.mark.parametrize(("threads", "cycles"), [(1, 4 * 200), (2, 100 + 4 * 100)])
def test_two_virtual_threads_hide_the_loads(threads, cycles):
    nothing = dict.fromkeys(("wgt_line", "acc_line", "uop_line", "store_line", "reset", "alu"), 0)
    found = schedule(**nothing, spatial_tiles=4, threads=threads, inp_line=100, gemm=100)
    assert simulated(found, 0) == cycles


def test_a_short_transfer_waits_for_one_line_only():
    found = schedule(spatial_tiles=2, threads=2, inp_lines=50, inp_line=10, acc_line=1)
    alone = found._replace(acc_line=0)
    assert simulated(found, 0) - simulated(alone, 0) < 20


def test_one_task_on_the_alu_runs_its_stages_one_after_another():
    stages = {"load_line": 10, "parameter_line": 20, "uop_line": 5, "store_line": 40}
    ones = dict.fromkeys(pipeline.AluSchedule._fields, 1)
    one = pipeline.AluSchedule(**{**ones, **stages, "operands": 2, "step": 7, "finish": 9})
    assert simulated(one, 0) == 5 + 20 + 2 * 10 + 7 + 9 + 40
    assert simulated(one, 16) == simulated(one, 0) + 4 * 16
