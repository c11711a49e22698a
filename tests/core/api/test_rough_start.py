from types import SimpleNamespace

import pytest

from cosearch.api import rough_start
from cosearch.api.rough_start import RoughStart
from cosearch.errors import PluginError
from cosearch.study.codesign import plan


@pytest.fixture
def study(toy):
    problem = plan(toy, "gemm:M=16,N=16,K=16", "toy", "random", mapper_evaluations=40)
    return SimpleNamespace(problem=problem, baseline=None, trials={})


@pytest.fixture
def shown():
    return []


def joined(start):
    start._thread.join()
    return start


def test_a_study_that_takes_long_gets_a_figure(study, shown, monkeypatch):
    monkeypatch.setattr(rough_start, "PATIENCE", 0.0)
    start = RoughStart(shown.append)
    start.cosearch_study_started(study)
    joined(start).cosearch_study_finished(study)
    assert len(shown) == 1
    assert shown[0].startswith("the baseline has edp ")
    assert start._thread is None


def test_a_study_that_is_quick_gets_none(study, shown):
    start = RoughStart(shown.append)
    start.cosearch_study_started(study)
    start.cosearch_trial_finished(None)
    joined(start)
    assert shown == []


def test_a_study_that_has_something_gets_none(study, shown):
    start = RoughStart(shown.append)
    study.baseline = object()
    start.cosearch_study_started(study)
    assert start._thread is None
    start.cosearch_study_finished(study)


def test_a_failing_machine_is_left_to_the_search(study, shown, monkeypatch):
    def fail(*_):
        raise PluginError("broken")

    monkeypatch.setattr(rough_start, "PATIENCE", 0.0)
    monkeypatch.setattr("cosearch.study.rough.build", fail)
    start = RoughStart(shown.append)
    start.cosearch_study_started(study)
    joined(start)
    assert shown == []
