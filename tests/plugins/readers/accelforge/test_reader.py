"""AccelForge's workloads: cascades of einsums become layers."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosearch.errors import InputError
from cosearch.workload.text import describe
from cosearch_plugins.readers.yaml_reader import read_yaml


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str):
        path = tmp_path / "net.yaml"
        path.write_text(text)
        return read_yaml(path)

    return read


def words(network) -> list[str]:
    return [describe(layer.einsum) for layer in network.layers]


CONV = """
workload:
  rank_sizes: {M: 128, C: 64, N: 2, P: 24, Q: 20, R: 3, S: 5}
  einsums:
  - name: Conv
    tensor_accesses:
    - name: I
      projection: {N: n, C: c, H: 2*p+r, W: q+s}
      bits_per_value: 8
    - {name: F, projection: [m, c, r, s], bits_per_value: 4}
    - {name: O, projection: [n, m, p, q], output: True}
"""


def test_a_convolution(read) -> None:
    network = read(CONV)
    (layer,) = network.layers
    sizes = layer.einsum.bounds
    assert (sizes["K"], sizes["C"], sizes["N"]) == (128, 64, 2)
    assert sorted((sizes[p], sizes[r]) for p, r in ("PR", "QS")) == [(20, 5), (24, 3)]
    assert layer.einsum.macs == 128 * 64 * 2 * 24 * 20 * 15
    bits = {tensor.role: tensor.bits for tensor in layer.einsum.tensors}
    assert bits == {"Weights": 4, "Inputs": 8, "Outputs": None}
    assert network.unmodelled == ()


ATTENTION = """
workload:
  rank_sizes: {B: 2, P: 10, M: 10, H: 4, E: 8, F: 8, D: 32, G: 16}
  bits_per_value: {All: 8}
  persistent_tensors: weight - Intermediates
  einsums:
  - einsum: "I[b, m, d] = I_in[b, m, d]"
    is_copy_operation: True
  - "V[b, m, h, e] = I[b, m, d] * WV[h, e, d]"
  - "K[b, m, h, e] = I[b, m, d] * WK[h, e, d]"
  - "Q[b, m, h, e] = I[b, m, d] * WQ[h, e, d]"
  - QK[b, m, p, h] = Q(input)[b, m, h, e] * K(weight)[b, M=p, h, e]
  - "QK_softmax[b, m, p, h] = QK[b, m, p, h]"
  - einsum: "AV[b, m, h, f] = QK_softmax[b, m, p, h] * V[b, M: p, h, E: f]"
    renames: {input: QK_softmax}
  - name: Z
    n_instances: 3
    tensor_accesses:
    - {name: AV, projection: [b, m, h, f]}
    - {name: WZ, projection: [h, f, g]}
    - {name: Z, projection: [b, m, g], output: True}
"""


def test_a_cascade_in_concise_notation(read) -> None:
    network = read(ATTENTION)
    assert [layer.name for layer in network.layers] == ["V", "K", "Q", "QK", "AV", "Z"]
    projection, _, _, scores, values, last = (layer.einsum for layer in network.layers)
    assert projection.macs == 2 * 10 * 32 * 32
    assert projection.words(projection.tensors[0]) == 32 * 32
    assert describe(scores) == "8 matrix products, 10x8 by 8x10"
    assert describe(values) == "8 matrix products, 10x10 by 10x8"
    assert last.macs == 2 * 10 * 32 * 16
    assert network.layers[-1].count == 3
    counted = {item.name: item.operations for item in network.unmodelled}
    assert counted["I"] == 0
    assert counted["QK_softmax"] == 2 * 10 * 10 * 4
    assert {tensor.bits for layer in network.layers for tensor in layer.einsum.tensors} == {8}


def test_bounds_of_an_iteration_space(read) -> None:
    network = read("""
workload:
  iteration_space_shape: {m: 0 <= m < 16, n: 0 <= n <= 7}
  einsums:
  - name: A
    tensor_accesses:
    - {name: T, projection: [m, k]}
    - {name: W, projection: [k, n]}
    - {name: U, projection: [m, n], output: True}
    iteration_space_shape: [1 <= k < 6]
""")
    assert network.macs == 16 * 8 * 5


def test_other_semirings_and_long_products_are_counted(read) -> None:
    network = read("""
workload:
  rank_sizes: {M: 4, N: 5, K: 6, L: 2}
  einsums:
  - name: Tropical
    tensor_accesses:
    - {name: A, projection: [m, k]}
    - {name: B, projection: [k, n]}
    - {name: Z, projection: [m, n], output: True}
    map_op: add
    reduce_op: max
  - "Y[m, n] = A[m, k] * B[k, l] * C[l, n]"
  - "X[m, n] = A[m, k] * B[k, n]"
""")
    assert network.macs == 4 * 5 * 6
    told = {item.name: (item.operations, item.reason) for item in network.unmodelled}
    assert told["Tropical"][0] == 4 * 5 * 6
    assert "add and max" in told["Tropical"][1]
    assert told["Y"][0] == 4 * 5 * 6 * 2


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("M: 128", "M: 128.5", "128.5 is not a whole number"),
        (" R: 3,", "", "no size is known for r"),
        (", output: True", "", "writes 0 tensors"),
        ("projection: [m, c, r, s], ", "", "F has no projection"),
        ("H: 2*p+r", "H: 2*p-r", "has a constant or a minus"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(read, old: str, new: str, told: str) -> None:
    assert old in CONV
    with pytest.raises(InputError) as caught:
        read(CONV.replace(old, new))
    assert told in str(caught.value)


def test_a_template_is_told_to_be_one(read) -> None:
    with pytest.raises(InputError) as caught:
        read(CONV.replace("N: 2", "N: {{N}}"))
    assert "emplate" in f"{caught.value} {caught.value.hint}"


CHAIN = """
{% set LENGTH = LENGTH | default(2) %}
{% assert LENGTH <= 3, "LENGTH must be <= 3" %}
{%- macro tensor(i) -%} {{- "ABCDE"[i] -}} {%- endmacro -%}
workload:
  iteration_space_shape:
    m: 0 <= m < 4
    {% for i in range(LENGTH + 1) %}
    n{{tensor(i)}}: 0 <= n{{tensor(i)}} < 5
    {% endfor %}
  einsums:
  {% for i in range(LENGTH) %}
  - - name: Matmul{{i}}
      tensor_accesses:
      - {name: {{tensor(i)}}, projection: [m, n{{tensor(i)}}]}
      - {name: W{{i}}, projection: [n{{tensor(i)}}, n{{tensor(i + 1)}}]}
      - {name: {{tensor(i + 1)}}, projection: [m, n{{tensor(i + 1)}}], output: True}
  {% endfor %}
"""


def test_a_cascade_that_a_template_puts_together(read) -> None:
    """Assertions are checked, and lists of einsums may stand in the list."""
    pytest.importorskip("jinja2")
    network = read(CHAIN)
    assert (len(network.links), network.macs) == (1, 2 * 4 * 5 * 5)
    with pytest.raises(InputError, match="asserts what does not hold: LENGTH must be <= 3"):
        read(CHAIN.replace("default(2)", "default(4)"))
