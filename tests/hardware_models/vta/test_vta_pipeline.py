"""The compiled queues against the event-driven simulation, and its bounds and counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch_hardware.vta import pipeline
from cosearch_hardware.vta.breakdown import simulated

few, time = st.integers(1, 5), st.integers(0, 60)

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


@settings(max_examples=300, deadline=None)
@given(schedules)
def test_compiled_equals_event_driven(schedule):
    row = np.array(schedule)
    assert pipeline.latency(row[None, :])[0] == simulated(row)


@settings(max_examples=300, deadline=None)
@given(schedules)
def test_no_run_beats_its_bound(schedule):
    table = np.array(schedule)[None, :]
    assert pipeline.bounds(table)[0] <= pipeline.latency(table)[0]


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
    assert simulated(np.array(one)) == (10 + 5 + 20 + 3) + 7 + 99 + 9 + 40


@pytest.mark.parametrize(("threads", "cycles"), [(1, 4 * 200), (2, 100 + 4 * 100)])
def test_two_virtual_threads_hide_the_loads(threads, cycles):
    nothing = dict.fromkeys(("wgt_line", "acc_line", "uop_line", "store_line", "reset", "alu"), 0)
    found = schedule(**nothing, spatial_tiles=4, threads=threads, inp_line=100, gemm=100)
    assert simulated(np.array(found)) == cycles


def test_a_short_transfer_waits_for_one_line_only():
    found = schedule(spatial_tiles=2, threads=2, inp_lines=50, inp_line=10, acc_line=1)
    alone = found._replace(acc_line=0)
    assert simulated(np.array(found)) - simulated(np.array(alone)) < 20
