"""Co-design with layers that run together: what a study stores, prices again and tells."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

import cosearch
from cosearch.errors import CosearchError
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.machine.hardware import HardwareModel
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.store.records import trial_of, trial_values
from cosearch.study.report import report_of
from cosearch.study.study import Study
from cosearch.workload.einsum import gemm
from cosearch.workload.link import Link
from cosearch.workload.network import Layer, Network

LAYERS = tuple(
    Layer(gemm(f"layer{i}", M=m, K=k, N=n))
    for i, (m, k, n) in enumerate(((8, 4, 8), (8, 8, 4), (4, 4, 4)))
)
LINKED = Network("linked", LAYERS, links=(Link(0, 1, "Inputs", (0, 1)),))


class Small(HardwareModel):
    """A buffer of several sizes; a larger one takes area."""

    name = "small"
    space = ParameterSpace((Parameter("buffer", (24, 48, 96, 192), 24, "words"),))

    def build(self, configuration):
        words = self.check(configuration)["buffer"]
        return SpatialAccelerator(
            Architecture(
                "small",
                (
                    Memory("registers", 6, AccessEnergy.uniform(1.0), mesh_x=2, mesh_y=2),
                    Memory("buffer", words, AccessEnergy.uniform(6.0), area_um2=1e3 * words),
                    Memory("dram", None, AccessEnergy.uniform(99.0), shared_bandwidth=1.0),
                ),
                Compute(1.0, 2, 2),
            )
        )


def study(**settings):
    settings = {"strategy": "grid", "trials": 4, "fuse": True} | settings
    return cosearch.run(LINKED, Small, **settings)


@pytest.fixture(scope="module")
def fused():
    return study()


def test_designs_are_judged_in_groups_and_remembered_so(fused):
    alone = study(fuse=False)
    assert [d.configuration for d in alone.designs] == [d.configuration for d in fused.designs]
    for here, there in zip(fused.designs, alone.designs, strict=True):
        assert here.metrics["unfused_energy_pj"] == there.metrics["energy_pj"]
        assert here.metrics["unfused_cycles"] == there.metrics["cycles"]
        assert here.metrics["edp"] <= there.metrics["edp"] * (1 + 1e-12)
    assert fused.best.metrics["edp"] < 0.95 * alone.best.metrics["edp"]


def test_the_report_prices_groups_again(fused):
    report = report_of(fused.study)
    assert report.best.disagreements == ()
    assert [g.layers for g in report.best.groups] == [("layer0", "layer1")]
    assert sum(report.best.energy_by_part.values()) == pytest.approx(
        report.best.metrics["energy_pj"]
    )


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"energy_pj": 1.0}, "the reference model says"),
        ({"count": 2}, "the groups are not the network's layers"),
    ],
)
def test_what_the_model_does_not_confirm_is_told(fused, wrong, told):
    best = fused.study.best
    first, *others = best.outcome.groups
    outcome = evolve(best.outcome, groups=(evolve(first, **wrong), *others))
    known = fused.study
    study = Study(known.header, known.problem, known.scheme, known.baseline)
    for trial in known.in_order:
        study.add(evolve(best, outcome=outcome) if trial is best else trial)
    report = report_of(study)
    assert any(told in text for text in report.best.disagreements)


def test_groups_come_back_from_the_store_as_they_were(fused):
    for trial in fused.study.in_order:
        _, *values = (0, *trial_values(trial))
        assert trial_of(tuple(values), trial.outcome.layers) == trial


def test_the_report_says_what_fusing_changed(fused):
    told = report_of(fused.study).change
    edp = {d.number: d.metrics["edp"] for d in fused.designs}
    alone = {
        d.number: d.metrics["unfused_energy_pj"] * d.metrics["unfused_cycles"]
        for d in fused.designs
    }
    assert told.number == min(alone, key=lambda n: (alone[n], n))
    assert told.unfused["edp"] == alone[told.number]
    assert told.fused["edp"] == edp[told.number]
    assert told.best["edp"] == min(edp.values())
    assert report_of(study(fuse=False).study).change is None


def test_area_and_fusing_choose_another_buffer():
    """Under area times EDP the machine of least cost alone is not the one with groups."""
    found = study(objective="edp,area")
    told = report_of(found.study).change
    assert set(told.best) == {"edp", "area"}
    assert told.best["edp"] * told.best["area"] <= told.fused["edp"] * told.fused["area"]


def test_bodies_are_shared_by_machines_and_answers_are_those_of_each_alone(fused):
    """In whatever order machines come: what one learns of another changes nothing."""
    backwards = study(fixed={"buffer": 96}, trials=1)
    there = next(d for d in fused.study.in_order if d.configuration["buffer"] == 96)
    here = backwards.study.in_order[0]
    assert here.outcome.groups == there.outcome.groups
    assert here.outcome.metrics == there.outcome.metrics


def test_exhaustive_search_does_not_rule_out_what_fusing_makes_best():
    found = study(scheme="exhaustive", trials=None)
    assert found.best.metrics["edp"] == min(d.metrics["edp"] for d in study().designs)
    assert report_of(found.study).hardware_gap == 0


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"mapper": "random"}, "runs every layer alone"),
        ({"scheme": "joint"}, "runs every layer alone"),
        ({"objective": "geomean_edp"}, "mean over networks"),
        ({"fuse_most": 0}, "fuse_most"),
    ],
)
def test_what_cannot_fuse_is_refused_before_it_begins(settings, told):
    with pytest.raises(CosearchError, match=told):
        study(**settings)


def test_a_machine_with_a_model_of_its_own_is_refused():
    with pytest.raises(CosearchError, match="model of its own"):
        cosearch.run("gemm:M=4,N=4,K=4", "systolic", fuse=True, trials=1)


def test_one_machine_from_a_script(fused):
    best = fused.best
    found = cosearch.map(LINKED, Small().build(best.configuration), fuse=True)
    assert (found.energy_pj, found.cycles) == (best.metrics["energy_pj"], best.metrics["cycles"])
    assert found.groups[0].layers == ("layer0", "layer1")
    assert cosearch.map(LINKED, Small().build(best.configuration)).groups == ()


def test_settings_of_old_studies_keep_their_text(fused):
    spec = fused.study.problem.spec
    assert "fuse" in json.loads(spec.to_json())
    assert "fuse" not in json.loads(evolve(spec, fuse=False).to_json())
