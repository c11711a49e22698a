import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosearch.mapping.mapper import Budget
from cosearch.study.progress import ASCII, BLOCKS, Pulse, sparkline
from cosearch.trials.trial import State


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


def test_what_comes_before_the_first_trial_says_nothing_of_the_speed(pulse, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("cosearch.study.progress.time.monotonic", lambda: now[0])
    study, again = pulse.study, Pulse()
    trials, study.trials = study.in_order, {}
    again.cosearch_study_started(study)
    now[0] = 1100.0  # compiled, and evaluated the baseline
    again.cosearch_trial_finished(trials[0])
    assert again.rate is None
    assert again.seconds_left is None
    assert "trials/s" not in again.speed()
    now[0] = 1102.0
    again.cosearch_trial_finished(trials[1])
    assert again.rate == 0.5
    assert again.seconds_left == (12 - 2) / 0.5


def test_judgements_below_full_fidelity_count_as_their_share(study_of):
    study = study_of(strategy="hyperband", workload="alexnet", trials=8, mapper_evaluations=20)
    pulse = Pulse()
    pulse.cosearch_study_started(study)
    said = f"{study.spent:.1f}/8 trials ({len(study.trials)} judgements)"
    assert pulse.counted() == said
    assert pulse.share_done == pytest.approx(min(1.0, study.spent / 8))
    assert pulse.best is study.best
    assert len(pulse.history) == len(study.feasible)


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


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=200), st.integers(2, 40))
def test_a_sparkline_has_its_width_and_its_last_value(values, width):
    line = sparkline(values, width)
    assert len(line) == min(width, len(values))
    assert set(line) <= set(BLOCKS)
    if values[-1] == min(values):
        assert line[-1] == BLOCKS[0]
