import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import Infeasible, PluginError, UnknownNameError
from cosearch.hooks.discovery import load_registry
from cosearch.machine.building import build
from cosearch.mapping.mapper import Mapped, Mapper
from cosearch.mapping.network import map_layers
from cosearch.study.building import problem_of
from cosearch.trials.spec import StudySpec


@pytest.fixture(scope="module")
def problem():
    spec = StudySpec("alexnet", "systolic", "random", "random", mapper_evaluations=30)
    return problem_of(spec, load_registry(third_party=False))


@pytest.fixture(scope="module")
def machine(problem):
    return build(problem.hardware, problem.hardware.baseline)


class Scripted(Mapper):
    """Answers with what a function of the honest answer returns."""

    def __init__(self, honest, change):
        self.honest, self.change = honest, change

    def map(self, accelerator, layer, objective, budget, rng):
        return self.change(self.honest.map(accelerator, layer, objective, budget, rng))


def scripted(problem, change):
    return evolve(problem, mapper=Scripted(problem.mapper, change))


def test_every_unique_layer_is_mapped_in_order(problem, machine):
    results = list(map_layers(problem, machine))
    assert [r.layer for r in results] == list(problem.network.unique)
    for result in results:
        assert result.cost.energy_pj == pytest.approx(result.mapped.energy_pj, rel=1e-12)
        assert result.cost.cycles == result.mapped.cycles


def test_layers_are_mapped_one_by_one(problem, machine):
    calls = []

    def count(mapped):
        calls.append(1)
        return mapped

    next(map_layers(scripted(problem, count), machine))
    assert len(calls) == 1


def test_the_result_depends_on_the_seed_and_on_nothing_before_it(problem, machine):
    whole = [r.mapped.row.tolist() for r in map_layers(problem, machine)]
    alone = evolve(problem, network=evolve(problem.network, layers=problem.network.layers[-1:]))
    assert next(map_layers(alone, machine)).mapped.row.tolist() == whole[-1]


@pytest.mark.parametrize(
    "lie",
    [
        lambda m: evolve(m, energy_pj=m.energy_pj * (1 - 1e-6)),
        lambda m: evolve(m, cycles=m.cycles - 1),
        lambda m: evolve(m, energy_pj=float("nan")),
    ],
)
def test_what_the_machine_does_not_confirm_is_refused(problem, machine, lie):
    with pytest.raises(PluginError, match="the model of the machine says"):
        list(map_layers(scripted(problem, lie), machine))


def test_a_layer_that_fits_nowhere_is_a_result_and_the_others_go_on(problem, machine):
    def refuse(mapped):
        raise Infeasible("too large", {"buffer": 2.0})

    results = list(map_layers(scripted(problem, refuse), machine))
    assert len(results) == len(problem.network.unique)
    assert all(r.mapped is None and r.verdict.margins == {"buffer": 2.0} for r in results)


def test_a_mapper_that_breaks_down_is_named(problem, machine):
    def crash(mapped):
        raise ZeroDivisionError("oh")

    with pytest.raises(PluginError, match=r"mapper 'random' raised ZeroDivisionError .*oh"):
        list(map_layers(scripted(problem, crash), machine))


def test_an_error_that_already_says_what_to_do_is_passed_on(problem, machine):
    def unknown(mapped):
        raise UnknownNameError("x", "y", ["z"])

    with pytest.raises(UnknownNameError):
        list(map_layers(scripted(problem, unknown), machine))


def test_a_row_that_is_a_list_is_understood(problem, machine):
    result = next(map_layers(scripted(problem, lambda m: evolve(m, row=m.row.tolist())), machine))
    assert isinstance(result.mapped, Mapped)
    assert np.isfinite(result.cost.energy_pj)
