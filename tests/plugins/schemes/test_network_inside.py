"""The best network of a machine by sums, against networks priced one by one."""

import math

import numpy as np
import pytest

from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry
from cosearch.study.codesign import plan
from cosearch.study.evaluation import evaluate
from cosearch.study.report import report_of
from cosearch_plugins.landscape.classes import Classes

CELLS = "nasbench201"
REGISTRY = load_registry()
ONE = {"pes": "4"}


@pytest.fixture
def inside(study_of):
    """Return a function that runs a small study of machines with their best networks."""
    return lambda **settings: study_of(
        **{
            "workload": CELLS,
            "scheme": "network-inside",
            "trials": 3,
            "objective": "latency",
            "constraints": ["accuracy>=94"],
            "combine": "layers",
            "strategy": "random",
        }
        | settings
    )


def test_no_network_of_the_space_is_better_on_the_machine(inside):
    study = inside()
    problem = study.problem
    assert problem.space.names == problem.hardware.space.names
    classes = Classes.of(problem.networks, problem.hardware)
    allowed = np.flatnonzero(classes.accuracy >= 94)
    rng = np.random.default_rng(0)
    for trial in study.feasible:
        assert trial.outcome.metrics["accuracy"] >= 94
        chosen = evaluate(problem, trial.complete)
        assert chosen.losses == trial.outcome.losses
        for k in rng.choice(allowed, 6, replace=False):
            other = problem.networks.space.decode(classes.rows[k])
            assert evaluate(problem, {**trial.complete, **other}).losses >= chosen.losses


def test_the_report_confirms_the_network_found(inside):
    study = inside(trials=2)
    report = report_of(study)
    assert report.best.disagreements == ()
    assert report.network.configuration == study.best.outcome.network
    assert all(layer.count for layer in report.best.layers)
    assert report.recombined.loss <= study.best.outcome.losses[0]
    assert math.isclose(
        report.network.ratios["latency"].both, report.improvement["latency"], rel_tol=1e-12
    )


def test_a_study_is_read_back_with_its_networks(inside, toy, tmp_path):
    from cosearch.store.store import Store
    from cosearch.study.codesign import load_study

    study = inside(trials=2, store=tmp_path / "n.db")
    with Store(tmp_path / "n.db", write=False) as opened:
        again = load_study(opened, toy, study.name)
    assert [t.complete for t in again.in_order] == [t.complete for t in study.in_order]


def test_no_network_is_accurate_enough(inside):
    study = inside(constraints=["accuracy>=99"], trials=1)
    (trial,) = study.in_order
    assert not trial.ok
    assert "as accurate" in trial.outcome.reason


@pytest.mark.parametrize("objective", ["error", "error,latency", "area"])
def test_objectives_that_sums_do_not_decide_are_refused(objective):
    with pytest.raises(CosearchError, match="network-inside"):
        plan(REGISTRY, CELLS, "systolic", "random", scheme="network-inside", objective=objective)


def test_one_network_is_refused():
    with pytest.raises(CosearchError, match="a single one"):
        plan(REGISTRY, "alexnet", "systolic", "random", scheme="network-inside")
