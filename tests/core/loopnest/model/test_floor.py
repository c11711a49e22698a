"""No mapping undercuts the floor of its machine."""

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cosearch.errors import Infeasible
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.mapping import LevelConstraint
from cosearch.loopnest.model.floor import floor
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.workload.einsum import gemm


def check(architecture, layer, seed):
    machine = SpatialAccelerator(architecture)
    try:
        space = machine.mapspace(layer)
    except Infeasible:
        assume(False)
    rows = space.sample(2000, np.random.default_rng(seed))
    costs = machine.evaluate(layer, rows)
    assume(costs.feasible.any())
    energy, cycles = machine.tight_floor(layer)
    assert energy <= costs.energy_pj[costs.feasible].min()
    assert cycles <= costs.cycles[costs.feasible].min()


def test_nothing_undercuts_it(cases):
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(cases.plain_machines, cases.layers, st.integers(0, 2**32))
    def run(architecture, layer, seed):
        check(architecture, layer, seed)

    run()


def test_by_hand():
    one = AccessEnergy.uniform(1.0)
    machine = Architecture(
        "two",
        (Memory("buffer", 1000, one), Memory("DRAM", None, AccessEnergy.uniform(100.0))),
        Compute(2.0, mesh_x=4),
    )
    energy, cycles = floor(machine, gemm(M=4, N=5, K=6), tight=True)
    macs, weights, inputs, outputs = 120, 30, 24, 20
    operands = 3 * macs / 4  # four multipliers share what the buffer reads
    added_to = macs / 4 - outputs  # all but the first of a result's sums
    moved = (weights + inputs) * (1 + 100) + outputs * 100
    assert np.isclose(energy, 2 * macs + operands + added_to + moved)
    assert np.isclose(cycles, macs / 4)


def test_more_may_be_used_below_one_instance_than_stand_there():
    one = AccessEnergy.uniform(1.0)
    machine = Architecture(
        "uneven",
        (Memory("local", 100, one, mesh_x=2), Memory("DRAM", None, AccessEnergy.uniform(10.0))),
        Compute(0.0, mesh_x=10),
    )
    layer = gemm(M=9, N=9, K=1)
    accelerator = SpatialAccelerator(machine)
    rows = accelerator.mapspace(layer).sample(500, np.random.default_rng(0))
    costs = accelerator.evaluate(layer, rows)
    least = costs.cycles[costs.feasible].min()
    assert least == layer.macs / 9
    assert floor(machine, layer)[1] <= least


def test_a_side_is_filled_as_far_as_its_dimensions_divide():
    one = AccessEnergy.uniform(1.0)
    machine = Architecture(
        "two",
        (Memory("buffer", 1000, one), Memory("DRAM", None, AccessEnergy.uniform(100.0))),
        Compute(2.0, mesh_x=4, mesh_y=7),
    )
    layer = gemm(M=6, N=5, K=9)
    only = {"buffer": LevelConstraint(x_dims=frozenset("M"), y_dims=frozenset("NK"))}
    assert np.isclose(floor(machine, layer)[1], layer.macs / (3 * 6))
    assert np.isclose(floor(machine, layer, only)[1], layer.macs / (3 * 5))
