"""Which rule a mapping breaks, and by how much."""

import pytest

from cosearch.errors import CosearchError
from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.loopnest.model.reference import analyse
from cosearch.loopnest.validity import InvalidMapping, Rule, check, violations
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.workload.einsum import gemm

ALL = ("Weights", "Inputs", "Outputs")
ONE = AccessEnergy.uniform(1.0)


def machine(*memories, compute=None):
    return Architecture("m", memories, compute or Compute(1.0))


def buffer(entries=None, **settings):
    return Memory("buf", entries, ONE, **settings)


def dram():
    return Memory("DRAM", None, ONE, is_dram=True)


def two(inner, outer, keep=ALL, **spatial):
    return Mapping((LevelMapping("buf", keep, inner, **spatial), LevelMapping("DRAM", ALL, outer)))


def broken_by(memory, mapping, layer=None, compute=None):
    with pytest.raises(InvalidMapping) as caught:
        analyse(machine(memory, dram(), compute=compute), layer or gemm(M=2, N=2, K=2), mapping)
    return caught.value


M, N, K = Loop("M", 2), Loop("N", 2), Loop("K", 2)


def test_factors_that_miss_the_size():
    error = broken_by(buffer(), two([M, N], []))
    assert (error.rule, error.place, error.used, error.allowed) == (Rule.FACTORS, "K", 1, 2)


def test_a_tensor_kept_nowhere():
    entries = (LevelMapping("buf", ["Inputs"], [M, N, K]), LevelMapping("DRAM", ["Outputs"]))
    error = broken_by(buffer(), Mapping(entries))
    assert (error.rule, error.place) == (Rule.KEPT_NOWHERE, "Weights")


@pytest.mark.parametrize(
    ("mesh", "rule"),
    [((4, 1), Rule.SPATIAL_Y), ((1, 4), Rule.SPATIAL_X), ((1, 2), Rule.INSTANCES)],
)
def test_spatial_loops_that_do_not_fit(mesh, rule):
    mapping = two([M], [], spatial_x=[N], spatial_y=[K])
    error = broken_by(buffer(), mapping, compute=Compute(1.0, *mesh))
    assert (error.rule, error.place) == (rule, "MAC")


def test_tiles_that_do_not_fit():
    error = broken_by(buffer(20, multiple_buffering=2), two([M, N, K], []))
    assert (error.rule, error.place, error.used, error.allowed) == (Rule.CAPACITY, "buf", 12, 10)
    assert error.margins == {Rule.CAPACITY.value: 1.2}
    assert "Weights 4 + Inputs 4 + Outputs 4" in str(error)
    assert "outer levels" in error.hint


def test_every_violation_is_told():
    mapping = two([M, M], [], spatial_x=[N])
    found = list(violations(machine(buffer(1), dram()), gemm(M=2, N=2, K=2), mapping))
    assert {e.rule for e in found} == {Rule.FACTORS, Rule.INSTANCES, Rule.SPATIAL_X, Rule.CAPACITY}


@pytest.mark.parametrize(
    "mapping",
    [
        Mapping((LevelMapping("DRAM", ALL), LevelMapping("buf", ALL))),
        two([Loop("X", 2)], []),
        two([], [], keep=["Psums"]),
        Mapping(()),
    ],
)
def test_names_that_do_not_exist(mapping):
    with pytest.raises(CosearchError, match=r"mapping (describes|has|keeps)") as caught:
        analyse(machine(buffer(), dram()), gemm(M=2, N=2, K=2), mapping)
    assert not isinstance(caught.value, InvalidMapping)


def test_the_first_broken_rule_is_raised():
    mapping = two([M, M], [], spatial_x=[N])
    with pytest.raises(InvalidMapping) as caught:
        check(machine(buffer(1), dram()), gemm(M=2, N=2, K=2), mapping)
    assert caught.value.rule is Rule.FACTORS


def test_a_valid_mapping_breaks_nothing():
    found = violations(machine(buffer(12), dram()), gemm(M=2, N=2, K=2), two([M, N, K], []))
    assert list(found) == []


def test_spatial_fit_is_cumulative():
    """A level may spread over more than its own fanout if the levels above it spread less."""
    inner = Memory("pe", None, ONE, mesh_x=4)
    levels = (inner, buffer(mesh_x=2), dram())
    spread = Mapping(
        (
            LevelMapping("pe", ALL, (), [M, K]),
            LevelMapping("buf", ALL, [N]),
            LevelMapping("DRAM", ALL),
        )
    )
    layer = gemm(M=2, N=2, K=2)
    assert list(violations(machine(*levels, compute=Compute(1.0, 4)), layer, spread)) == []
