"""Batches priced as rows, as structs of arrays, in parts, and beyond what float64 holds."""

import logging

import numpy as np
import pytest

from cosearch.errors import CosearchError
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.kernel import nests as pricing
from cosearch.loopnest.kernel.nests import NestPricer
from cosearch.loopnest.kernel.pack import Nests, inexact
from cosearch.loopnest.model.reference import analyse
from cosearch.loopnest.space.mapspace import MapSpace
from cosearch.machine.architecture import (
    AccessEnergy,
    Architecture,
    Compute,
    CostRules,
    Link,
    Memory,
)
from cosearch.workload.einsum import conv, gemm

ROLES = {"Weights", "Inputs", "Outputs"}


def machine(rules=None, words=600):
    e = [AccessEnergy(0.3, 0.4, 0.5), AccessEnergy.uniform(6.1), AccessEnergy.uniform(200.0)]
    return Architecture(
        "machine",
        (
            Memory("pe", words, e[0], mesh_x=4, mesh_y=3, keeps={"Outputs"}, may_keep=ROLES),
            Memory("buffer", 20_000, e[1], read_bandwidth=3.0, network_below=Link(0.3, 0.1)),
            Memory("DRAM", None, e[2], is_dram=True, shared_bandwidth=2.0),
        ),
        Compute(1.0, 4, 3),
        rules=rules or CostRules(),
    )


LAYER = conv(K=8, C=6, P=14, Q=14, R=3, S=3)


@pytest.fixture(scope="module")
def space():
    return MapSpace(machine(), LAYER)


def nests_of(space, rows):
    words = [
        space.orders[level].words[space.orders[level].rank(space.order_of(rows, level))]
        for level in range(3)
    ]
    return Nests(
        np.ascontiguousarray(space.factors(rows).transpose(1, 2, 0)).astype(np.int32),
        np.array(words),
        np.ascontiguousarray(space.keeps_of(rows).transpose(1, 2, 0)),
    )


def assert_same(a, b):
    for field in ("energy_pj", "cycles", "feasible", "reason", "excess"):
        assert np.array_equal(getattr(a, field), getattr(b, field)), field


def test_structs_of_arrays_cost_what_their_rows_cost(space):
    rows = space.sample(3000, np.random.default_rng(0))
    pricer = NestPricer(machine(), LAYER)
    assert_same(pricer.price(nests_of(space, rows)), space.pricer.price(rows))
    checked = pricer.price(nests_of(space, rows), only_check=True)
    assert (checked.feasible == space.feasible(rows)).all()


def test_a_program_for_common_orders_changes_no_bit(space, monkeypatch):
    rows, _ = space.sample_feasible(400, np.random.default_rng(1))
    first = len(space.open_columns)
    for seed in range(6):
        same = rows.copy()
        orders = slice(first, first + len(space.order_levels))
        same[:, orders] = space.sample(1, np.random.default_rng(seed))[:, orders]
        general = space.pricer.price(same)
        with monkeypatch.context() as patch:
            patch.setattr(pricing, "ORDERS_WORTH_A_PROGRAM", 1)
            assert_same(space.pricer.price(same), general)
            assert_same(NestPricer(machine(), LAYER).price(nests_of(space, same)), general)


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_change_nothing(space, threads):
    rows = space.sample(2000, np.random.default_rng(2))
    assert_same(space.pricer.price(rows, threads=threads), space.pricer.price(rows))


def test_parts_of_a_batch_cost_what_the_batch_costs(space):
    rows = space.sample(1000, np.random.default_rng(3))
    whole = space.pricer.price(rows)
    for size in (1, 7, 256, 257):
        part = space.pricer.price(rows[:size])
        assert (part.energy_pj == whole.energy_pj[:size]).all()
    assert len(space.pricer.price(rows[:0]).feasible) == 0


def test_counts_beyond_float64_are_priced_exactly(caplog):
    layer = gemm(M=10**6, N=10**6, K=2 * 10**6)
    assert "float64 is exact up to" in inexact(machine(), layer)
    with caplog.at_level(logging.WARNING, logger="cosearch"):
        accelerator = SpatialAccelerator(machine())
        space = accelerator.mapspace(layer)
        rows, _ = space.sample_feasible(20, np.random.default_rng(0))
        costs = accelerator.evaluate(layer, rows)
    assert "priced by the slow reference model" in caplog.text
    assert len(rows) == 20
    for row, energy, cycles in zip(rows, costs.energy_pj, costs.cycles, strict=True):
        wanted = analyse(space.architecture, layer, space.mapping_of(row))
        assert energy == wanted.energy_pj
        assert cycles == float(wanted.cycles)
        assert wanted.computes == 2 * 10**18
    with pytest.raises(CosearchError, match="cannot be priced in batches"):
        NestPricer(machine(), layer)


def test_large_dimensions_below_the_limit_stay_exact():
    layer = gemm(M=10**6, N=10**3, K=10**3)
    assert inexact(machine(), layer) is None
    space = MapSpace(machine(), layer)
    rows, _ = space.sample_feasible(20, np.random.default_rng(0))
    costs = space.pricer.price(rows)
    for row, energy in zip(rows, costs.energy_pj, strict=True):
        assert energy == analyse(space.architecture, layer, space.mapping_of(row)).energy_pj


def test_link_transfers_are_priced_by_the_reference():
    linked = machine(CostRules(link_transfers=True))
    layer = gemm(M=4, N=4, K=4)
    space = MapSpace(linked, layer)
    rows, _ = space.sample_feasible(10, np.random.default_rng(0))
    costs = space.pricer.price(rows)
    for row, energy in zip(rows, costs.energy_pj, strict=True):
        assert energy == analyse(linked, layer, space.mapping_of(row)).energy_pj


def test_an_accelerator_explains_what_it_prices():
    accelerator = SpatialAccelerator(machine())
    rows, _ = accelerator.mapspace(LAYER).sample_feasible(5, np.random.default_rng(0))
    costs = accelerator.evaluate(LAYER, rows)
    for row, energy, cycles in zip(rows, costs.energy_pj, costs.cycles, strict=True):
        cost = accelerator.explain(LAYER, row)
        assert (cost.energy_pj, cost.cycles) == (energy, cycles)
    assert accelerator.mapspace(LAYER) is accelerator.mapspace(LAYER)
    assert accelerator.key != SpatialAccelerator(machine(words=601)).key
