"""Designs that compute otherwise than the baseline are compared with a baseline that does too."""

import pytest
from attrs import evolve

from cosearch.hooks.discovery import load_registry
from cosearch.machine.building import build
from cosearch.mapping.mapper import Budget
from cosearch.store.store import Store
from cosearch.study.codesign import open_study, plan, run
from cosearch.study.computation import baseline_computing
from cosearch.study.evaluation import evaluate
from cosearch.study.headline import headline, times
from cosearch.study.report import report_of

GEMM = "gemm:M=32,N=32,K=32"


@pytest.fixture(scope="module")
def registry():
    return load_registry(third_party=False)


def finished(registry, path, hardware, **settings):
    problem = plan(registry, GEMM, hardware, "random", mapper="random", **settings)
    with Store(path) as store:
        study = open_study(store, registry, problem, Budget(trials=6))
        run(study, store, registry)
    return study


def test_a_search_holds_the_width_of_the_baseline(registry, tmp_path):
    study = finished(registry, tmp_path / "a.db", "systolic")
    assert {t.configuration["word_bits"] for t in study.in_order} == {8}
    assert {t.configuration["accumulator_bits"] for t in study.in_order} == {32}
    report = report_of(study)
    assert report.changed == ()
    assert report.equal == report.improvement
    assert "only with" not in headline(report)


def test_a_width_that_is_asked_for_is_searched(registry):
    for hardware in ("systolic:word_bits=search", "eyeriss:word_bits=search"):
        held = plan(registry, GEMM, hardware.partition(":")[0], "random").space
        assert held["word_bits"].choices == (held["word_bits"].default,)
        assert plan(registry, GEMM, hardware, "random").space["word_bits"].choices == (8, 16)


def test_a_study_of_old_has_the_space_that_it_had(registry):
    new = plan(registry, GEMM, "eyeriss", "random").spec
    assert '"held"' in new.to_json()
    old = type(new).from_json(evolve(new, held=False).to_json())
    assert old.held is False
    assert '"held"' not in old.to_json()


def test_the_headline_begins_with_the_ratio_at_equal_width(registry, tmp_path):
    study = finished(registry, tmp_path / "b.db", "eyeriss", fixed={"word_bits": "8"})
    report = report_of(study)
    assert report.changed == ("word_bits 8, not 16",)
    problem = study.problem
    equal = evaluate(problem, {**problem.hardware.baseline, "word_bits": 8})
    assert report.equal["edp"] == equal.losses[0] / report.best.losses["edp"]
    assert report.improvement["edp"] > report.equal["edp"]
    first, _, second = headline(report).partition("; ")
    assert first.startswith(f"EDP {times(report.equal['edp'])} than the baseline at equal")
    assert second == f"EDP {times(report.improvement['edp'])} only with word_bits 8, not 16"


def test_a_limit_that_the_baseline_breaks_does_not_hide_what_it_costs(registry, tmp_path):
    study = finished(registry, tmp_path / "c.db", "eyeriss", fixed={"word_bits": "8"})
    problem = plan(registry, GEMM, "eyeriss", "random", constraints=["area_mm2<=0.001"])
    there = baseline_computing(problem, study.best.configuration)
    assert there.configuration["word_bits"] == 8
    assert there.outcome.metrics["cycles"] > 0


def test_the_area_of_the_baseline_is_a_limit_that_the_baseline_keeps(registry):
    for hardware in ("systolic", "eyeriss"):
        problem = plan(registry, GEMM, hardware, "random", constraints=["area_mm2 <= baseline"])
        area = build(problem.hardware, problem.hardware.baseline).area_mm2
        (limit,) = problem.constraints
        assert area <= limit.limit <= area * 1.00001


def test_ratios_in_words():
    assert (times(1.0), times(1.42), times(0.5)) == ("no better", "1.42x better", "2.00x worse")
