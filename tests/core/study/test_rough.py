import math

import numpy as np
import pytest

from cosearch.errors import CosearchError
from cosearch.study import rough
from cosearch.study.codesign import plan
from cosearch.study.rough import rough_layer, rough_loss

LAYER = "gemm:M=4,N=2,K=4"


@pytest.fixture
def problem(toy):
    return plan(toy, LAYER, "eyeriss", "random")


def every_cost(problem):
    machine = problem.machine(problem.baseline)
    layer = problem.network.unique[0].einsum
    costs = [machine.evaluate(layer, rows) for rows in machine.mapspace(layer).enumerate()]
    energy, cycles, feasible = (
        np.concatenate([getattr(c, what) for c in costs])
        for what in ("energy_pj", "cycles", "feasible")
    )
    return machine, layer, set(zip(energy[feasible], cycles[feasible], strict=True))


def test_a_rough_layer_costs_what_one_of_its_mappings_does(problem):
    machine, layer, costs = every_cost(problem)
    found = rough_layer(machine, layer, problem.mapper_objective, 1.0)
    assert (found.energy_pj, found.cycles) in costs


def test_more_mappings_make_it_no_worse_than_the_first_one(problem):
    machine, layer, _ = every_cost(problem)
    space = machine.mapspace(layer)
    first = machine.evaluate(layer, np.zeros((1, len(space.cardinalities)), dtype=np.int64))
    assert first.feasible[0]
    found = rough_layer(machine, layer, problem.mapper_objective, 1.0)
    assert found.energy_pj * found.cycles <= first.energy_pj[0] * first.cycles[0]


def test_the_loss_is_the_objective_of_all_layers_together(toy, monkeypatch):
    monkeypatch.setattr(rough, "SECONDS", math.inf)  # else what is found hangs on the time
    monkeypatch.setattr(rough, "MOST_ROWS", 16)
    problem = plan(toy, "resnet18", "eyeriss", "random")
    machine = problem.machine(problem.baseline)
    layers = [
        (layer.count, rough_layer(machine, layer.einsum, problem.mapper_objective, math.inf))
        for layer in problem.network.unique
    ]
    energy, cycles = (sum(n * getattr(x, w) for n, x in layers) for w in ("energy_pj", "cycles"))
    assert rough_loss(problem) == pytest.approx(energy * cycles, rel=1e-12)


def test_nothing_where_nobody_waits_or_mappings_do_not_decide(toy, problem):
    assert rough_loss(problem, lambda: True) is None
    by_area = plan(toy, LAYER, "eyeriss", "random", objective="area")
    assert rough_loss(by_area) is None


def test_a_machine_that_takes_long_for_one_mapping_has_no_rough_figure(toy):
    problem = plan(toy, "gemm:M=100000,N=10000,K=10000", "vta", "random")
    with pytest.raises(CosearchError, match="to price one mapping"):
        rough_loss(problem)
