"""Floors hold for every objective; what a study prunes is kept, and is no better."""

import math
from functools import cache

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry
from cosearch.mapping.mapper import Budget
from cosearch.store.records import EXHAUSTED
from cosearch.store.store import Store
from cosearch.study import pruning
from cosearch.study.codesign import Session, load_study, plan, resume_study, run
from cosearch.study.evaluation import evaluate
from cosearch.study.pruning import DesignFloors, floor_of
from cosearch.study.report import report_of

OBJECTIVES = "edp,energy,latency,ed2p,area,power,geomean_edp"
LAYERS = ("conv:C=4,K=6,P=5,Q=5,R=3,S=3", "gemm:M=12,N=8,K=10")
MACHINES = ("eyeriss", "eyeriss:resources=free", "gemmini", "systolic", "vta", "nvdla")


@cache
def problem_of(number):
    machine = MACHINES[number % len(MACHINES)]
    mix = "+".join(f"{layer}*2" for layer in LAYERS)
    workload = mix if number >= len(MACHINES) and machine != "vta" else LAYERS[0]
    registry = load_registry(third_party=False)
    return plan(registry, workload, machine, "random", objective=OBJECTIVES, combine="layers")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2 * len(MACHINES) - 1), st.integers(0, 2**32 - 1))
def test_no_floor_is_above_the_mapped_cost(which, seed):
    problem = problem_of(which)
    rows, _ = problem.space.sample_feasible(1, np.random.default_rng(seed))
    configuration = problem.space.decode(rows[0])
    floor, outcome = floor_of(problem, configuration), evaluate(problem, configuration)
    if floor.reason:
        assert floor.reason in outcome.reason
    elif outcome.ok:
        assert (np.array(floor.losses) <= np.array(outcome.losses)).all()
        area = OBJECTIVES.split(",").index("area")
        assert floor.losses[area] == outcome.losses[area]
        assert np.isfinite(floor.losses[:area]).all()


LIMITS = ("area_mm2<=1.2", "area<=1.2", "latency<=300", "cycles<=300", "energy_pj<=1e5")


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(LIMITS), st.integers(0, 1007))
def test_what_is_called_impossible_breaks_its_limit(limit, number):
    problem = plan(
        load_registry(third_party=False), LAYERS[1], "gemmini", "random", constraints=limit,
        combine="layers",
    )  # fmt: skip
    configuration = problem.space.decode(problem.space.unrank(np.array([number]))[0])
    outcome = evaluate(problem, configuration)
    if floor_of(problem, configuration).reason:
        assert not outcome.ok
        assert problem.constraints[0].name in outcome.reason
    elif limit.startswith("area"):
        assert outcome.ok or "area" not in outcome.reason


PRUNED = {"prune": True, "workload": LAYERS[1], "hardware": "gemmini", "combine": "layers"}


@pytest.fixture(scope="module")
def facts_of():
    def of(study, store):
        with Store(store) as opened:
            pruned = opened.pruned(study.name)
        trials = [(t.number, t.row, t.outcome.losses) for t in study.in_order]
        return trials, pruned, study.header.facts["left"], study.header.note

    return of


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.exhaustive)])
def test_interruptions_and_workers_change_nothing(study_of, toy, tmp_path, facts_of, workers):
    whole = study_of(**PRUNED, trials=8, name="x", store=tmp_path / "whole.db")
    study_of(**PRUNED, trials=3, name="x", store=tmp_path / "parts.db")
    with Store(tmp_path / "parts.db") as store:
        study = resume_study(store, toy, "x")
        study.header = evolve(study.header, budget=Budget(trials=8))
        run(study, store, toy, Session(workers=workers))
    assert facts_of(study, tmp_path / "parts.db") == facts_of(whole, tmp_path / "whole.db")


def test_what_left_is_kept_and_is_no_better(study_of, toy, tmp_path):
    study = study_of(**PRUNED, trials=30, name="x", strategy="random", warm=False)
    with Store(tmp_path / "s.db") as store:
        pruned = store.pruned("x")
        assert load_study(store, toy, "x").findings == study.findings
    assert pruned
    tried = {t.design for t in study.in_order}
    for design in pruned[::40]:
        assert frozenset(design.configuration.items()) not in tried
        best = min(t.outcome.losses[0] for t in study.in_order[: design.after])
        outcome = evaluate(study.problem, design.configuration)
        assert best <= design.floor[0] <= outcome.losses[0]


