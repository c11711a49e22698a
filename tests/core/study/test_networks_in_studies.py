"""A space of networks beside a machine: one study, any strategy."""

import math

import numpy as np
import pytest

from cosearch.errors import CosearchError, InputError
from cosearch.hooks.discovery import load_registry
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.search.parameters import Parameter, ParameterSpace, Rule
from cosearch.study.building import MACHINE, NETWORK
from cosearch.study.codesign import plan
from cosearch.study.evaluation import evaluate
from cosearch.study.recombination import pairs_of, recombined
from cosearch.study.report import report_of

CELLS = "nasbench201:dataset=cifar10"
REGISTRY = load_registry()


@pytest.fixture
def cells(study_of):
    """Return a function that runs a small study of networks and machines."""
    return lambda **settings: study_of(
        **{"workload": CELLS, "trials": 12, "objective": "latency", "combine": "layers"} | settings
    )


def test_parameters_stand_in_two_groups_and_a_design_names_both(cells):
    study = cells()
    problem = study.problem
    groups = problem.space.groups
    assert set(groups) == {NETWORK, MACHINE}
    names = np.array(problem.space.names)
    assert tuple(names[groups[NETWORK]]) == problem.networks.space.names
    assert tuple(names[groups[MACHINE]]) == problem.hardware.space.names
    for trial in (study.baseline, *study.feasible):
        row = problem.networks.space.index(problem.network_parameters(trial.configuration))
        network = problem.networks.build(row)
        products = {layer.einsum.key: layer.count for layer in problem_layers(problem, network)}
        assert {x.key: x.count for x in trial.outcome.layers} == products
        assert trial.outcome.metrics["accuracy"] == problem.networks.accuracy(row[None])[0]


def problem_layers(problem, network):
    return network.priced(problem.hardware.left_out).unique


def test_an_accuracy_below_the_floor_is_refused_before_anything_is_mapped(cells):
    study = cells(constraints=["accuracy>=94"])
    low = [t for t in study.in_order if t.outcome.metrics.get("accuracy", 100.0) < 94]
    assert low
    assert all(not t.ok and t.outcome.layers == () for t in low)
    assert all(t.outcome.violations["accuracy>=94"] > 0 for t in low)


def test_every_strategy_may_search_networks(cells):
    for strategy in ("random", "bayesian", "nsga2"):
        assert len(cells(strategy=strategy, trials=6).trials) == 6


def test_the_report_names_the_network_and_what_each_part_is_worth(cells):
    study = cells()
    report = report_of(study)
    found, best = report.network, study.best
    assert report.best.disagreements == ()
    assert found.accuracy == best.outcome.metrics["accuracy"]
    assert found.accuracy_is.startswith("predicted, held-out error")
    assert "accuracy" not in report.improvement
    ratios = found.ratios["latency"]
    base = study.baseline.outcome.metrics["cycles"]
    assert math.isclose(ratios.both, base / best.outcome.metrics["cycles"])
    machine = {**best.configuration, **study.problem.network_parameters(study.problem.baseline)}
    assert math.isclose(ratios.hardware, base / evaluate(study.problem, machine).metrics["cycles"])


def test_fronts_of_accuracy_against_cost(cells):
    study = cells(objective="error,latency", strategy="nsga2", trials=20)
    losses = [t.outcome.losses for t in study.front]
    assert losses == sorted(losses)
    assert [b for _, b in losses] == sorted((b for _, b in losses), reverse=True)
    for trial in study.front:
        assert math.isclose(trial.outcome.losses[0], 100 - trial.outcome.metrics["accuracy"])


def test_recombined_pairs_cost_what_evaluating_them_costs(cells):
    study = cells(trials=16, fixed={"pes": "4"})
    pairs = pairs_of(study.problem, study.in_order)
    known = np.argwhere(np.isfinite(pairs.cycles))
    assert len(known) > len(pairs.machines)
    for m, n in known:
        machine, network = (study.trials[t[i]] for t, i in
                            ((pairs.machines, m), (pairs.networks, n)))  # fmt: skip
        pair = {**machine.configuration,
                **study.problem.network_parameters(network.configuration)}  # fmt: skip
        metrics = evaluate(study.problem, pair).metrics
        assert math.isclose(metrics["cycles"], pairs.cycles[m, n], rel_tol=1e-12)
        assert math.isclose(metrics["energy_pj"], pairs.energy_pj[m, n], rel_tol=1e-12)
    best = recombined(study.problem, study.in_order)
    assert best.loss == np.nanmin(pairs.cycles)
    assert best.loss <= study.best.outcome.losses[0]


def test_limits_hold_for_recombined_pairs_too(cells):
    study = cells(trials=16, constraints=["accuracy>=80"])
    pairs = pairs_of(study.problem, study.in_order)
    latency = next(o for o in OBJECTIVES if o.name == "latency")
    losses = pairs.losses(latency, study.problem.constraints, study.problem.known)
    assert not np.isfinite(losses[:, pairs.accuracy < 80]).any()


def test_a_budget_counts_networks(cells):
    study = cells(budget=Budget(networks=5), fixed={"pes": "4"}, strategy="random")
    assert 5 <= study.networks() < 5 + study.problem.spec.batch
    assert study.header.note == f"{study.networks()} networks are known"


def test_schemes_of_one_network_refuse_a_space_of_them():
    with pytest.raises(CosearchError, match="one network, not a space"):
        plan(REGISTRY, CELLS, "systolic", "random", scheme="joint")


def test_a_name_in_both_spaces_is_refused():
    one = ParameterSpace((Parameter("width", (1, 2)),))
    with pytest.raises(InputError, match="width"):
        one.beside(one)


def test_spaces_side_by_side_keep_rules_and_features():
    left = ParameterSpace((Parameter("a", (1, 2, 4)),), (Rule("a", lambda c: c["a"] < 4),))
    right = ParameterSpace(
        (Parameter("b", (0, 5)),), features_of=lambda c: np.log1p(c["b"])[:, None]
    )
    both = left.beside(right)
    rows = np.array([[0, 0], [1, 1], [2, 1]])
    assert both.feasible(rows).tolist() == [True, True, False]
    assert (both.rows_of(both.columns(rows)) == rows).all()
    np.testing.assert_allclose(both.features(rows)[:, -1], np.log1p([0, 5, 5]))
