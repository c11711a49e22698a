import threading

import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import Infeasible, PluginError, UnknownNameError
from cosearch.hooks.discovery import load_registry
from cosearch.machine.building import build
from cosearch.mapping.mapper import Mapper
from cosearch.mapping.network import NetworkResult, account_layers, map_layers
from cosearch.mapping.result import LayerResult, Unmapped
from cosearch.mapping.threads import ThreadPool, Worker
from cosearch.search.objective import OBJECTIVES
from cosearch.study.building import problem_of
from cosearch.study.evaluation import evaluate
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


def pool(problem, machine, threads=1):
    return ThreadPool(tuple(Worker(problem.task, machine) for _ in range(threads)))


def mapped(problem, machine):
    return map_layers(pool(problem, machine), problem.network.unique)


def test_every_unique_layer_is_mapped_in_order(problem, machine):
    accounts = list(account_layers(pool(problem, machine), problem.network.unique))
    assert [r.layer for r in accounts] == list(problem.network.unique)
    for account in accounts:
        assert account.cost.energy_pj == pytest.approx(account.result.energy_pj, rel=1e-12)
        assert account.cost.cycles == account.result.cycles


def test_layers_are_mapped_one_by_one(problem, machine):
    calls = []

    def count(mapped):
        calls.append(1)
        return mapped

    next(mapped(scripted(problem, count), machine))
    assert len(calls) == 1


def test_the_result_depends_on_the_seed_and_on_nothing_before_it(problem, machine):
    whole = [r.row for r in mapped(problem, machine)]
    last = map_layers(pool(problem, machine), problem.network.unique[-1:])
    assert next(last).row == whole[-1]


def test_the_result_does_not_depend_on_how_many_threads(problem, machine):
    own = list(mapped(problem, machine))
    workers = pool(problem, machine, 3)
    threaded = list(map_layers(workers, problem.network.unique))
    assert [evolve(r, seconds=0.0) for r in threaded] == [evolve(r, seconds=0.0) for r in own]


def test_a_study_and_a_machine_by_itself_are_mapped_alike(problem, machine):
    outcome = evaluate(problem, problem.hardware.baseline)
    own = tuple(evolve(r, seconds=0.0) for r in mapped(problem, machine))
    assert tuple(evolve(r, seconds=0.0) for r in outcome.layers) == own


@pytest.mark.parametrize(
    "lie",
    [
        lambda m: evolve(m, energy_pj=m.energy_pj * (1 - 1e-6)),
        lambda m: evolve(m, cycles=m.cycles - 1),
        lambda m: evolve(m, energy_pj=float("nan")),
    ],
)
def test_what_the_machine_does_not_confirm_is_refused(problem, machine, lie):
    with pytest.raises(PluginError, match=r"claims .* the machine says"):
        list(mapped(scripted(problem, lie), machine))


def test_a_layer_that_fits_nowhere_is_a_result_and_the_others_go_on(problem, machine):
    def refuse(mapped):
        raise Infeasible("too large", {"buffer": 2.0, "no room": np.inf}, "enlarge it")

    results = list(mapped(scripted(problem, refuse), machine))
    assert len(results) == len(problem.network.unique)
    for result in results:
        assert isinstance(result, Unmapped)
        assert (result.margins, result.hint, result.violation) == ({"buffer": 2.0}, "enlarge it", 1)


def test_a_mapper_that_breaks_down_is_named(problem, machine):
    def crash(mapped):
        raise ZeroDivisionError("oh")

    with pytest.raises(PluginError, match=r"mapper 'random' of .* raised ZeroDivisionError .*oh"):
        list(mapped(scripted(problem, crash), machine))


def test_an_error_that_already_says_what_to_do_is_passed_on(problem, machine):
    def unknown(mapped):
        raise UnknownNameError("x", "y", ["z"])

    with pytest.raises(UnknownNameError):
        list(mapped(scripted(problem, unknown), machine))


def test_a_row_that_is_a_list_is_understood(problem, machine):
    result = next(mapped(scripted(problem, lambda m: evolve(m, row=m.row.tolist())), machine))
    assert np.isfinite(result.energy_pj)


class Remembered:
    def __init__(self, results):
        self.results, self.threads = {x.key: x for x in results}, set()

    def find(self, accelerator, layer, purpose):  # noqa: ARG002
        self.threads.add(threading.get_ident())
        return self.results.get(layer)


def test_the_cache_is_asked_by_whoever_asks_and_spares_the_mapper(problem, machine, monkeypatch):
    own = list(mapped(problem, machine))
    cache = Remembered(own)
    broken = scripted(problem, None)
    again = list(map_layers(pool(broken, machine, 2), problem.network.unique, cache))
    assert (again, cache.threads) == (own, {threading.get_ident()})


CHOSEN = NetworkResult(
    OBJECTIVES[0],
    (LayerResult("a", "k", 2, (1,), 3.0, 31.0), LayerResult("b", "l", 1, (1,), 100.0, 1.0)),
    (
        LayerResult("a", "k", 2, (2,), 10.0, 10.0),
        LayerResult("b", "l", 1, (1,), 100.0, 1.0, nodes=9),
    ),
    0.0,
    0.2,
)


def test_a_network_adds_up_its_runs_and_knows_which_layers_changed():
    assert (CHOSEN.energy_pj, CHOSEN.cycles, CHOSEN.value) == (120.0, 21.0, 2520.0)
    assert CHOSEN.own_value == 106.0 * 63.0
    assert CHOSEN.changed == [0]
