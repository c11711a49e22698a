"""Einsums of any names become the convolutions they are, and no others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.workload.einsum import conv, gemm
from cosearch.workload.language import parse_einsum
from cosearch_plugins.readers.canonical import canonical

SIZE = st.integers(1, 9)


@given(st.data())
def test_a_convolution_is_itself(data) -> None:
    sizes = {dim: data.draw(SIZE) for dim in "NGKCPQRS"}
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    layer = conv("c", **sizes, stride=data.draw(pair), dilation=data.draw(pair))
    assert canonical(layer) == layer


@given(st.data())
def test_work_and_words_stay(data) -> None:
    sizes = {dim: data.draw(SIZE) for dim in "abcdexyuv"}
    layer = parse_einsum("Z[a,b,d,e,x,y] += W[b,c,d,u,v] * X[a,c,d,e,2*y+v,3*x+u]", sizes, name="c")
    found = canonical(layer)
    assert set(found.dims) <= set("NGKCPQRS")
    assert found.macs == layer.macs
    for own, other in zip(found.tensors, layer.tensors, strict=True):
        assert own.role == other.role
        assert found.words(own) == layer.words(other)


def test_a_product_has_tokens() -> None:
    found = canonical(gemm("g", M=5, N=6, K=7, B=2))
    sizes = found.bounds
    assert (sizes["G"], sizes["P"], sizes["K"], sizes["C"]) == (2, 5, 6, 7)


@pytest.mark.parametrize(
    "text",
    [
        "Z[a,b] += W[b,c] * X[a,c,c]",
        "Z[a,b] += W[b,c,a+b] * X[a,c]",
        "Z[a,b] += W[b,c] * X[a,c+b]",
        "Z[p,q,o] += W[r,s,t] * X[p+r,q+s,o+t]",
    ],
)
def test_other_einsums_stay(text: str) -> None:
    sizes = {c: 3 for c in "abcopqrst" if f"{c}" in text.replace("Z", "").replace("W", "")}
    layer = parse_einsum(text, sizes)
    assert canonical(layer) == layer
