import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import CosearchError
from cosearch.mapping.mapper import Mapped
from cosearch.mapping.result import Unmapped
from cosearch.quantities import added
from cosearch.study.building import problem_of
from cosearch.study.evaluation import MAPPING, evaluate
from cosearch.trials.spec import StudySpec
from cosearch.trials.trial import State


def problem(toy, workload="alexnet", hardware="toy", **changes):
    changes.setdefault("mapper_evaluations", 40)
    return problem_of(StudySpec(workload, hardware, "random", "random", **changes), toy)


def test_a_network_costs_the_sum_of_its_layers_times_their_counts(toy):
    outcome = evaluate(problem(toy, "resnet18"), {"pes": 8})
    assert outcome.ok
    energy = added(x.energy_pj * x.count for x in outcome.layers)
    cycles = added(x.cycles * x.count for x in outcome.layers)
    assert outcome.metrics["energy_pj"] == energy
    assert outcome.metrics["cycles"] == cycles
    assert outcome.losses == (energy * cycles,)
    assert outcome.metrics["area_mm2"] > 0
    assert max(x.count for x in outcome.layers) > 1


def test_several_objectives_give_several_losses(toy):
    outcome = evaluate(problem(toy, objectives=("energy", "latency", "area")), {"pes": 8})
    metrics = outcome.metrics
    assert outcome.losses == (metrics["energy_pj"], metrics["cycles"], metrics["area_mm2"])


def test_a_design_that_cannot_be_built_says_by_how_much(toy):
    outcome = evaluate(problem(toy), {"pes": 32, "buffer": 256})
    assert (outcome.state, outcome.violation) == (State.INFEASIBLE, 1.0)
    assert "too many ports" in outcome.reason
    assert outcome.violations == {"ports": 1.0}


def test_limits_that_are_met_say_how_much_is_to_spare(toy):
    limits = ("area_mm2<=0.1", "area_mm2>=0.1", "area_mm2<=1")
    outcome = evaluate(problem(toy, constraints=limits), {"pes": 2, "buffer": 32})
    expected = {"area_mm2<=0.1": 4.2, "area_mm2>=0.1": -4.2, "area_mm2<=1": -0.48}
    assert outcome.violations == pytest.approx(expected)


def test_a_layer_that_fits_nowhere_says_which(toy):
    outcome = evaluate(problem(toy, "gemm:M=1,N=2,K=2"), {})
    assert (outcome.state, outcome.violation) == (State.INFEASIBLE, 1.0)
    assert "layer 'gemm' is too small" in outcome.reason
    assert outcome.violations == {MAPPING: 1.0}
    assert outcome.unmapped is not None


def test_a_known_limit_is_checked_before_any_mapping(toy):
    outcome = evaluate(problem(toy, constraints=("area_mm2<=0.1",)), {"pes": 2, "buffer": 32})
    assert outcome.state is State.INFEASIBLE
    assert outcome.layers == ()
    assert outcome.violation == pytest.approx(4.2)
    assert outcome.reason == "area_mm2 is 0.52, not <=0.1"


def test_a_limit_on_the_result_keeps_the_costs(toy):
    outcome = evaluate(problem(toy, constraints=("cycles<=1000", "edp<=1", "cycles>=1")), {})
    assert outcome.state is State.INFEASIBLE
    assert outcome.metrics["cycles"] > 1000
    assert outcome.losses == ()
    expected = outcome.metrics["cycles"] / 1000 - 1
    edp = outcome.metrics["cycles"] * outcome.metrics["energy_pj"] - 1
    assert outcome.violation == pytest.approx(expected + edp)
    assert "cycles is" in outcome.reason
    assert "edp is" in outcome.reason


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("raise", "toys break"),
        ("nan", "nan"),
        ("negative", "of -"),
        ("shape", "shapes"),
        ("build", "ZeroDivisionError"),
        ("area", "-1.0 mm2"),
    ],
)
def test_whatever_a_plugin_does_an_outcome_comes_back(toy, fault, said):
    outcome = evaluate(problem(toy, hardware=f"toy:fault={fault}"), {"pes": 4})
    assert outcome.state is State.FAILED
    assert said in outcome.reason
    assert "toy" in outcome.reason


