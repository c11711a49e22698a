"""Timeloop's mapping files."""

import pytest

from cosearch.errors import InputError
from cosearch.formats.yaml_source import parse_yaml
from cosearch.loopnest.mapping import Loop
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.workload.einsum import gemm
from cosearch_plugins.formats.timeloop.mapping import mapping_of

ONE = AccessEnergy.uniform(1.0)
MACHINE = Architecture(
    "m", (Memory("spad", 9, ONE), Memory("fan", 0, ONE), Memory("DRAM", None, ONE)), Compute(1.0)
)
LAYER = gemm(M=8, N=8, K=8)


def read(text):
    return mapping_of(parse_yaml(text, "map.yaml"), MACHINE, LAYER, {"PE": "fan"}).mapping


def level(text, name):
    return next(entry for entry in read(text).levels if entry.level == name)


@pytest.mark.parametrize(
    "factors", ["M=2 K=4", "M2 K4 N1", "M=2,K=4", "[M=2, K=4]", "[M2, 'K = 4']", "M = 2, K = 4"]
)
def test_factors_in_every_spelling(factors):
    quoted = factors if factors.startswith("[") else f"'{factors}'"
    text = f"mapping: [{{target: spad, type: temporal, factors: {quoted}, permutation: KMN}}]"
    assert level(text, "spad").temporal == (Loop("K", 4), Loop("M", 2))


@pytest.mark.parametrize("order", ["KMN", "K M", "[K, M]", "'K,M'"])
def test_the_permutation_is_inner_to_outer(order):
    text = f"mapping: [{{target: spad, type: temporal, factors: M2 K4, permutation: {order}}}]"
    assert level(text, "spad").temporal == (Loop("K", 4), Loop("M", 2))


@pytest.mark.parametrize(
    ("split", "x", "y"), [("", "KM", ""), ("split: 1,", "K", "M"), ("split: 0,", "", "KM")]
)
def test_the_split_parts_x_from_y(split, x, y):
    text = f"mapping: [{{target: PE, type: spatial, {split} factors: M2 K4, permutation: KMN}}]"
    found = level(text, "fan")
    assert "".join(loop.dim for loop in found.spatial_x) == x
    assert "".join(loop.dim for loop in found.spatial_y) == y


def test_tensors_are_kept_unless_they_pass():
    text = "mapping: [{target: spad, type: datatype, bypass: [Inputs]}]"
    kept = {entry.level: sorted(entry.keep) for entry in read(text).levels}
    assert kept == {
        "spad": ["Outputs", "Weights"],
        "fan": [],
        "DRAM": ["Inputs", "Outputs", "Weights"],
    }


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{target: glb, type: temporal}", "there is no level 'glb'; there are: spad fan DRAM PE"),
        ("{target: spad, type: diagonal}", "'diagonal' is not one of temporal, spatial"),
        ("{target: spad, type: temporal, factors: X2}", "'X2' is no factor of one of M N K"),
        ("{target: spad, type: temporal, factors: M3 M0}", "M has two factors"),
        ("{target: spad, type: temporal, factors: 'M2,x'}", "'x' is no factor"),
        ("{target: spad, type: temporal, factors: 'M3,2'}", "M3,2 is a residual factor"),
        ("{target: spad, type: temporal, factors: M<=2}", "'M<=2' is no factor"),
        ("{target: spad, type: temporal, factors: M2 M3}", "M has two factors"),
        ("{target: spad, type: temporal, permutation: MMK}", "each once"),
        ("{target: spad, type: datatype, keep: [Psum]}", "'Psum' is not one of"),
        ("{target: spad, type: spatial, split: -1}", "-1 is not a whole number of at least 0"),
        ("{target: spad, type: temporal, factor: M2}", "did you mean 'factors'"),
        ("{type: temporal}", "the field 'target' is missing"),
    ],
)
def test_a_fault_names_the_field(entry, message):
    with pytest.raises(InputError) as caught:
        read(f"mapping:\n- {entry}\n")
    assert any(message in problem for problem in caught.value.problems), caught.value.problems
    assert caught.value.problems[0].startswith("line 2: mapping[0]")
