"""A design left early is one that could not have won, and the study ends as it would have."""

import itertools

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry
from cosearch.mapping.mapper import Budget
from cosearch.mapping.result import LayerResult
from cosearch.store.store import Store
from cosearch.study.bounding import BEATEN, LeastLoss
from cosearch.study.codesign import Session, plan, resume_study, run
from cosearch.study.evaluation import evaluate
from cosearch.trials.trial import State

WORKLOAD = "gemm:M=12,N=8,K=10+gemm:M=8,N=30,K=6*3"
COSTS = st.tuples(st.integers(1, 99), st.integers(1, 99))


def result(i, count, cost, *, proven=True, gap=None):
    return LayerResult(f"l{i}", str(i), count, (0,), *map(float, cost), proven=proven, gap=gap)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([(1, 1), (1, 0), (0, 1), (1, 2)]),
    st.lists(st.tuples(st.integers(1, 4), st.lists(COSTS, min_size=1, max_size=3)), min_size=1,
             max_size=4),
    st.booleans(),
)  # fmt: skip
def test_no_choice_of_mappings_costs_less(powers, layers, exact):
    a, b = powers

    def loss(cost):
        return cost[0] ** a * cost[1] ** b

    counts = np.array([count for count, _ in layers], dtype=np.float64)
    floors = np.array([np.min(costs, axis=0) for _, costs in layers], dtype=np.float64)
    own = [
        result(i, count, min(costs, key=loss if exact else sum))
        for i, (count, costs) in enumerate(layers)
    ]
    sums = (
        np.sum([n * np.array(cost) for (n, _), cost in zip(layers, chosen, strict=True)], axis=0)
        for chosen in itertools.product(*(costs for _, costs in layers))
    )
    least = min(loss(each) for each in sums)
    bound = LeastLoss(powers, counts, floors, exact)
    told = [bound.given(own[:found]) for found in range(len(own) + 1)]
    assert all(value <= least * (1 + 1e-12) for value in told)
    assert told == sorted(told)
    if len(layers) == 1 and exact:
        assert told[-1] == pytest.approx(least)


def test_what_is_not_proven_counts_for_its_gap():
    bound = LeastLoss((1, 1), np.array([2.0]), np.array([[2.0, 3.0]]), exact=True)
    assert bound.given([]) == pytest.approx(24.0)
    cases = {None: 24.0, 0.25: 30.0, 0.9: 24.0}
    for gap, least in cases.items():
        found = [result(0, 2, (2, 5), proven=False, gap=gap)]
        assert bound.given(found) == pytest.approx(least)


BOUND = {"hardware": "gemmini", "workload": WORKLOAD, "strategy": "random", "name": "x", "batch": 4}


def outcomes(study):
    return [(t.row, t.outcome.state, t.outcome.reason, t.outcome.losses) for t in study.in_order]


def test_the_same_designs_and_the_same_best(study_of, tmp_path):
    whole = study_of(**BOUND, trials=16, store=tmp_path / "whole.db")
    early = study_of(**BOUND, trials=16, bound=True)
    assert [t.row for t in early.in_order] == [t.row for t in whole.in_order]
    assert early.best.number == whole.best.number
    assert early.best.outcome.losses == whole.best.outcome.losses
    left, best = 0, np.inf
    for there, here in zip(whole.in_order, early.in_order, strict=True):
        if here.outcome.ok:
            assert here.outcome.losses == there.outcome.losses
            best = min(best, *here.outcome.losses)
        else:
            left += 1
            assert (here.outcome.state, there.outcome.ok) == (State.INFEASIBLE, True)
            assert there.outcome.losses[0] >= best
            assert here.outcome.violations[BEATEN] > 0
    assert left > 2


def test_workers_and_interruptions_change_nothing(study_of, toy, tmp_path):
    whole = study_of(**BOUND, trials=12, bound=True)
    two = study_of(
        **BOUND, trials=12, bound=True, store=tmp_path / "two.db", session=Session(workers=2)
    )
    assert outcomes(two) == outcomes(whole)
    study_of(**BOUND, trials=5, bound=True, store=tmp_path / "parts.db")
    with Store(tmp_path / "parts.db") as store:
        study = resume_study(store, toy, "x")
        study.header = evolve(study.header, budget=Budget(trials=12))
        run(study, store, toy)
    assert outcomes(study) == outcomes(whole)


def test_only_what_is_proven_worse_is_left():
    problem = plan(load_registry(third_party=False), WORKLOAD, "gemmini", "random")
    outcome = evaluate(problem, problem.baseline)
    alike = evaluate(problem, problem.baseline, best=outcome.losses[0])
    assert alike.ok
    worse = evaluate(problem, problem.baseline, best=outcome.losses[0] / 2)
    assert (worse.state, "left early" in worse.reason) == (State.INFEASIBLE, True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strategy": "bayesian"}, "bayesian learns from losses"),
        ({"objective": "edp,area"}, "edp, area has no bound"),
        ({"objective": "area"}, "area has no bound"),
        ({"fuse": True}, "--fuse maps layers another way"),
    ],
)
def test_studies_that_take_no_bound(given, message):
    settings = {"strategy": "random", **given}
    with pytest.raises(CosearchError, match=message):
        plan(load_registry(third_party=False), WORKLOAD, "gemmini", bound=True, **settings)
