"""The joint table against building and mapping its pairs; its summary against brute force."""

import numpy as np
import pytest

from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry
from cosearch.study.codesign import plan
from cosearch.study.evaluation import evaluate
from cosearch_plugins.landscape.summary import front_of, summary_of
from cosearch_plugins.landscape.table import differences, joint_table, machines_of

REGISTRY = load_registry()
FIXED = {
    "batch": "0", "block": "4", "uop": "15", "inp": "15", "acc": "17", "gemm": "pipelined",
}  # fmt: skip


def problem_of(objective="latency", **settings):
    settings = {"fixed": FIXED} | settings
    return plan(
        REGISTRY, "nasbench201", "vta:stack=apache,device=asic", "random",
        objective=objective, combine="layers", **settings,
    )  # fmt: skip


@pytest.fixture(scope="module")
def table():
    return joint_table(problem_of())


def test_pairs_cost_what_building_and_mapping_them_costs(table):
    assert list(differences(table, 6)) == [None] * 6


def test_a_wrong_table_is_found_out(table):
    table.cycles[:] += 1
    try:
        assert all(differences(table, 3))
    finally:
        table.cycles[:] -= 1


def test_the_optima_are_the_least_of_all_pairs(table):
    losses = table.losses(slice(None), table.classes)
    summary = summary_of(table, 94.0)
    allowed = table.classes.accuracy >= 94.0
    assert summary.both == losses[:, allowed].min()
    best = evaluate(table.problem, dict(summary.configuration))
    assert best.losses == (summary.both,)
    assert best.metrics["accuracy"] == summary.accuracy
    base = evaluate(table.problem, table.problem.baseline)
    assert base.losses == (summary.default,)
    assert summary.both <= min(summary.hardware, summary.network)
    assert summary.both <= summary.one_after_other <= summary.network


def test_the_front_holds_what_no_other_pair_beats(table):
    front = front_of(table)
    losses = table.losses(slice(None), table.classes).min(axis=0)
    for accuracy, loss in front:
        as_accurate = table.classes.accuracy >= accuracy
        assert losses[as_accurate].min() == loss
    assert front[0][0] == table.classes.accuracy.max()


def test_limits_on_machines_hold():
    free, limited = joint_table(problem_of()), joint_table(problem_of(constraints=["area<=14"]))
    assert limited.machines == free.machines
    best = limited.best()
    assert limited.area_mm2[best.machine] <= 14
    within = free.losses(np.flatnonzero(free.area_mm2 <= 14), free.classes)
    assert best.loss == within.min()


def test_other_machines_are_mapped_one_by_one():
    fixed = {name: str(value) for name, value in _baseline("systolic").items()}
    problem = plan(
        REGISTRY, "nasbench201", "systolic", "random", objective="latency", combine="layers",
        fixed=fixed, mapper="random", mapper_evaluations=20,
    )  # fmt: skip
    table = joint_table(problem)
    assert table.machines == 1
    assert list(differences(table, 2)) == [None, None]


def _baseline(name):
    return REGISTRY.find("hardware_models", name).make().baseline


def test_too_many_machines_are_refused():
    with pytest.raises(CosearchError, match="more than are priced"):
        machines_of(plan(REGISTRY, "nasbench201", "vta", "random"))


def test_one_network_has_no_joint_table():
    with pytest.raises(CosearchError, match="one network"):
        joint_table(plan(REGISTRY, "alexnet", "vta", "random"))