def test_it_ends_with_a_proof_that_enumeration_confirms(study_of):
    fixed = {"scratchpad_kb": "64", "accumulator_kb": "64"}
    pruned = study_of(**PRUNED, fixed=fixed, trials=100, strategy="random", warm=False)
    every = [
        evaluate(pruned.problem, pruned.problem.space.decode(row)).losses[0]
        for row in pruned.problem.space.unrank(np.arange(pruned.problem.space.size))
    ]
    assert pruned.header.status == EXHAUSTED
    assert "no better" in pruned.header.note
    assert pruned.best.outcome.losses[0] == min(every)
    assert len(pruned.trials) < len(every)
    assert 0.0 <= report_of(pruned).hardware_gap < 1e-6


ARRAYS = {
    "workload": "gemm:M=64,N=96,K=32",
    "hardware": "systolic",
    "fixed": {"cols": "16", "input_kb": "64", "weight_kb": "64", "output_kb": "64",
              "dram_bits_per_cycle": "128", "accumulator_bits": "32", "word_bits": "8"},
}  # fmt: skip


def test_it_meets_the_enumeration_by_floors_in_the_middle(study_of):
    whole = study_of(**ARRAYS, scheme="exhaustive", name="whole")
    pruned = study_of(**ARRAYS, prune=True, trials=100, strategy="random", warm=False, name="x")
    assert pruned.header.status == whole.header.status == EXHAUSTED
    assert pruned.best.outcome.losses == whole.best.outcome.losses
    assert len(whole.trials) <= len(pruned.trials) < pruned.problem.space.size
    assert pruned.findings.hardware_gap < 1e-9


def test_it_says_how_far_the_best_can_be_when_designs_are_left(study_of):
    study = study_of(**PRUNED, trials=2, strategy="random", warm=False)
    least = min(
        evaluate(study.problem, study.problem.space.decode(row)).losses[0]
        for row in study.problem.space.unrank(np.arange(study.problem.space.size)[::36])
    )
    assert 1 - least / study.best.outcome.losses[0] <= study.findings.hardware_gap < 1
    assert study_of(**PRUNED | {"prune": False}, trials=2).findings.hardware_gap is None


@pytest.mark.parametrize("trials", [1, 2, 100])
def test_of_too_many_machines_it_says_as_much_without_going_through(study_of, monkeypatch, trials):
    """Boxes of machines, best first, find the least floor that going through them all does."""
    fixed = {name: value for name, value in ARRAYS["fixed"].items() if name != "cols"}
    given = {
        **ARRAYS,
        "fixed": fixed,
        "prune": True,
        "strategy": "random",
        "warm": False,
        "trials": trials,
    }
    through = study_of(**given, name="through")
    monkeypatch.setattr(pruning, "SWEPT", 150)
    boxes = study_of(**given, name="boxes")
    left = [study.header.facts["left"] for study in (through, boxes)]
    assert through.problem.space.size > 150
    assert left[1].get("least") == left[0].get("least")
    assert boxes.findings == through.findings
    assert (left[1].get("designs") == 0) == (left[0]["designs"] == 0) == (trials == 100)


def test_of_too_many_machines_nothing_is_said_where_no_floor_is_known(study_of, monkeypatch):
    monkeypatch.setattr(pruning, "SWEPT", 150)
    study = study_of(**PRUNED, trials=2, strategy="random", warm=False)
    left = study.header.facts["left"]
    assert {*left} == {"trials", "impossible", "no_better", "unknown"}
    assert left["unknown"] == "their model has no floor of many at once"
    assert study.findings.hardware_gap is None


def test_where_the_time_is_over_many_machines_are_not_bounded(study_of, monkeypatch):
    study = study_of(**{**ARRAYS, "fixed": {}}, trials=1, prune=True, strategy="random")
    floors = DesignFloors(study.problem)
    asked = []
    monkeypatch.setattr(pruning, "least_of_many", lambda *_: asked.append(1) or 1.0)
    assert floors.machines.size > pruning.SWEPT
    assert floors.remaining(hurried=True) == {"unknown": "the time was over"}
    assert asked == []


def test_a_floor_of_many_that_breaks_down_says_nothing(study_of, monkeypatch):
    study = study_of(**{**ARRAYS, "fixed": {}}, trials=1, prune=True, strategy="random")
    kind = type(study.problem.hardware)
    monkeypatch.setattr(kind, "floor_over", lambda *_: 1 / 0)
    every = {p.name: p.choices for p in study.problem.space.parameters}
    assert pruning.least_of_many(study.problem, every) == -math.inf


def test_enumeration_is_not_pruned_twice(study_of):
    with pytest.raises(CosearchError, match="pruned by itself"):
        study_of(**PRUNED, scheme="exhaustive")
