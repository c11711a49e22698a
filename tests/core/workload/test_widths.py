"""Widths in the einsum language and in workload files."""

import pytest

from cosearch.errors import InputError
from cosearch.workload.einsum import gemm
from cosearch.workload.language import format_einsum, parse_einsum
from cosearch.workload.text import describe, with_widths
from cosearch_plugins.readers.canonical import canonical
from cosearch_plugins.readers.yaml_reader import read_yaml

SIZES = {"m": 2, "n": 3, "k": 4}
TEXT = "O[m,n]:32 += A[m,k] * W[k,n]:4"


def test_an_einsum_states_widths():
    layer = parse_einsum(TEXT, SIZES)
    assert {t.name: t.bits for t in layer.tensors} == {"W": 4, "A": None, "O": 32}
    assert format_einsum(layer) == TEXT
    assert parse_einsum(TEXT.replace(":", " : "), SIZES) == layer


def test_a_convolution_keeps_the_widths_of_its_einsum():
    assert [t.bits for t in canonical(parse_einsum(TEXT, SIZES)).tensors] == [4, None, 32]


@pytest.mark.parametrize("bits", ["0", "2000"])
def test_a_width_that_is_none(bits):
    with pytest.raises(InputError, match=f"W has elements of {bits} bits"):
        parse_einsum(TEXT.replace(":4", f":{bits}"), SIZES)


FILE = """\
version: 1
layers:
  - {name: one, gemm: {M: 2, N: 3, K: 4}, bits: {Weights: 4, Outputs: 32}}
  - {name: two, einsum: "S[m,n] += A[m,k] * B[k,n]", sizes: {m: 2, n: 3, k: 4}, bits: {A: 8}}
"""


def test_layers_of_a_file_state_widths(tmp_path):
    file = tmp_path / "net.yaml"
    file.write_text(FILE)
    one, two = (layer.einsum for layer in read_yaml(file).layers)
    assert one == gemm(M=2, N=3, K=4).with_bits({"Weights": 4, "Outputs": 32})
    assert {t.name: t.bits for t in two.tensors} == {"B": None, "A": 8, "S": None}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("{A: 8}", "{C: 8}", "'C'"),
        ("{A: 8}", "{A: 0}", "0 is not a number of bits from 1 to 1024"),
        ("{A: 8}", "8", "needs bits by tensor"),
    ],
)
def test_a_problem_names_its_line(tmp_path, old, new, expected):
    file = tmp_path / "net.yaml"
    file.write_text(FILE.replace(old, new))
    with pytest.raises(InputError) as error:
        read_yaml(file)
    assert expected in str(error.value)
    assert "4" in str(error.value)


def test_a_layer_tells_its_widths():
    layer = gemm(M=2, N=3, K=4)
    assert with_widths(layer) == describe(layer)
    told = with_widths(layer.with_bits({"Weights": 4, "Outputs": 32}))
    assert told == f"{describe(layer)}; weights 4, outputs 32 bits"
