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
from cosearch_plugins.landscape.separable import Separable
from cosearch_plugins.schemes.network_inside import _floor

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


def test_of_a_space_too_large_to_enumerate_no_network_met_is_better(study_of):
    study = study_of(
        workload="accel-nasbench", hardware="roofline", strategy="random", trials=1,
        scheme="network-inside", objective="latency", constraints=["accuracy>=60"],
    )  # fmt: skip
    networks = study.problem.networks
    parts = Separable.of(networks)
    rows = networks.space.sample_feasible(300, np.random.default_rng(0))[0]
    rows = rows[networks.accuracy(rows) >= 60]
    counts = np.array([parts.counts_of(row) for row in rows])
    assert len(rows) > 20
    for trial in study.feasible:
        cycles = {layer.key: layer.cycles for layer in trial.outcome.layers}
        costs = np.array([cycles.get(einsum.key, 0.0) for einsum in parts.layers])
        metrics = trial.outcome.metrics
        assert metrics["accuracy"] >= 60
        mine = parts.counts_of(networks.space.index(trial.outcome.network)) @ costs
        assert metrics["cycles"] == pytest.approx(mine)
        assert metrics["mapping_gap"] < 0.01
        assert (counts @ costs >= mine * (1 - metrics["mapping_gap"])).all()


def test_other_limits_than_the_accuracy_are_refused_there():
    problem = plan(
        REGISTRY, "accel-nasbench", "roofline", "random", scheme="network-inside",
        objective="latency", constraints=["cycles<=1000"],
    )  # fmt: skip
    with pytest.raises(CosearchError, match="within cycles is not known"):
        _floor(problem)
