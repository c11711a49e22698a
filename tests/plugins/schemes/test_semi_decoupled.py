"""A proxy's mappings on other machines."""

import numpy as np
import pytest

from cosearch.cli.output import Output
from cosearch.cli.text.report import Next, show_report
from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry
from cosearch.machine.building import build
from cosearch.mapping.mapper import Budget
from cosearch.store.store import Store
from cosearch.study.codesign import open_study, plan, run
from cosearch.study.report import report_of
from cosearch_plugins.schemes.semi_decoupled import CANDIDATES, agreement, rank_correlation

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module", params=["systolic", "gemmini"])
def study(request, tmp_path_factory):
    registry = load_registry()
    problem = plan(
        registry,
        "conv:K=16,C=16,P=14,Q=14,R=3,S=3",
        request.param,
        "random",
        scheme="semi-decoupled",
    )
    with Store(tmp_path_factory.mktemp("x") / "x.db") as store:
        found = open_study(store, registry, problem, Budget(trials=8))
        run(found, store, registry)
    return found


def layer_of(study):
    return study.problem.network.unique[0].einsum


def test_on_the_proxy_itself_the_best_mapping_is_kept(study):
    mapper, problem = study.problem.mapper, study.problem
    layer, objective = layer_of(study), problem.mapper_objective
    there = mapper.map(mapper.proxy, layer, objective, Budget(), RNG)
    best = mapper.inner.map(mapper.proxy, layer, objective, Budget(), RNG)
    assert there.energy_pj * there.cycles == pytest.approx(best.energy_pj * best.cycles)
    assert not there.proven


def test_elsewhere_it_is_never_better_than_the_best_mapping(study):
    problem, layer = study.problem, layer_of(study)
    for trial in study.feasible:
        machine = build(problem.hardware, trial.configuration)
        best = problem.mapper.inner.map(machine, layer, problem.mapper_objective, Budget(), RNG)
        assert trial.merit >= best.energy_pj * best.cycles * (1 - 1e-12)


def test_a_handful_of_mappings_is_priced_a_design(study):
    for trial in study.feasible:
        assert trial.outcome.layers[0].evaluations <= CANDIDATES


def test_machines_rank_the_proxys_mappings_alike(study):
    problem = study.problem
    machine = build(problem.hardware, study.best.configuration)
    found = rank_correlation(
        problem.mapper, machine, [layer_of(study)], problem.mapper_objective, Budget()
    )
    itself = rank_correlation(
        problem.mapper, problem.mapper.proxy, [layer_of(study)], problem.mapper_objective, Budget()
    )
    assert itself == pytest.approx(1.0)
    assert -1.0 <= found <= 1.0


def test_the_report_says_how_alike_machines_rank_the_mappings(study, capsys):
    report = report_of(study)
    found = report.agreement
    problem = study.problem
    assert found.best == rank_correlation(
        problem.mapper,
        build(problem.hardware, study.best.configuration),
        [layer_of(study)],
        problem.mapper_objective,
        Budget(),
    )
    assert found.least <= found.mean <= 1.0
    assert 1 <= found.machines <= 5
    said = f"rank correlation {found.best:.2f} between the baseline and the best"
    assert said in str(found)
    show_report(Output(), problem, report, Next("cosearch report x"))
    assert said in " ".join(capsys.readouterr().out.split())
    pytest.importorskip("plotly")
    from cosearch_plugins.reports.html.study_page import study_page

    assert said in study_page(study, [])


def test_without_a_machine_to_compare_nothing_is_claimed(study):
    problem = study.problem
    settings = ([layer_of(study)], problem.mapper_objective, Budget())
    assert agreement(problem.mapper, [], *settings) is None
    itself = agreement(problem.mapper, [problem.mapper.proxy], *settings)
    assert (itself.best, itself.mean, itself.least, itself.machines) == (1.0, 1.0, 1.0, 1)


def test_mappings_of_layers_rounded_up_are_not_carried():
    with pytest.raises(CosearchError, match="at their own sizes"):
        plan(
            load_registry(),
            "gemm:M=8,N=8,K=8",
            "eyeriss",
            "random",
            scheme="semi-decoupled",
            mapper="exact:imperfect=spatial",
        )
