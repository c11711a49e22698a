import math

import pytest
from attrs import evolve

from cosearch.study.report import account, obstacle, report_of
from cosearch.study.study import Study
from cosearch.trials.trial import State
from cosearch.workload.text import run_as


def test_the_best_is_priced_again_and_confirmed(study_of):
    study = study_of(workload="alexnet")
    report = report_of(study)
    best = report.best
    assert best.disagreements == ()
    assert best.number == study.best.number
    assert best.losses == {"edp": study.best.outcome.losses[0]}
    assert best.metrics["energy_pj"] == sum(x.energy_pj * x.count for x in best.layers)
    assert best.metrics["cycles"] == sum(x.cycles * x.count for x in best.layers)
    assert math.isclose(sum(best.energy_by_part.values()), best.metrics["energy_pj"])
    assert [x.name for x in best.layers] == [x.name for x in study.problem.network.unique]
    assert set(best.sources) == {"buffer", "PE"}


def test_improvement_is_baseline_over_best(study_of):
    report = report_of(study_of())
    assert report.improvement["edp"] == report.baseline.losses["edp"] / report.best.losses["edp"]
    assert report.improvement["cycles"] == (
        report.baseline.metrics["cycles"] / report.best.metrics["cycles"]
    )
    assert "clock_mhz" not in report.improvement


def test_what_the_reference_model_does_not_confirm_is_said(study_of):
    study = study_of(hardware="toy:fault=lie", fixed={"pes": "4"})
    (text, *_) = report_of(study).best.disagreements
    assert text.startswith("gemm: the reference model says")


def changed(study, **changes):
    """Return the best trial with another first layer."""
    outcome = study.best.outcome
    layer = evolve(outcome.layers[0], **changes)
    return evolve(study.best, outcome=evolve(outcome, layers=(layer, *outcome.layers[1:])))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"energy_pj": 1.0}, ["the kernel says", "the reference model says", "energy_pj is 1.0"]),
        ({"cycles": 1.0}, ["the kernel says", "the reference model says", "cycles is 1.0"]),
    ],
)
def test_what_the_store_has_wrong_is_said(study_of, changes, said):
    study = study_of()
    texts = account(study.problem, changed(study, **changes)).disagreements
    assert len(texts) == len(said)
    for text, part in zip(texts, said, strict=True):
        assert part in text


def test_the_last_digit_counts(study_of):
    study = study_of()
    energy = math.nextafter(study.best.outcome.layers[0].energy_pj, math.inf)
    texts = account(study.problem, changed(study, energy_pj=energy)).disagreements
    assert any("the kernel says" in text for text in texts)


def test_a_machine_that_has_changed_is_said(study_of):
    study = study_of()
    trial = evolve(study.best, outcome=evolve(study.best.outcome, accelerator="another"))
    assert account(study.problem, trial).disagreements == (
        "the machine is another one now: a model or a table has changed",
    )


def test_a_design_that_cannot_be_built_any_more_is_said(study_of):
    study = study_of()
    trial = evolve(study.best, configuration={"pes": 32, "buffer": 256, "bits": 8})
    assert any("not feasible any more" in t for t in account(study.problem, trial).disagreements)


def test_no_best_says_which_trial_misses_by_least(study_of):
    study = study_of(constraints=["area_mm2<=0.001"])
    report = report_of(study)
    assert report.best is None
    assert report.improvement == {}
    assert report.infeasible == len(study.trials)
    built = [t for t in study.in_order if t.outcome.accelerator]
    nearest = min(built, key=lambda t: t.outcome.violation)
    assert f"trial {nearest.number} misses by least" in report.obstacle
    assert "area_mm2 is" in report.obstacle


def test_no_best_says_why_everything_failed(study_of):
    study = study_of(hardware="toy:fault=raise", fixed={"pes": "4"})
    report = report_of(study)
    assert report.failed == len(study.trials)
    assert "toys break" in report.obstacle
    assert list(report.failures.values()) == sorted(report.failures.values(), reverse=True)


def test_a_baseline_without_a_cost_is_said(study_of, toy, monkeypatch):
    model = toy.find("hardware_models", "toy").target
    monkeypatch.setattr(model, "baseline", {"pes": 32, "buffer": 256, "bits": 8})
    report = report_of(study_of())
    assert report.best is not None
    assert report.baseline is None
    assert report.obstacle.startswith("the baseline is infeasible: the buffer has too many ports")


def test_a_front_is_reported_with_several_objectives(study_of):
    study = study_of(strategy="toy-grid", objective="energy,area", trials=72)
    report = report_of(study)
    assert [p.number for p in report.front] == [t.number for t in study.front]
    assert set(report.front[0].losses) == {"energy", "area"}
    assert 0 < report.hypervolume < 1
    for name, corner in report.reference.items():
        assert corner == pytest.approx(1.1 * max(p.losses[name] for p in report.front))
    assert report_of(study_of()).front == ()


def test_a_study_without_trials(study_of):
    known = study_of(trials=1)
    study = Study(known.header, known.problem, known.scheme, known.baseline)
    assert obstacle(study) == "no trial has ended yet"
    assert study.count(State.OK) == 0


def test_a_layer_run_rounded_up_is_priced_again_as_it_is_run(study_of):
    study = study_of(
        hardware="eyeriss:dram_bits=0",
        workload="gemm:M=32,N=32,K=32",
        mapper="exact:imperfect=spatial",
        trials=1,
    )
    trial = study.baseline
    layer = study.problem.network.unique[0].einsum
    result = trial.outcome.layers[0]
    assert result.sizes is not None
    design = account(study.problem, trial)
    assert design.disagreements == ()
    assert design.layers[0].about.endswith(run_as(layer, result.sizes))
    assert design.layers[0].partial == result.partial
    wrong = evolve(result, partial=evolve(result.partial, cycles=1.0))
    tampered = evolve(trial, outcome=evolve(trial.outcome, layers=(wrong,)))
    (text,) = account(study.problem, tampered).disagreements
    assert "with partial last tiles the model says" in text
