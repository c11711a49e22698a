"""Enumeration with bounds finds what plain enumeration finds, and says that it is proven."""

import numpy as np
import pytest

from cosearch.errors import CosearchError, Infeasible, UnknownNameError
from cosearch.mapper import Budget
from cosearch.plugins import load_registry
from cosearch.schemes.exhaustive import bounded
from cosearch.store.store import Store
from cosearch.study.codesign import open_study, plan, run

FIXED = {"cols": "16", "input_kb": "64", "weight_kb": "64", "output_kb": "64",
         "dram_bits_per_cycle": "128", "accumulator_bits": "32", "word_bits": "8"}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    registry = load_registry()
    spec = plan(
        registry, "gemm:M=64,N=96,K=32", "systolic", "random", scheme="exhaustive", fixed=FIXED
    )
    with Store(tmp_path_factory.mktemp("x") / "x.db") as store:
        found = open_study(store, registry, spec, Budget(trials=1000))
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


def test_no_design_undercuts_its_bound(study):
    designs = bounded(study.problem)
    bound_of = {tuple(r): b for r, b in zip(designs.rows.tolist(), designs.bounds, strict=True)}
    assert (np.diff(designs.bounds) >= 0).all()
    for trial in study.feasible:
        assert bound_of[trial.row] <= trial.merit


def test_what_cannot_be_enumerated_is_refused(tmp_path):
    registry = load_registry()
    spec = plan(registry, "gemm", "systolic", "random", scheme="exhaustive")
    with Store(tmp_path / "x.db") as store:
        found = open_study(store, registry, spec, Budget(trials=1))
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