def test_an_objective_that_nothing_can_compute_names_what_is_missing(toy, monkeypatch):
    with pytest.raises(CosearchError, match="no accuracy is known of the network"):
        problem(toy, objectives=("error",))


def test_a_mapper_that_refuses_says_what_to_do_instead(toy):
    found = problem(toy)
    found = evolve(found, mapper=toy.find("mappers", "exact").make())
    outcome = evaluate(found, {})
    assert outcome.state is State.FAILED
    assert "the exact mapper needs a loop-nest machine" in outcome.reason
    assert "(name another mapper: -m random)" in outcome.reason


def claim(problem, monkeypatch, **changes):
    true = problem.mapper.map

    def lying(accelerator, layer, objective, budget, rng):
        found = true(accelerator, layer, objective, budget, rng)
        values = {"row": found.row, "energy_pj": found.energy_pj, "cycles": found.cycles}
        return Mapped(**{**values, **changes})

    monkeypatch.setattr(problem.mapper, "map", lying)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"energy_pj": 1.0}, "claims 1 pJ"),
        ({"cycles": 3.0}, "and 3 cycles"),
        ({"row": np.array([0, 0, 99])}, "not in the mapspace"),
        ({"row": np.array([0, 0])}, "not in the mapspace"),
        ({"row": np.array([0, 5, 0])}, "there are too few PEs"),
        ({"sizes": (1,)}, "at the sizes (1,), less than"),
    ],
)
def test_a_mapper_that_claims_what_is_not_so_is_caught(toy, monkeypatch, changes, said):
    found = problem(toy)
    claim(found, monkeypatch, **changes)
    outcome = evaluate(found, {})
    assert outcome.state is State.FAILED
    assert "mapper 'random'" in outcome.reason
    assert said in outcome.reason


def test_a_mapper_that_adds_up_in_another_order_is_believed_but_not_copied(toy, monkeypatch):
    found, true = problem(toy, "gemm"), evaluate(problem(toy, "gemm"), {})
    energy = true.layers[0].energy_pj
    claim(found, monkeypatch, energy_pj=energy * (1 + 1e-15))
    assert evaluate(found, {}).layers[0].energy_pj == energy


class Remembered:
    def __init__(self, found):
        self.found, self.asked = found, []

    def find(self, accelerator, layer, purpose):
        self.asked.append((accelerator, layer, purpose))
        return self.found.get(layer)


def test_what_the_cache_has_is_not_mapped_again(toy, monkeypatch):
    found = problem(toy)
    first = evaluate(found, {})
    cache = Remembered({x.key: x for x in first.layers})
    monkeypatch.setattr(found.mapper, "map", None)
    again = evaluate(found, {}, cache)
    assert (again.layers, again.losses) == (first.layers, first.losses)
    assert {purpose for _, _, purpose in cache.asked} == {found.task.remembered_by()}


@pytest.mark.parametrize("change", [{"energy_pj": 1.0}, {"cycles": 1.0}, {"row": (0, 0, 99)}])
def test_what_the_cache_has_wrong_is_mapped_again(toy, change):
    found = problem(toy)
    first = evaluate(found, {})
    stale = Remembered({x.key: evolve(x, **change) for x in first.layers})
    assert evaluate(found, {}, stale).losses == first.losses


def test_what_the_cache_knows_to_fit_nowhere_is_not_tried_again(toy, monkeypatch):
    found = problem(toy)
    key = found.network.unique[0].einsum.key
    cache = Remembered({key: Unmapped(key, "fits nowhere", 0.5, 3)})
    monkeypatch.setattr(found.mapper, "map", None)
    outcome = evaluate(found, {}, cache)
    assert (outcome.reason, outcome.violation) == ("fits nowhere", 0.5)
