import math

import pytest

from cosearch.errors import Infeasible, InputError, PluginError, UnknownNameError
from cosearch.machine.building import build
from cosearch.study.building import (
    canonical,
    canonical_mapper,
    default_mapper,
    make_hardware,
    make_mapper,
    problem_of,
    restricted,
)
from cosearch.trials.spec import StudySpec


def spec(**changes):
    values = {
        "workload": "gemm:M=8,N=8,K=8",
        "hardware": "toy",
        "strategy": "random",
        "mapper": "random",
    }
    return StudySpec(**{**values, **changes})


def test_names_become_what_they_stand_for(toy):
    problem = problem_of(spec(objectives=("energy", "latency"), constraints=("power<=3",)), toy)
    assert problem.network.macs == 512
    assert [o.name for o in problem.objectives] == ["energy", "latency"]
    assert problem.mapper_objective.name == "edp"
    assert str(problem.constraints[0]) == "power<=3"


@pytest.mark.parametrize(
    ("objectives", "mine"),
    [
        (("energy",), "energy"),
        (("energy", "area"), "energy"),
        (("area",), "edp"),
        (("power",), "edp"),
    ],
)
def test_a_mapping_makes_small_what_it_decides(toy, objectives, mine):
    assert problem_of(spec(objectives=objectives), toy).mapper_objective.name == mine


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hardware": "toi"}, "hardware model 'toi'"),
        ({"workload": "resnet19"}, "workload 'resnet19'"),
        ({"mapper": "exat"}, "mapper 'exat'"),
        ({"objectives": ("edb",)}, "objective 'edb'"),
        ({"fixed": {"pe": 3}}, "parameter 'pe'"),
    ],
)
def test_unknown_names_suggest_near_ones(toy, change, said):
    with pytest.raises(UnknownNameError, match=said) as caught:
        problem_of(spec(**change), toy)
    assert "did you mean" in caught.value.hint


def test_a_fixed_parameter_has_one_choice_and_keeps_the_rest(toy):
    space = restricted(make_hardware("toy", toy).space, {"pes": 8})
    assert list(space.cardinalities) == [1, 6, 2]
    assert space.decode(space.sample(1, __import__("numpy").random.default_rng(0))[0])["pes"] == 8


def test_a_fixed_value_that_is_no_choice_is_refused(toy):
    with pytest.raises(InputError, match="pes=5"):
        problem_of(spec(fixed={"pes": 5}), toy)


def test_purpose_of_a_result_holds_all_it_depends_on(toy):
    changes = [
        {},
        {"mapper": "evolutionary"},
        {"objectives": ("energy",)},
        {"seed": 1},
        {"mapper_evaluations": 5},
        {"mapper_seconds": 5.0},
    ]
    purposes = {problem_of(spec(**change), toy).task.purpose() for change in changes}
    assert len(purposes) == len(changes)
    same = [
        problem_of(spec(strategy=s, workload=w), toy).task.purpose()
        for s, w in (("random", "alexnet"), ("evolutionary", "resnet18"))
    ]
    assert same[0] == same[1]


def test_results_of_a_mapper_without_chance_are_shared_by_all_seeds(toy, monkeypatch):
    problems = [problem_of(spec(seed=s), toy) for s in (0, 1)]
    for problem in problems:
        monkeypatch.setattr(problem.mapper, "uses_rng", False, raising=False)
    assert problems[0].task.purpose() == problems[1].task.purpose()


def test_the_network_key_tells_networks_apart(toy):
    keys = {problem_of(spec(workload=w), toy).network_key for w in ("alexnet", "resnet18", "gemm")}
    assert len(keys) == 3


def test_mappers_have_canonical_texts(toy):
    assert canonical_mapper("evolutionary:tournament=5,population=8", toy) == (
        "evolutionary:population=8,tournament=5"
    )
    with pytest.raises(UnknownNameError):
        canonical_mapper("nothing-like-it", toy)


def test_the_default_mapper_is_the_machines_own(toy):
    model = make_hardware("toy", toy)
    assert default_mapper(model, toy) == "random"
    make_mapper(default_mapper(model, toy), toy)


@pytest.mark.parametrize(
    ("fault", "said"), [("build", "raised ZeroDivisionError in build"), ("area", "-1.0 mm2")]
)
def test_a_model_that_breaks_down_is_named(toy, fault, said):
    with pytest.raises(PluginError, match=f"hardware model 'toy'.*{said}"):
        build(make_hardware(f"toy:fault={fault}", toy), {"pes": 4})


def test_infeasible_is_no_fault(toy):
    with pytest.raises(Infeasible, match="too many ports") as caught:
        build(make_hardware("toy", toy), {"pes": 32, "buffer": 256})
    assert math.isclose(caught.value.margins["ports"], 2.0)


def test_settings_in_canonical_form(toy):
    asked = StudySpec.of(
        "gemm",
        " toy : fault = none ",
        mapper="",
        objective="energy, latency",
        constraints=["area_mm2 <= 1e1"],
        fixed={"pes": "8", "bits": 8},
    )
    found = canonical(asked, toy)
    assert found.hardware == "toy:fault=none"
    assert found.objectives == ("energy", "latency")
    assert found.constraints == ("area_mm2<=10",)
    assert found.fixed == {"bits": 8, "pes": 8}
    assert found.mapper
    assert canonical(found, toy) == found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"objective": "edp,edp"}, "twice"),
        ({"constraints": "area_mm2=10"}, "NAME<=NUMBER"),
        ({"fixed": {"pes": "5"}}, "pes=5"),
    ],
)
def test_settings_that_are_refused(toy, given, said):
    with pytest.raises(InputError, match=said):
        canonical(StudySpec.of("gemm", "toy", **given), toy)
