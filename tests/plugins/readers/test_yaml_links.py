"""Links that workload files state, cosearch's own and AccelForge's."""

from __future__ import annotations

import pytest

from cosearch.errors import InputError
from cosearch_plugins.readers.yaml_reader import read_yaml

CHAIN = """
version: 1
layers:
  - {name: up, conv: {K: 16, C: 4, P: 8, Q: 8}}
  - {name: down, conv: {K: 4, C: 16, P: 6, Q: 6, R: 3, S: 3}, reads: {layer: up}}
  - name: scores
    count: 2
    einsum: "S[h,m,n] += Q[h,m,e] * K[h,n,e]"
    sizes: {h: 8, m: 6, n: 6, e: 4}
  - name: values
    count: 2
    einsum: "V[h,m,e] += S[h,m,n] * X[h,n,e]"
    sizes: {h: 8, m: 6, n: 6, e: 4}
    weights: X
    reads: [{layer: scores, operand: S, axes: [0, 1, 2], whole: [2]}]
"""

CASCADE = """
workload:
  rank_sizes: {M: 32, N0: 8, N1: 16, N2: 4}
  einsums:
  - {name: one, tensor_accesses: [
      {name: T0, projection: [m, n0]}, {name: W0, projection: [n0, n1]},
      {name: T1, projection: [m, n1], output: True}]}
  - {name: two, tensor_accesses: [
      {name: T1, projection: [m, n1]}, {name: W1, projection: [n1, n2]},
      {name: T2, projection: [m, n2], output: True}]}
"""


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "net.yaml"
        path.write_text(text, encoding="utf-8")
        return read_yaml(path)

    return read


def test_layers_say_whose_output_they_alone_read(read):
    first, second = read(CHAIN).links
    assert (first.producer, first.consumer, first.operand, first.axes) == (
        *(0, 1, "Inputs"),
        (0, 1, 2, 3),
    )
    assert (second.producer, second.consumer, second.operand) == (2, 3, "S")
    assert second.whole == {2}


def test_a_layer_says_that_others_read_it_too(read):
    first, second = read(CHAIN.replace("{layer: up}", "{layer: up, written: true}")).links
    assert (first.written, second.written) == (True, False)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{layer: up}", "{layer: upp}", "line 5: layers[1].reads: no layer before has the name"),
        ("{layer: up}", "{layer: scores}", "'scores' does not stand before this layer"),
        ("{layer: up}", "{layer: down}", "'down' does not stand before this layer"),
        ("C: 16, P: 6", "C: 32, P: 6", "16 words are written along an axis of which 32 are read"),
        ("P: 6, Q: 6", "P: 60, Q: 6", "of which 62 are read, and padding explains 4"),
        (
            "sizes: {h: 8, m: 6, n: 6, e: 4}\n    w",
            "sizes: {h: 8, m: 9, n: 6, e: 4}\n    w",
            "9 are",
        ),
        ("axes: [0, 1, 2]", "axes: [0, 1, 1]", "each at most once"),
        ("axes: [0, 1, 2]", "axes: [0, 1, null]", "has no counterpart"),
        ("name: scores", "name: up", "there is: down, up"),
        ("name: down", "name: up", ""),
        ("{layer: up}", "up", "needs the field 'layer'"),
        ("{layer: up}", "{layer: up, hole: [1]}", "there is no field 'hole'"),
        ("{layer: up}", "{layer: up, operand: X}", "has no operand 'X'"),
        ("P: 6, Q: 6, R: 3", "P: 4, Q: 6, R: 3", "words are written along an axis of which"),
        ("axes: [0, 1, 2]", "axes: [0, 1]", "has 3 axes"),
        ("whole: [2]", "whole: [3]", "counted from 0"),
        ("{layer: up}", "{layer: up, written: 1}", "written is true or false"),
        ('    count: 2\n    einsum: "V', '    einsum: "V', "runs 2 times"),
        ("K: 4, C: 16", "K: 16, C: 16", ""),
    ],
)
def test_wrong_links_are_told(read, old, new, told):
    text = CHAIN.replace(old, new)
    assert text != CHAIN
    if not told:
        assert len(read(text).links) == 2
        return
    with pytest.raises(InputError) as caught:
        read(text)
    assert told in str(caught.value)


def test_a_tensor_with_two_readers_is_refused(read):
    more = "  - {name: other, conv: {K: 4, C: 16, P: 8, Q: 8}, reads: {layer: up}}\n"
    with pytest.raises(InputError, match="'up' is read twice"):
        read(CHAIN + more)


@pytest.mark.parametrize(
    ("name", "reads", "told"),
    [
        ("up", "{layer: up}", "2 layers before have the name 'up'"),
        ("one", "[{layer: up, written: true}, {layer: one}]", "another layer is read as 'Inputs'"),
    ],
)
def test_a_link_has_two_ends_and_no_more(read, name, reads, told):
    twice = f"""
version: 1
layers:
  - {{name: up, gemm: {{M: 8, K: 4, N: 8}}}}
  - {{name: {name}, gemm: {{M: 8, K: 4, N: 8}}}}
  - {{name: last, gemm: {{M: 8, K: 8, N: 4}}, reads: {reads}}}
"""
    with pytest.raises(InputError, match=told) as caught:
        read(twice)
    assert "layers[2].reads" in str(caught.value)


def test_a_cascade_of_accelforge_is_linked(read):
    (link,) = read(CASCADE).links
    assert (link.producer, link.consumer, link.whole) == (0, 1, set())


THIRD = """
  - {name: three, tensor_accesses: [
      {name: T1, projection: [m, n1]}, {name: W3, projection: [n1, n2]},
      {name: T3, projection: [m, n2], output: True}]}
"""
COPY = """
  - {name: copy, is_copy_operation: True, tensor_accesses: [
      {name: T1, projection: [m, n1]}, {name: T4, projection: [m, n1], output: True}]}
"""


@pytest.mark.parametrize("more", [THIRD, COPY])
def test_a_tensor_that_two_einsums_read_is_written_too(read, more):
    (link,) = read(CASCADE + more).links
    assert (link.producer, link.consumer, link.written) == (0, 1, True)


def test_ranks_tell_which_axis_is_which(read):
    turned = CASCADE.replace("T1, projection: [m, n1]}", "T1, projection: {N1: n1, M: m}}")
    assert turned != CASCADE
    assert read(turned).links == read(CASCADE).links
