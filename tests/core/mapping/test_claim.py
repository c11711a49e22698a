import copy

import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import PluginError
from cosearch.hooks.discovery import load_registry
from cosearch.machine.building import build
from cosearch.mapping.claim import CLAIM, agree, explained, price_of
from cosearch.mapping.layer import search_layer
from cosearch.study.building import problem_of
from cosearch.trials.spec import StudySpec


@pytest.fixture(scope="module")
def mapped():
    spec = StudySpec("gemm:M=12,N=6,K=35", "systolic", "random", "random", mapper_evaluations=9)
    problem = problem_of(spec, load_registry(third_party=False))
    machine = build(problem.hardware, problem.hardware.baseline)
    (layer,) = problem.network.unique
    return search_layer(problem.task, machine, layer), machine, layer.einsum


def test_accounts_agree_up_to_the_order_of_adding_up():
    assert agree((1.0, 5.0), (1.0 + CLAIM / 2, 5.0))
    assert not agree((1.0, 5.0), (1.0 + 3 * CLAIM, 5.0))
    assert not agree((1.0, 5.0), (1.0, 5.0 + 1e-9))
    assert not agree((float("nan"), 5.0), (float("nan"), 5.0))


def test_the_reference_model_explains_what_the_machine_priced(mapped):
    result, machine, layer = mapped
    assert explained(result, machine, layer).cycles == result.cycles


@pytest.mark.parametrize("change", [{"energy_pj": 1.0}, {"cycles": 1.0}])
def test_a_reference_model_that_says_otherwise_is_told(mapped, change):
    result, machine, layer = mapped
    with pytest.raises(PluginError, match="its reference model says"):
        explained(evolve(result, **change), machine, layer)


def test_a_mapping_is_priced_once_and_a_class_made_anew_again(mapped, monkeypatch):
    result, machine, layer = mapped
    row = np.array(result.row, dtype=np.int64)
    asked = []
    kind = type(machine)

    class Anew(kind):
        def evaluate(self, layer, rows):
            asked.append(rows)
            costs = super().evaluate(layer, rows)
            return evolve(costs, energy_pj=2 * costs.energy_pj)

    assert price_of(machine, layer, row) == (result.energy_pj, result.cycles)
    other = copy.copy(machine)
    other.__class__ = Anew
    assert other.key == machine.key
    for _ in range(2):
        assert price_of(other, layer, row) == (2 * result.energy_pj, result.cycles)
    assert len(asked) == 1
    assert isinstance(price_of(machine, layer, row[None, :]), str)
    assert isinstance(price_of(machine, layer, row - 10**6), str)
