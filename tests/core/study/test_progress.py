import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.mapper import Budget
from cosearch.study.progress import ASCII, BLOCKS, Pulse, sparkline
from cosearch.study.trial import State


@pytest.fixture
def pulse(study_of):
    """Return a pulse that has followed a study of twelve trials."""
    study = study_of(strategy="toy-grid:start=60")
    pulse = Pulse()
    later = dict(study.trials)
    study.trials = {}
    pulse.cosearch_study_started(study)
    study.trials = later
    for trial in study.in_order:
        pulse.cosearch_trial_finished(trial)
    return pulse


def test_it_counts_what_ended(pulse):
    assert pulse.counted() == "12/12 trials"
    assert pulse.share_done == 1.0
    assert pulse.seconds_left == 0.0
    assert pulse.counts[State.INFEASIBLE] == 2
    assert "16.7 % infeasible" in pulse.speed()
    assert "trials/s" in pulse.speed()


def test_it_knows_the_best_as_the_study_does(pulse):
    assert pulse.best is pulse.study.best
    assert pulse.history == sorted(pulse.history, reverse=True)
    assert len(pulse.history) == 10
    assert f"(trial {pulse.best.number})" in pulse.standing()
    assert "better than the baseline" in pulse.standing()


def test_a_resumed_study_counts_what_was_there_before(pulse):
    study = pulse.study
    study.header = type(study.header)(study.name, study.header.spec, {}, Budget(trials=24))
    again = Pulse()
    again.cosearch_study_started(study)
    assert again.counted() == "12/24 trials"
    assert again.best is pulse.best
    assert again.rate is None
    assert again.seconds_left is None


def test_before_anything_ended():
    pulse = Pulse()
    assert pulse.standing() == "no feasible design yet"
    assert pulse.speed() == "the first trial is being evaluated"
    assert pulse.share_done is None


def test_a_sparkline_falls_with_its_values():
    assert sparkline([1000.0, 100.0, 10.0, 1.0], 8) == "█▆▃▁"
    assert sparkline([8.0, 1.0], 8, ASCII) == "@_"
    assert sparkline([], 8) == ""
    assert sparkline([5.0, 5.0], 8) == "▁▁"


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=200), st.integers(2, 40))
def test_a_sparkline_has_its_width_and_its_last_value(values, width):
    line = sparkline(values, width)
    assert len(line) == min(width, len(values))
    assert set(line) <= set(BLOCKS)
    if values[-1] == min(values):
        assert line[-1] == BLOCKS[0]
