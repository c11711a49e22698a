"""The mapspace: every mapping is one row, every row one mapping."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cosearch.errors import CosearchError, Infeasible, UnknownNameError
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.mapping import LevelConstraint, LevelMapping, Loop, Mapping
from cosearch.loopnest.space.mapspace import FEW, MapSpace
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory, Partition
from cosearch.workload.einsum import conv, gemm

ONE = AccessEnergy.uniform(1.0)
SMALL = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def machine(words=10_000, mesh=(4, 2), buffer=None, **kinds):
    return Architecture(
        "machine",
        (
            Memory("pe", words, ONE, mesh_x=mesh[0], mesh_y=mesh[1], **kinds),
            Memory("buffer", buffer, ONE),
            Memory("DRAM", None, ONE, is_dram=True),
        ),
        Compute(1.0, *mesh),
    )


@SMALL
@given(st.data())
def test_rows_and_mappings_are_inverse(cases, data):
    try:
        space = MapSpace(data.draw(cases.plain_machines), data.draw(cases.layers))
    except Infeasible:
        assume(False)
    rows = space.sample(8, np.random.default_rng(data.draw(st.integers(0, 2**32))))
    for row in rows:
        mapping = space.mapping_of(row)
        canonical = space.row_of(mapping)
        assert space.mapping_of(canonical) == mapping
        assert (space.row_of(space.mapping_of(canonical)) == canonical).all()
        factors, keeps = len(space.open_columns), len(space.keep_places)
        assert (canonical[:factors] == row[:factors]).all()
        assert (canonical[len(row) - keeps :] == row[len(row) - keeps :]).all()


def test_enumeration_counts_factorizations_by_the_formula():
    layer = gemm(M=12, N=8, K=3)
    space = MapSpace(machine(mesh=(8, 9)), layer)
    slots = 5  # three temporal, X and Y of the buffer
    ways = {p: math.comb(e + slots - 1, slots - 1) for p, e in ((2, 2), (3, 1), (8, 3))}
    assert space.size == ways[2] * ways[3] * ways[8] * ways[3] * math.factorial(3) ** 2
    fixed = {
        "buffer": LevelConstraint(order=("K", "M", "N")),
        "DRAM": LevelConstraint(order=("N",)),
    }
    space = MapSpace(machine(mesh=(8, 9)), layer, fixed)
    rows = np.concatenate(list(space.enumerate(batch=1000)))
    assert len(rows) == space.size == ways[2] * ways[3] * ways[8] * ways[3] * 2
    assert len(np.unique(rows, axis=0)) == len(rows)
    assert len({space.factors(row[None]).tobytes() for row in rows}) == len(rows) // 2


def test_only_choices_that_no_feasible_mapping_holds_are_left_out():
    layer = gemm(M=8, N=4, K=6)
    machine_ = machine(words=24, mesh=(3, 2))
    roomy = MapSpace(machine(words=None, mesh=(64, 64)), layer)
    tight = MapSpace(machine_, layer)
    assert tight.size < roomy.size
    expected = set()
    for row in roomy.sample(20_000, np.random.default_rng(0)):
        expected.add(roomy.factors(row[None]).tobytes())
    feasible = {
        tight.factors(row[None]).tobytes()
        for rows in MapSpace(machine_, layer, _fixed_orders(machine_)).enumerate()
        for row in rows[tight_feasible(machine_, layer, rows)]
    }
    assert feasible
    for text in expected:
        factors = np.frombuffer(text, dtype=np.int64).reshape(9, 3)
        if fits(factors, 24, (3, 2)):
            assert text in feasible


def _fixed_orders(architecture):
    order = LevelConstraint(order=("M", "N", "K"))
    return {level.name: order for level in architecture.levels}


def tight_feasible(architecture, layer, rows):
    return MapSpace(architecture, layer, _fixed_orders(architecture)).feasible(rows)


def fits(factors, words, mesh):
    m, n, k = factors[:3].prod(axis=0)
    x, y = factors[[0, 3, 6]].prod(), factors[[1, 4, 7]].prod()
    above_x, above_y = factors[[3, 6]].prod(), factors[[4, 7]].prod()
    inside = factors[6:8].prod() == 1 and factors[0:2].prod() == 1
    return (
        inside
        and x <= mesh[0]
        and y <= mesh[1]
        and above_x * above_y <= 6
        and (m * k + k * n + m * n <= words)
    )


@SMALL
@given(st.data())
def test_feasible_agrees_with_evaluate(cases, data):
    accelerator = SpatialAccelerator(data.draw(cases.plain_machines))
    layer = data.draw(cases.layers)
    try:
        space = accelerator.mapspace(layer)
    except Infeasible:
        assume(False)
    rows = space.sample(32, np.random.default_rng(0))
    costs = accelerator.evaluate(layer, rows)
    assert (space.feasible(rows) == costs.feasible).all()
    assert (np.isfinite(costs.energy_pj) == costs.feasible).all()


def test_constraints_hold_in_every_row():
    layer = conv(K=8, C=4, P=6, Q=6, R=3, S=3)
    rules = {
        "buffer": LevelConstraint(
            temporal={"K": 2},
            spatial={"C": 2},
            x_dims=frozenset("C"),
            y_dims=frozenset("S"),
            order=("Q", "P"),
            bypass=frozenset({"Weights"}),
        ),
        "pe": LevelConstraint(temporal={"R": 3, "P": 1}),
    }
    space = MapSpace(machine(), layer, rules)
    for row in space.sample(50, np.random.default_rng(1)):
        pe, buffer, _ = space.mapping_of(row).levels
        assert {loop.dim for loop in buffer.spatial_x} == {"C"}
        assert {loop.dim for loop in buffer.spatial_y} <= {"S"}
        assert "Weights" not in buffer.keep
        assert Loop("K", 2) in buffer.temporal
        assert Loop("R", 3) in pe.temporal
        assert "P" not in {loop.dim for loop in pe.temporal}
        dims = [loop.dim for loop in buffer.temporal]
        assert dims[: len({"P", "Q"} & set(dims))] == [d for d in ("Q", "P") if d in dims]


def test_optional_levels_become_columns():
    layer = gemm(M=4, N=4, K=4)
    space = MapSpace(machine(keeps={"Outputs"}, may_keep={"Weights"}), layer)
    assert [n for n in space.names if n.startswith("keep")] == ["keep pe Weights"]
    assert {
        "Weights" in space.mapping_of(r).levels[0].keep
        for r in space.sample(20, np.random.default_rng(0))
    } == {True, False}


def test_a_layer_that_fits_nowhere_names_the_level_and_the_excess():
    with pytest.raises(Infeasible, match=r"pe has room for 2 words.*need 3 \(1.5 times") as caught:
        MapSpace(machine(words=2), gemm(M=4, N=4, K=4))
    assert caught.value.margins == {"pe: tiles exceed the capacity": 1.5}
    fixed = {"pe": LevelConstraint(temporal={"M": 4, "N": 4})}
    with pytest.raises(Infeasible, match="buffer has room for 5 words"):
        MapSpace(machine(buffer=5), gemm(M=4, N=4, K=4), fixed)
    fixed = {"buffer": LevelConstraint(spatial={"M": 8}, y_dims=frozenset())}
    with pytest.raises(Infeasible, match=r"spread too far along X: the constraints ask for 8"):
        MapSpace(machine(mesh=(4, 2)), gemm(M=8, N=4, K=4), fixed)
    with pytest.raises(Infeasible, match="does not divide its size 4"):
        MapSpace(machine(), gemm(M=4, N=4, K=4), {"pe": LevelConstraint(temporal={"M": 3})})


def test_the_room_of_a_partition_counts():
    parts = {"Weights": Partition(1, ONE)}
    with pytest.raises(Infeasible, match="pe has room for 1 words"):
        MapSpace(
            machine(partitions=parts),
            gemm(M=4, N=4, K=4),
            {"pe": LevelConstraint(temporal={"K": 4})},
        )


def test_bad_constraints_are_named():
    layer = gemm(M=4, N=4, K=4)
    with pytest.raises(UnknownNameError, match="level 'bufer'") as caught:
        MapSpace(machine(), layer, {"bufer": LevelConstraint()})
    assert "did you mean 'buffer'" in caught.value.hint
    rules = {"pe": LevelConstraint(keep=frozenset({"Inputs"}))}
    with pytest.raises(CosearchError, match="it has no place for it"):
        MapSpace(machine(keeps={"Outputs"}), layer, rules)
    with pytest.raises(CosearchError, match="too large to be factored"):
        MapSpace(machine(), gemm(M=10**12 + 1, N=4, K=4))


def test_mappings_of_other_spaces_are_refused():
    space = MapSpace(machine(), gemm(M=4, N=4, K=4))
    kept = frozenset({"Weights", "Inputs", "Outputs"})
    empty = [LevelMapping(level, kept) for level in ("pe", "buffer", "DRAM")]
    with pytest.raises(CosearchError, match="do not multiply up"):
        space.row_of(Mapping(empty))
    with pytest.raises(CosearchError, match="does not describe the levels"):
        space.row_of(Mapping(empty[:2]))


def test_a_layer_of_one_step_has_one_mapping():
    space = MapSpace(machine(), gemm(M=1, N=1, K=1))
    assert space.size == 1
    rows = space.sample(3, np.random.default_rng(0))
    assert rows.shape == (3, 0)
    assert space.pricer.price(rows).feasible.all()


def test_rows_outside_the_space_are_refused():
    space = MapSpace(machine(), gemm(M=4, N=4, K=4))
    rows = space.sample(10, np.random.default_rng(0))
    for wrong in (-1, space.cardinalities[0]):
        rows[4, 0] = wrong
        with pytest.raises(CosearchError, match="not in the mapspace"):
            space.pricer.price(rows)


@SMALL
@given(st.data())
def test_rows_cost_the_same_by_shared_programs_and_by_their_own(cases, data):
    layer = data.draw(cases.layers)
    accelerator = SpatialAccelerator(data.draw(cases.ruled_machines))
    try:
        space = accelerator.mapspace(layer)
    except Infeasible:
        assume(False)
    rows = space.sample(FEW + 1, np.random.default_rng(data.draw(st.integers(0, 2**32))))
    few = accelerator.evaluate(layer, rows[:FEW])
    assert "pricer" not in vars(space)
    own = accelerator.evaluate(layer, rows)
    assert "pricer" in vars(space)
    for field in ("energy_pj", "cycles", "feasible", "reason", "excess"):
        assert np.array_equal(getattr(few, field), getattr(own, field)[:FEW]), field
    assert few.reasons == own.reasons


@pytest.mark.parametrize(
    "limit",
    [
        LevelConstraint(temporal_most={"M": 4}),
        LevelConstraint(spatial_most={"M": 4}),
        LevelConstraint(least_multipliers=4),
        LevelConstraint(temporal={"M": 3}, spatial={"N": 2}),
    ],
)
def test_constraints_hold_for_few_rows_and_for_many(limit):
    layer, rules = gemm(M=12, N=2, K=1), {"buffer": limit}
    space = MapSpace(machine(), layer, rules)
    some = space.unrank(np.arange(0, space.size, 5))
    fits = space.feasible(some)
    assert fits.any()
    assert limit.temporal or not fits.all()  # what is fixed is so in every row
    for row, fit in zip(some, fits, strict=True):
        assert MapSpace(machine(), layer, rules).price(row[None, :]).feasible[0] == fit
