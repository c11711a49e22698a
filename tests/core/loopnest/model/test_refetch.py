"""Small memories are sent again what they cannot keep: never more often than some mapping needs."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cosearch.errors import Infeasible
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.model.floor import floor
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory, Partition
from cosearch.workload.einsum import ROLES, conv, gemm

MOST = 60_000
PJ = st.sampled_from([0.0, 0.1, 1.0, 30.0])
ENERGY = st.builds(AccessEnergy, PJ, PJ, PJ)
SIZE = st.sampled_from([1, 2, 3, 4, 6])


@st.composite
def machines(draw):
    side = draw(st.sampled_from([(1, 1), (2, 1), (2, 3)]))
    keeps = st.frozensets(st.sampled_from(ROLES))
    inner, outer = draw(keeps), draw(keeps)
    parts = st.dictionaries(st.sampled_from(ROLES), st.builds(Partition, st.integers(1, 9), ENERGY))
    dram = draw(st.sampled_from([None, 0.5, 4.0]))
    levels = (
        Memory("local", draw(st.integers(2, 20)), draw(ENERGY), mesh_x=side[0], mesh_y=side[1],
               keeps=inner, partitions=draw(parts)),
        Memory("buffer", draw(st.integers(4, 60)), draw(ENERGY), keeps=outer,
               may_keep=draw(keeps) - outer),
        Memory("DRAM", None, draw(ENERGY), shared_bandwidth=dram, is_dram=True),
    )  # fmt: skip
    return Architecture("small", levels, Compute(0.5, *side))


CONVOLUTIONS = st.builds(
    conv,
    K=SIZE,
    C=SIZE,
    P=st.sampled_from([1, 4]),
    Q=st.just(1),
    R=st.sampled_from([1, 2]),
    S=st.just(1),
    stride=st.sampled_from([(1, 1), (2, 1)]),
)
LAYERS = st.one_of(st.builds(gemm, M=SIZE, N=SIZE, K=SIZE), CONVOLUTIONS)


@settings(max_examples=25, deadline=None)
@given(machines(), LAYERS, st.integers(0, 99))
def test_no_mapping_of_all_undercuts_it(architecture, layer, seed):
    machine = SpatialAccelerator(architecture)
    try:
        space = machine.mapspace(layer)
    except Infeasible:
        assume(False)
    whole = space.size <= MOST
    rows = space.unrank(np.arange(space.size)) if whole else None
    rows = space.sample(MOST, np.random.default_rng(seed)) if rows is None else rows
    costs = machine.evaluate(layer, rows)
    assume(costs.feasible.any())
    energy, cycles = floor(architecture, layer, tight=True)
    assert energy <= costs.energy_pj[costs.feasible].min()
    assert cycles <= costs.cycles[costs.feasible].min()


@pytest.mark.parametrize("entries", [3, 8, 15, 40, 200])
def test_a_product_through_one_buffer_is_bounded_to_the_word(entries):
    one, dear = AccessEnergy.uniform(0.0), AccessEnergy.uniform(1.0)
    architecture = Architecture(
        "two", (Memory("buffer", entries, one), Memory("DRAM", None, dear)), Compute(0.0)
    )
    layer, machine = gemm(M=6, N=8, K=4), SpatialAccelerator(architecture)
    space = machine.mapspace(layer)
    costs = machine.evaluate(layer, space.unrank(np.arange(space.size)))
    least = costs.energy_pj[costs.feasible].min()
    assert floor(architecture, layer, tight=True)[0] == pytest.approx(least)
