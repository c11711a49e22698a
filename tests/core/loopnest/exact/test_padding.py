from __future__ import annotations

import numpy as np
import pytest

from cosearch.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.einsum import gemm
from cosearch.errors import Infeasible
from cosearch.loopnest.exact.arrays import Aim
from cosearch.loopnest.exact.padding import solve_padded
from cosearch.loopnest.exact.solve import Limits, Solver
from cosearch.loopnest.mapspace import MapSpace
from cosearch.loopnest.reference import analyse

EDP = Aim(1, 1, np.inf, np.inf)


def machine(x, y, entries=32):
    uniform = AccessEnergy.uniform
    return Architecture(
        "odd",
        (
            Memory("PE", entries, uniform(1.0), mesh_x=x, mesh_y=y),
            Memory("buffer", 512, uniform(6.0)),
            Memory("DRAM", None, uniform(50.0), is_dram=True),
        ),
        Compute(1.0, x, y),
    )


def edp(found):
    return found.energy_pj * found.cycles


def test_an_array_of_odd_sides_is_filled():
    layer = gemm(M=8, N=8, K=8)
    plain = Solver(MapSpace(machine(3, 3), layer)).solve(EDP)
    padded = solve_padded(machine(3, 3), layer, EDP)
    assert padded.found.proven
    assert edp(padded.found) < edp(plain)
    assert padded.layer.macs > layer.macs
    cost = analyse(machine(3, 3), padded.layer, padded.found.mapping)
    assert (cost.energy_pj, cost.cycles) == (padded.found.energy_pj, padded.found.cycles)


def test_it_is_the_best_of_all_sizes():
    layer = gemm(M=5, N=7, K=4)
    best = np.inf
    for m in (5, 6):
        for n in (7, 8):
            for k in (4, 5):
                if m * n * k <= 1.25 * layer.macs:
                    found = Solver(MapSpace(machine(3, 2), gemm(M=m, N=n, K=k))).solve(EDP)
                    best = min(best, edp(found))
    assert edp(solve_padded(machine(3, 2), layer, EDP).found) == best


def test_nothing_is_padded_where_everything_divides():
    layer = gemm(M=8, N=8, K=8)
    assert solve_padded(machine(2, 2), layer, EDP).layer == layer


def test_a_limit_leaves_nothing_proven():
    padded = solve_padded(machine(3, 3), gemm(M=8, N=8, K=8), EDP, limits=Limits(evaluations=1))
    assert padded.found.mapping is not None
    assert not padded.found.proven
    assert padded.found.gap is None


def test_a_layer_that_fits_nowhere_is_infeasible():
    with pytest.raises(Infeasible):
        solve_padded(machine(2, 2, entries=1), gemm(M=2, N=2, K=2), EDP)
