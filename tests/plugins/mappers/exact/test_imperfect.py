from __future__ import annotations

import math

import numpy as np
import pytest

from cosearch.errors import Infeasible
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.model.partial_tiles import partial_cost
from cosearch.loopnest.model.reference import analyse
from cosearch.loopnest.space.mapspace import MapSpace
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.workload.einsum import conv, gemm
from cosearch_plugins.mappers.exact.arrays import Aim
from cosearch_plugins.mappers.exact.imperfect import solve_imperfect
from cosearch_plugins.mappers.exact.padding import Scope, padded_sizes
from cosearch_plugins.mappers.exact.solve import Limits, Solver

EDP, LATENCY, SUM = Aim(1, 1), Aim(0, 1), Aim.weighted(1.0, 30.0)


def machine(x, y, entries=32, bandwidth=None):
    uniform = AccessEnergy.uniform
    return Architecture(
        "odd",
        (
            Memory("PE", entries, uniform(1.0), mesh_x=x, mesh_y=y),
            Memory("buffer", 512, uniform(6.0)),
            Memory("DRAM", None, uniform(50.0), shared_bandwidth=bandwidth, is_dram=True),
        ),
        Compute(1.0, x, y),
    )


def solve(architecture, layer, aim=EDP, scope=Scope.ALL, **options):
    return solve_imperfect(lambda run: MapSpace(architecture, run), layer, aim, scope, **options)


def value(aim, found):
    return aim.value(found.energy_pj, found.cycles)


def test_an_array_of_odd_sides_is_filled():
    layer = gemm(M=8, N=8, K=8)
    plain = Solver(MapSpace(machine(3, 3), layer)).solve(EDP)
    best = solve(machine(3, 3), layer, scope=Scope.SPATIAL)
    assert best.found.proven
    assert best.found.gap == 0
    assert value(EDP, best.found) < value(EDP, plain)
    assert best.layer.macs > layer.macs
    cost = analyse(machine(3, 3), best.layer, best.found.mapping)
    assert (cost.energy_pj, cost.cycles) == (best.found.energy_pj, best.found.cycles)
    price = partial_cost(machine(3, 3), layer, best.found.mapping)
    assert (price.energy_pj, price.cycles) == (best.partial.energy_pj, best.partial.cycles)
    assert price.energy_pj < best.found.energy_pj


CASES = [
    (machine(3, 2), gemm(M=5, N=7, K=4), EDP),
    (machine(3, 2, bandwidth=0.5), gemm(M=5, N=7, K=4), LATENCY),
    (machine(2, 5), gemm(M=9, N=3, K=5), SUM),
    (machine(3, 3), conv(K=4, C=1, P=7, Q=1, R=3), EDP),
    (machine(4, 1, bandwidth=1.0), conv(K=2, C=1, P=5, Q=1, R=2, stride=(2, 1)), EDP),
]


@pytest.mark.parametrize(("architecture", "layer", "aim"), CASES)
def test_every_mapping_of_every_size_is_no_better(architecture, layer, aim):
    best = solve(architecture, layer, aim)
    priced = partial = math.inf
    layers = [layer, *(size.layer for size in padded_sizes(architecture, layer, Scope.ALL))]
    assert best.sizes == len(layers) > 1
    for run in layers:
        accelerator = SpatialAccelerator(architecture)
        space = accelerator.mapspace(run)
        for rows in space.enumerate(65_536):
            costs = accelerator.evaluate(run, rows)
            values = np.array(
                [aim.value(e, c) for e, c in zip(costs.energy_pj, costs.cycles, strict=True)]
            )
            values[~costs.feasible] = np.inf
            priced = min(priced, values.min())
            for i in np.argsort(values)[:15]:
                price = partial_cost(architecture, layer, space.mapping_of(rows[i]))
                partial = min(partial, value(aim, price))
    assert best.found.proven
    assert value(aim, best.found) == pytest.approx(priced, rel=1e-12)
    assert partial >= value(aim, best.partial) * (1 - best.partial.gap) * (1 - 1e-12)


def test_of_the_fastest_it_takes_the_cheapest_of_any_size():
    layer, array = gemm(M=8, N=8, K=8), machine(3, 3)
    best = solve(array, layer, LATENCY)
    least = min(
        Solver(MapSpace(array, size.layer)).solve(LATENCY).cycles
        for size in padded_sizes(array, layer, Scope.ALL)
    )
    assert best.found.proven
    assert best.found.cycles == least
    for size in padded_sizes(array, layer, Scope.ALL):
        found = Solver(MapSpace(array, size.layer)).solve(Aim(1, 0, np.inf, least))
        assert found.energy_pj >= best.found.energy_pj


def test_nothing_is_rounded_up_where_everything_divides():
    best = solve(machine(2, 2), gemm(M=8, N=8, K=8), scope=Scope.SPATIAL)
    assert best.layer.sizes == (8, 8, 8)
    assert best.partial.gap == 0


def test_a_limit_leaves_a_gap():
    layer = gemm(M=8, N=8, K=8)
    best = solve(machine(3, 3), layer, limits=Limits(nodes=1))
    assert best.found.mapping is not None
    assert not best.found.proven
    whole = solve(machine(3, 3), layer)
    assert value(EDP, whole.found) >= value(EDP, best.found) * (1 - best.found.gap)
    assert best.partial.gap is None or best.partial.gap >= 0


def test_without_a_comparison_there_is_no_gap():
    assert solve(machine(3, 3), gemm(M=8, N=8, K=8), compare=False).partial.gap is None


def test_a_layer_that_fits_nowhere_is_infeasible():
    with pytest.raises(Infeasible):
        solve(machine(2, 2, entries=1), gemm(M=2, N=2, K=2))
