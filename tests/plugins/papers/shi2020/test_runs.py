import numpy as np
import pytest

from cosearch.hooks.discovery import load_registry
from cosearch_plugins.papers.shi2020.runs import (
    CONTENDERS,
    Outcome,
    Plan,
    baselines,
    run_missing,
    stored,
)
from cosearch_plugins.papers.shi2020.setting import SETTINGS

REGISTRY = load_registry()
EXACT = tuple(c for c in CONTENDERS if c.name == "BO x exact")


def small(**changes):
    return Plan(("shi2020-mlp",), EXACT, **{"seeds": 2, "trials": 3, **changes})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    store = tmp_path_factory.mktemp("shi2020") / "runs.db"
    run_missing(REGISTRY, small(), store, workers=1)
    return store


def test_runs_are_stored_and_not_run_again(finished):
    (outcome,) = stored(REGISTRY, small(), finished)
    assert outcome.curves.shape == (2, 3)
    assert (np.diff(outcome.curves) <= 0).all()
    before = finished.read_bytes()
    run_missing(REGISTRY, small(), finished, workers=1)
    assert stored(REGISTRY, small(), finished)[0].losses.tolist() == outcome.losses.tolist()
    assert len(finished.read_bytes()) == len(before)


def test_what_has_not_ended_is_left_out(finished):
    assert stored(REGISTRY, small(trials=5), finished) == []
    assert len(stored(REGISTRY, small(seeds=9), finished)[0].losses) == 2


def test_improvement_is_the_share_saved_worst_median_best():
    outcome = Outcome(EXACT[0], "shi2020-mlp", np.array([[8.0, 6.0], [9.0, 5.0], [9.0, 7.0]]))
    assert outcome.improvement(10.0) == pytest.approx((0.3, 0.4, 0.5))
    assert outcome.improvement(10.0, 1) == pytest.approx((0.1, 0.1, 0.2))


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda s: s.name)
def test_fewer_rules_make_eyeriss_no_worse(setting):
    eyeriss = baselines(REGISTRY, setting, "shi2020-mlp")
    # Neither set of rules holds the other: Timeloop's are stricter but for filters along Y.
    assert eyeriss.floor < eyeriss.free <= min(eyeriss.rows, eyeriss.timeloop)
