"""Enumeration with bounds finds what plain enumeration finds, and says when it did not finish."""

from types import SimpleNamespace

import numpy as np
import pytest

from cosearch.errors import CosearchError
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES, Objective, checked
from cosearch.workload.einsum import gemm
from cosearch_hardware.systolic.model import Systolic
from cosearch_plugins.mappers import exhaustive
from cosearch_plugins.mappers.exhaustive import Exhaustive, rows_at

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def machine():
    model = Systolic()
    return model.build(model.baseline)


@pytest.mark.parametrize("objective", OBJECTIVES[:4], ids=lambda o: o.name)
def test_equals_plain_enumeration(machine, objective):
    layer = gemm(M=24, N=36, K=20)
    space = machine.mapspace(layer)
    rows = rows_at(space, np.arange(space.size))
    assert len(np.unique(rows, axis=0)) == space.size
    costs = machine.evaluate(layer, rows)
    metrics = {"energy_pj": costs.energy_pj, "cycles": costs.cycles}
    found = Exhaustive().map(machine, layer, objective, Budget(), RNG)
    mine = {"energy_pj": np.array([found.energy_pj]), "cycles": np.array([found.cycles])}
    assert found.proven
    assert objective.of(mine)[0] == objective.of(metrics).min()


def test_an_objective_of_a_plugin_may_be_infinite_where_bounds_are_zero(machine, monkeypatch):
    monkeypatch.setattr(type(machine), "bounds", Accelerator.bounds)
    layer = gemm(M=8, N=12, K=4)
    mine = Objective("mine", "", lambda m: np.log10(m["energy_pj"] * m["cycles"]), monotone=True)
    found = Exhaustive().map(machine, layer, checked(mine, "somewhere 1.0"), Budget(), RNG)
    plain = Exhaustive().map(machine, layer, OBJECTIVES[0], Budget(), RNG)
    assert found.proven
    assert found.energy_pj * found.cycles == plain.energy_pj * plain.cycles


def test_out_of_time_it_does_not_claim_a_proof(machine):
    layer = gemm(M=720, N=720, K=720)
    found = Exhaustive().map(machine, layer, OBJECTIVES[0], Budget(seconds=0.0), RNG)
    assert not found.proven
    assert found.gap > 0
    assert found.evaluations < found.nodes


def test_a_space_too_large_is_refused(machine):
    with pytest.raises(CosearchError, match="more than `exhaustive` takes on"):
        Exhaustive(limit=1000).map(machine, gemm(M=64, N=64, K=64), OBJECTIVES[0], Budget(), RNG)


def slow(machine, seconds, monkeypatch):
    """Have a machine say that pricing a mapping takes so long; return how many were priced."""
    counted, evaluate = [], type(machine).evaluate
    monkeypatch.setattr(
        type(machine), "pricing_seconds", lambda _, __, rows: np.full(len(rows), seconds)
    )
    monkeypatch.setattr(
        type(machine),
        "evaluate",
        lambda s, x, rows: counted.append(len(rows)) or evaluate(s, x, rows),
    )
    return counted


def test_no_more_mappings_are_priced_than_there_is_time_for(machine, monkeypatch):
    layer, counted = gemm(M=720, N=720, K=720), slow(machine, 100.0, monkeypatch)
    clock = SimpleNamespace(perf_counter=lambda: 100.0 * sum(counted))
    monkeypatch.setattr(exhaustive, "time", clock)
    found = Exhaustive().map(machine, layer, OBJECTIVES[0], Budget(seconds=350.0), RNG)
    assert counted == [1, 2]
    assert not found.proven
    assert found.gap > 0


def test_a_machine_too_slow_for_one_mapping_says_so(machine, monkeypatch):
    counted = slow(machine, 100.0, monkeypatch)
    with pytest.raises(CosearchError, match="takes about 1 min 40 s to price one mapping"):
        Exhaustive().map(machine, gemm(M=64, N=64, K=64), OBJECTIVES[0], Budget(seconds=50.0), RNG)
    assert not counted
    Exhaustive().map(machine, gemm(M=64, N=64, K=64), OBJECTIVES[0], Budget(), RNG)
    assert counted
