"""A study's mappings against the exact fronts of all layers, on a machine of loops."""

import numpy as np
import pytest
from attrs import evolve

from cosearch.hooks.discovery import load_registry
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.building import build
from cosearch.mapping.network_front import Front, best_combination
from cosearch.study.building import problem_of
from cosearch.study.evaluation import evaluate
from cosearch.trials.spec import StudySpec
from cosearch_plugins.mappers.exact.front import layer_front
from cosearch_plugins.mappers.exact.solve import Solver

NETWORK = """
version: 1
name: net
layers:
  - {name: a, conv: {K: 8, C: 4, P: 7, Q: 7, R: 3, S: 3}, count: 3}
  - {name: b, gemm: {M: 12, N: 6, K: 35}}
  - {name: c, conv: {K: 1, C: 9, P: 14, Q: 1}, count: 2}
"""


@pytest.fixture(scope="module")
def registry():
    return load_registry(third_party=False)


@pytest.fixture(scope="module")
def made(registry, tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "net.yaml"
    path.write_text(NETWORK)

    def make(**changes):
        changes = {"mapper": "exact", "workload": str(path), **changes}
        mapper, workload = changes.pop("mapper"), changes.pop("workload")
        return problem_of(StudySpec(workload, "eyeriss", "random", mapper, **changes), registry)

    return make


def fronts_of(problem):
    machine = build(problem.hardware, problem.hardware.baseline)
    assert isinstance(machine, SpatialAccelerator)
    found = []
    for layer in problem.network.unique:
        front = layer_front(Solver(machine.mapspace(layer.einsum)))
        assert front.complete
        points = [(p.energy_pj, p.cycles) for p in front.points]
        found.append(Front(*np.array(points).T))
    return found


@pytest.mark.parametrize(("objective", "powers"), [("edp", (1, 1)), ("ed2p", (1, 2))])
def test_a_design_is_worth_the_best_of_all_combinations(made, objective, powers):
    problem = made(objectives=(objective,))
    outcome = evaluate(problem, problem.hardware.baseline)
    counts = [layer.count for layer in problem.network.unique]
    best = best_combination(fronts_of(problem), counts, *powers)
    value = best.energy_pj ** powers[0] * best.cycles ** powers[1]
    assert outcome.losses[0] == pytest.approx(value, rel=1e-12)
    assert outcome.metrics["mapping_gap"] <= 1e-11


def test_layers_alone_are_worth_no_more_and_say_how_much_less_they_can_be(made):
    together = evaluate(made(), made().hardware.baseline)
    alone = evaluate(made(combine="layers"), made().hardware.baseline)
    assert alone.searched == ()
    assert together.losses[0] <= alone.losses[0]
    bound = alone.losses[0] * (1 - alone.metrics["mapping_gap"])
    assert bound <= together.losses[0] * (1 + 1e-11)


def test_what_was_found_in_other_directions_is_remembered_apart(made):
    problem = made()
    outcome = evaluate(problem, problem.hardware.baseline)
    own = [x for x in outcome.searched if x.purpose == problem.task.remembered_by()]
    assert [x.result.key for x in own] == [x.einsum.key for x in problem.network.unique]
    assert len(outcome.searched) > len(own)
    assert len({(x.purpose, x.result.key) for x in outcome.searched}) == len(outcome.searched)
    for key, layer in ((x.key, x) for x in outcome.layers):
        each = [x.result for x in outcome.searched if x.result.key == key]
        assert layer.evaluations == sum(x.evaluations for x in each)


class Remembered:
    def __init__(self, searched):
        self.found = {(x.result.key, x.purpose): x.result for x in searched}

    def find(self, accelerator, layer, purpose):  # noqa: ARG002
        return self.found.get((layer, purpose))


def test_from_the_cache_the_same_comes_with_nothing_mapped(made, monkeypatch):
    problem = made()
    first = evaluate(problem, problem.hardware.baseline)
    monkeypatch.setattr(problem.mapper, "map", None)
    again = evaluate(problem, problem.hardware.baseline, Remembered(first.searched))
    assert again == evolve(first, seconds=again.seconds)


def test_a_mapper_that_proves_nothing_is_asked_once_a_layer(made):
    problem = made(mapper="random", mapper_evaluations=50)
    outcome = evaluate(problem, problem.hardware.baseline)
    assert [x.evaluations for x in outcome.layers] == [50, 50, 50]
    assert "mapping_gap" not in outcome.metrics
    assert outcome.searched == ()


def test_the_mean_edp_of_a_mix_is_that_of_its_networks(made):
    mix = made(workload="shi2020-dqn*3+shi2020-mlp", objectives=("geomean_edp",))
    assert mix.mapper_objective.name == "edp"
    parts = [
        evaluate(made(workload=name, combine="layers"), mix.hardware.baseline).losses[0]
        for name in ("shi2020-dqn", "shi2020-mlp")
    ]
    mean = evaluate(evolve(mix, spec=evolve(mix.spec, combine="layers")), mix.hardware.baseline)
    assert mean.losses[0] == pytest.approx(parts[0] ** 0.75 * parts[1] ** 0.25, rel=1e-12)
    single = made(workload="shi2020-dqn", combine="layers", objectives=("geomean_edp",))
    assert evaluate(single, mix.hardware.baseline).losses[0] == parts[0]


def test_a_mix_is_worth_the_total_energy_times_the_total_time(made, registry):
    single, mix = (
        made(workload=text, combine="layers")
        for text in ("shi2020-dqn", "shi2020-dqn*3+shi2020-mlp")
    )
    dqn = evaluate(single, single.hardware.baseline)
    both = evaluate(mix, mix.hardware.baseline)
    mlp = evaluate(made(workload="shi2020-mlp", combine="layers"), single.hardware.baseline)
    for name in ("energy_pj", "cycles"):
        total = 3 * dqn.metrics[name] + mlp.metrics[name]
        assert both.metrics[name] == pytest.approx(total, rel=1e-14)
