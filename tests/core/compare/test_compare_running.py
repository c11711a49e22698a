"""Runs are stored studies: interrupted, resumed or in parallel, the outcome is the same."""

import numpy as np
import pytest

from cosearch.compare.outcome import collect
from cosearch.compare.running import run_all
from cosearch.compare.scores import standing
from cosearch.store.store import Store


def outcome(contest, registry, path):
    with Store(path, write=False) as store:
        return collect(contest, list(contest.runs(registry)), store)


def losses(result):
    return [o.losses.tolist() for o in result.outcomes]


@pytest.fixture
def whole(contest, registry, tmp_path):
    path = tmp_path / "whole.db"
    run_all(list(contest.runs(registry)), contest.budget, path, registry, workers=1)
    return outcome(contest, registry, path)


def test_cut_short_and_continued_in_parallel_gives_the_same(contest, registry, tmp_path, whole):
    path = tmp_path / "parts.db"
    runs = list(contest.runs(registry))
    run_all(runs[:3], contest.budget, path, registry, workers=1)
    run_all(runs, contest.budget, path, registry, workers=2)
    again = outcome(contest, registry, path)
    assert losses(again) == losses(whole)
    for a, b in zip(standing(again).scores, standing(whole).scores, strict=True):
        assert (a.strategy, a.median, a.rank, a.log_regret) == (
            b.strategy,
            b.median,
            b.rank,
            b.log_regret,
        )


def test_nothing_runs_twice(contest, registry, tmp_path):
    path = tmp_path / "twice.db"
    runs = list(contest.runs(registry))[:1]
    run_all(runs, contest.budget, path, registry, workers=1)
    with Store(path, write=False) as store:
        before = store.header(runs[0].spec.name).seconds
    run_all(runs, contest.budget, path, registry, workers=1)
    with Store(path, write=False) as store:
        assert store.header(runs[0].spec.name).seconds == before


def test_outcomes_hold_what_the_trials_did(contest, whole):
    assert len(whole.outcomes) == 8
    for found in whole.outcomes:
        assert len(found.losses) == len(found.evaluations) == contest.budget.trials
        assert (np.diff(found.evaluations) >= 0).all()
        assert found.best == found.losses.min()
        assert found.designs <= contest.budget.trials
        assert found.proven
