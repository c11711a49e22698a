"""ZigZag's workloads: equations with relations become convolutions."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosearch.errors import InputError
from cosearch.workload.einsum import conv
from cosearch.workload.text import describe
from cosearch_plugins.readers.yaml_reader import read_yaml

LAYER = """
- id: 0
  operator_type: Conv
  equation: O[b][k][y][x]+=W[k][c][fy][fx]*I[b][c][iy][ix]
  dimension_relations: [ix=2*x+1*fx, iy=2*y+1*fy]
  loop_dims: [B,K,C,Y,X,FY,FX]
  loop_sizes: [1,16,3,10,12,3,5]
  operand_precision: {O: 16, O_final: 8, W: 8, I: 8}
  operand_source: {I: 0, W: 0}
"""


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str):
        path = tmp_path / "net.yaml"
        path.write_text(text)
        return read_yaml(path)

    return read


def test_a_convolution_is_ours(read) -> None:
    network = read(LAYER)
    (layer,) = network.layers
    bits = {"Weights": 8, "Inputs": 8, "Outputs": 16}
    assert layer.einsum == conv(K=16, C=3, P=12, Q=10, R=5, S=3, stride=(2, 2)).with_bits(bits)
    assert layer.name == "Conv_0"
    (note,) = network.unmodelled
    assert "O_final 8" in note.reason
    assert "16 bits" in note.reason
    assert note.operations == 0


EQUATIONS = [
    ("O[b][k]+=W[k][c]*I[b][c]", "[]", "[B,K,C]", "[4,8,16]", "fully connected, 16 to 8, batch 4"),
    ("O[d][k]+=I[d][c]*W[c][k]", "[]", "[C,D,K]", "[6,5,7]", "fully connected, 6 to 7, 5 tokens"),
    (
        "O[b][d][k]+=I[b][d][c]*W[b][c][k]",
        "[]",
        "[B,C,D,K]",
        "[3,6,5,7]",
        "3 matrix products, 5x6 by 6x7",
    ),
    (
        "O[b][g][k][oy][ox]+=W[g][k][c][fy][fx]*I[b][g][c][iy][ix]",
        "[ix=1*ox+2*fx, iy=oy+2*fy]",
        "[B,G,K,C,OY,OX,FY,FX]",
        "[1,4,8,2,10,10,3,3]",
        "3x3 conv, 8 to 32 in 4 groups, 10x10, dilation 2",
    ),
    (
        "O[b][g][oy][ox]+=W[g][fx][fy]*I[b][g][iy][ix]",
        "[ix=1*ox+1*fx, iy=1*oy+1*fy]",
        "[B,G,OY,OX,FX,FY]",
        "[1,32,7,7,3,3]",
        "3x3 depthwise conv, 32 channels, 7x7",
    ),
    (
        "O[b][k][ox]+=W[k][c][fx]*I[b][c][ix]",
        "[ix=1*ox+1*fx]",
        "[B,K,C,OX,FX]",
        "[1,4,2,30,5]",
        "1x5 conv, 2 to 4, 1x30",
    ),
]


@pytest.mark.parametrize(("equation", "relations", "dims", "sizes", "said"), EQUATIONS)
def test_equations(read, equation, relations, dims, sizes, said: str) -> None:
    network = read(f"""
- id: 3
  operator_type: Conv
  equation: {equation}
  dimension_relations: {relations}
  loop_dims: {dims}
  loop_sizes: {sizes}
  operand_precision: {{O: 8}}
""")
    assert describe(network.layers[0].einsum) == said


def test_the_constant_operand_is_the_weights(read) -> None:
    text = """
- id: 1
  operator_type: Gemm
  equation: O[d][k]+=A[d][c]*B[c][k]
  loop_dims: [C, D, K]
  loop_sizes: [2, 3, 5]
  operand_precision: {O: 8, A: 8, B: 8}
  operand_source: {A: %s, B: %s}
"""
    (layer,) = read(text % (0, 1)).layers
    assert layer.einsum.bounds["K"] == 5
    (layer,) = read(text % (1, 0)).layers
    assert layer.einsum.bounds["K"] == 3


def test_pooling_and_sums_are_left_out_and_counted(read) -> None:
    network = read(
        LAYER
        + """
- id: 1
  operator_type: Pooling
  equation: O[b][g][oy][ox]+=W[fx][fy]*I[b][g][iy][ix]
  dimension_relations: [ix=2*ox+1*fx, iy=2*oy+1*fy]
  loop_dims: [B, G, OY, OX, FX, FY]
  loop_sizes: [1, 16, 5, 6, 3, 3]
  operand_precision: {I: 8, W: 0, O: 16, O_final: 8}
- id: 2
  name: skip
  operator_type: Add
  equation: O[b][g][oy][ox]=W[b][g][oy][ox]+I[b][g][oy][ox]
  loop_dims: [B, G, OY, OX]
  loop_sizes: [1, 16, 5, 6]
  operand_precision: {W: 8, I: 8, O: 16}
"""
    )
    counted = {item.name: item.operations for item in network.unmodelled if item.operations}
    assert counted == {"Pooling_1": 16 * 30 * 9, "skip": 16 * 30}


def test_sparsity_and_what_else_it_says_is_named(read) -> None:
    network = read(f"{LAYER}  sparsity: {{W: 0.5}}\n  time_dim: T\n  padding: [[1, 1], [1, 1]]\n")
    told = {item.name: item.reason for item in network.unmodelled}
    assert "priced as dense" in told["Conv_0.sparsity"]
    assert "no meaning" in told["Conv_0.time_dim"]
    assert len(told) == 3


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("loop_sizes: [1,16", "loop_sizes: [16", "needs a size for each of loop_dims"),
        ("[B,K,C,Y,X,FY,FX]", "[B,K,C,Y,Y,FY,FX]", "names a dimension twice"),
        ("[1,16,3", "[1,0,3", "k=0 is not a whole number"),
        ("[1,16,3", "[1,two,3", "'two' is not a whole number"),
        ("ix=2*x+1*fx", "ix", "needs relations such as"),
        ("=W[k]", "=W[k][z]", "dimension z has no size"),
        ("+=W[k][c][fy][fx]*", "+=W*", "is not O[..]+=W[..]*I[..]"),
        ("  operator_type: Conv\n", "", "the field 'operator_type' is missing"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(read, old: str, new: str, told: str) -> None:
    assert old in LAYER
    with pytest.raises(InputError) as caught:
        read(LAYER.replace(old, new))
    assert told in str(caught.value)
    assert "line " in str(caught.value)
