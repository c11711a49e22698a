"""Enumeration with bounds finds what plain enumeration finds, and says that it is proven."""

import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import CosearchError, Infeasible, UnknownNameError
from cosearch.hooks.discovery import load_registry
from cosearch.mapping.mapper import Budget
from cosearch.mapping.result import Unmapped
from cosearch.store.store import Store
from cosearch.study.codesign import open_study, plan, run
from cosearch.study.pruning import unproven
from cosearch.study.report import report_of
from cosearch.trials.trial import Outcome, State
from cosearch_plugins.schemes.exhaustive import bounded

FIXED = {
    "cols": "16",
    "input_kb": "64",
    "weight_kb": "64",
    "output_kb": "64",
    "dram_bits_per_cycle": "128",
    "accumulator_bits": "32",
    "word_bits": "8",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    registry = load_registry()
    problem = plan(
        registry, "gemm:M=64,N=96,K=32", "systolic", "random", scheme="exhaustive", fixed=FIXED
    )
    with Store(tmp_path_factory.mktemp("x") / "x.db") as store:
        found = open_study(store, registry, problem, Budget(trials=1000))
        run(found, store, registry)
    return found


def test_the_best_is_that_of_plain_enumeration(study):
    problem, losses = study.problem, []
    shape = tuple(int(c) for c in problem.space.cardinalities)
    for row in np.indices(shape).reshape(len(shape), -1).T:
        machine = problem.hardware.build(problem.space.decode(row))
        layer = problem.network.unique[0].einsum
        mapped = problem.mapper.map(
            machine, layer, problem.mapper_objective, Budget(), np.random.default_rng(0)
        )
        losses.append(mapped.energy_pj * mapped.cycles)
    assert study.best.merit == min(losses)


def test_it_ends_proven_and_short_of_everything(study):
    assert "every other design is proven worse" in study.header.note
    assert 0 < len(study.trials) <= study.problem.space.size


def test_it_is_told_how_much_better_another_design_could_be(study):
    assert 0.0 <= study.findings.hardware_gap <= 1e-11
    assert report_of(study).hardware_gap == study.findings.hardware_gap
    assert unproven(study.problem, study.in_order) == study.findings.hardware_gap


def test_designs_whose_mappings_are_not_proven_leave_a_gap(study):
    metrics = {**study.trials[1].outcome.metrics, "mapping_gap": 0.9}
    loose = evolve(study.trials[1], outcome=evolve(study.trials[1].outcome, metrics=metrics))
    least = 0.1 * loose.outcome.losses[0]
    other = evolve(study, trials={**study.trials, 1: loose})
    assert least < study.best.merit
    assert np.isclose(other.findings.hardware_gap, 1 - least / study.best.merit)


@pytest.mark.parametrize("proven", [True, False])
def test_a_design_without_a_mapping_counts_if_there_is_none_for_certain(study, proven):
    number = next(n for n in study.trials if n != study.best.number)
    vain = Outcome(State.INFEASIBLE, "no", unmapped=Unmapped("k", "no", proven=proven))
    trials = {**study.trials, number: evolve(study.trials[number], outcome=vain)}
    other = evolve(study, trials=trials)
    assert (other.findings.hardware_gap is not None) == proven


def test_nothing_is_claimed_before_the_end(study):
    open_still = evolve(study, header=evolve(study.header, status="finished"))
    assert open_still.findings.hardware_gap is None


def test_no_design_undercuts_its_bound(study):
    designs = bounded(study.problem)
    bound_of = {tuple(r): b for r, b in zip(designs.rows.tolist(), designs.bounds, strict=True)}
    assert (np.diff(designs.bounds) >= 0).all()
    for trial in study.feasible:
        assert bound_of[trial.row] <= trial.merit


def test_what_cannot_be_enumerated_is_refused(tmp_path):
    registry = load_registry()
    problem = plan(registry, "gemm", "systolic", "random", scheme="exhaustive")
    with Store(tmp_path / "x.db") as store:
        found = open_study(store, registry, problem, Budget(trials=1))
        with pytest.raises(CosearchError, match="more than are enumerated"):
            run(found, store, registry)


def test_a_misspelled_scheme_is_told():
    with pytest.raises(UnknownNameError, match="exhaustve"):
        plan(load_registry(), "gemm", "systolic", "random", scheme="exhaustve")


def test_designs_that_cannot_be_built_are_left_out(study, monkeypatch):
    hardware = study.problem.hardware

    def refuse(configuration):
        if configuration["rows"] == 8:
            raise Infeasible("no")
        return type(hardware).build(hardware, configuration)

    monkeypatch.setattr(hardware, "build", refuse)
    rows = study.problem.space.columns(bounded(study.problem).rows)["rows"]
    assert 8 not in rows
