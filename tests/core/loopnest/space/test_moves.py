"""Moves stay in the space and change what they say."""

import numpy as np
import pytest

from cosearch.loopnest.space.mapspace import MapSpace
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.workload.einsum import conv

ONE = AccessEnergy.uniform(1.0)
ARCHITECTURE = Architecture(
    "machine",
    (
        Memory("pe", 300, ONE, mesh_x=4, mesh_y=3, may_keep={"Weights"}, keeps={"Outputs"}),
        Memory("buffer", 5000, ONE),
        Memory("DRAM", None, ONE),
    ),
    Compute(1.0, 4, 3),
)


@pytest.fixture(scope="module")
def space():
    return MapSpace(ARCHITECTURE, conv(K=16, C=12, P=14, Q=14, R=3, S=3))


def test_a_neighbour_differs_in_one_column(space):
    rng = np.random.default_rng(0)
    rows = space.sample(500, rng)
    near = space.perturb(rows, rng)
    assert ((near >= 0) & (near < space.cardinalities)).all()
    assert ((near != rows).sum(axis=1) == 1).all()
    before, after = space.factors(rows), space.factors(near)
    moved = (before != after).reshape(len(rows), -1).sum(axis=1)
    assert np.median(moved[moved > 0]) == 2  # one prime left a slot and entered another
    assert (before.prod(axis=1) == after.prod(axis=1)).all()


def test_children_take_whole_dimensions_and_levels(space):
    rng = np.random.default_rng(1)
    a, b = space.sample(200, rng), space.sample(200, rng)
    child = space.crossover(a, b, rng)
    assert ((child == a) | (child == b)).all()
    factors = [space.factors(rows) for rows in (a, b, child)]
    for d in range(len(space.dims)):
        same = [(factors[2][:, :, d] == f[:, :, d]).all(axis=1) for f in factors[:2]]
        assert (same[0] | same[1]).all()


def test_moves_depend_on_the_seed_alone(space):
    rows = space.sample(50, np.random.default_rng(2))
    moved = [space.perturb(rows, np.random.default_rng(3)) for _ in range(2)]
    assert (moved[0] == moved[1]).all()


def test_an_empty_batch_stays_empty(space):
    rng = np.random.default_rng(0)
    none = space.sample(0, rng)
    assert space.perturb(none, rng).shape == none.shape
    assert space.encode(none).shape[0] == space.features(none).shape[0] == 0
