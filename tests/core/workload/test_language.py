from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import InputError
from cosearch.workload.einsum import conv, gemm
from cosearch.workload.language import (
    format_einsum,
    is_einsum,
    parse_einsum,
    parse_sized_einsum,
    parse_sizes,
)

CONV = "O[n,k,p,q] += I[n,c,2*p+r,2*q+s] * W[k,c,r,s]"
CONV_SIZES = {"n": 2, "k": 8, "c": 4, "p": 7, "q": 5, "r": 3, "s": 2}


def shapes(einsum):
    return [(t.role, t.axes) for t in einsum.tensors]


def test_a_convolution_equals_the_built_one() -> None:
    written = parse_einsum(CONV, CONV_SIZES)
    built = conv(N=2, K=8, C=4, P=7, Q=5, R=3, S=2, stride=(2, 2))
    assert (written.dims, written.sizes) == (built.dims, built.sizes)
    assert shapes(written) == shapes(built)


def test_a_batched_product_equals_the_built_one() -> None:
    written = parse_sized_einsum("Y[b,m,n] += X[b,m,k] * W[b,k,n] ; m=4,n=5,k=6,b=2")
    built = gemm(M=4, N=5, K=6, B=2)
    assert (written.dims, written.sizes) == (built.dims, built.sizes)
    assert shapes(written) == shapes(built)


def test_upper_and_lower_case_are_the_same_dimension() -> None:
    upper = parse_einsum("O[M,N] += A[M,K] * B[K,N]", {"M": 1, "N": 2, "K": 3})
    assert upper == parse_einsum("O[m,n] += A[m,k] * B[k,n]", {"m": 1, "n": 2, "k": 3})


def test_the_second_operand_stands_for_the_weights_unless_a_name_begins_with_w() -> None:
    sizes = {"m": 1, "n": 2, "k": 3}
    assert parse_einsum("O[m,n] += A[m,k] * B[k,n]", sizes).tensors[0].name == "B"
    assert parse_einsum("O[m,n] += W[m,k] * B[k,n]", sizes).tensors[0].name == "W"
    named = parse_einsum("O[m,n] += W[m,k] * B[k,n]", sizes, weights="B")
    assert [t.name for t in named.tensors] == ["B", "W", "O"]


def test_equal_terms_of_one_index_are_added_up() -> None:
    einsum = parse_einsum("O[p] += I[p+2*p+r] * W[r]", {"p": 4, "r": 3})
    assert dict(einsum.tensors[1].axes[0].terms) == {"P": 3, "R": 1}


@settings(max_examples=60)
@given(
    st.integers(1, 9),
    st.integers(1, 4),
    st.integers(1, 4),
    st.tuples(*[st.integers(1, 30)] * 7),
)
def test_format_is_the_inverse_of_parse(stride, dilation_r, dilation_s, sizes) -> None:
    text = (
        f"Out[n,k,p,q] += In[n,c,{stride}*p+{dilation_r}*r,{stride}*q+s*{dilation_s}] * W[k,c,r,s]"
    )
    einsum = parse_einsum(text, dict(zip("nkcpqrs", sizes, strict=True)))
    assert parse_einsum(format_einsum(einsum), einsum.bounds) == einsum


@pytest.mark.parametrize(
    ("text", "sizes", "told"),
    [
        ("O[m,n] += A[m,k]", "m=1,n=1,k=1", "has 1 operand; a layer multiplies exactly two"),
        ("O[m] += A[m]*B[m]*C[m]", "m=1", "has 3 operands"),
        ("O[m,n] A[m,k]*B[k,n]", "", "needs one result, then +="),
        ("O[m] += A[m] = B[m]", "", "needs one result, then +="),
        ("", "", "needs one result, then +="),
        ("O[m,n += A[m]*B[n]", "", "'O[m,n' is not a tensor"),
        ("O[m]*P[m] += A[m]*B[m]", "m=1", "exactly one result"),
        ("O[m] += A[m-1]*B[m]", "m=1", "leave it out: there is no padding"),
        ("O[m] += A[m+1]*B[m]", "m=1", "leave it out: there is no padding"),
        ("O[m] += A[]*B[m]", "m=1", "an index is missing"),
        ("O[m] += A[0*m]*B[m]", "m=1", "is not at least 1"),
        ("O[m] += A[2*m*2]*B[m]", "m=1", "is not a dimension such as p"),
        ("O[m] += A[m/2]*B[m]", "m=1", "is not a dimension such as p"),
        ("O[2*m] += A[m]*B[m]", "m=1", "must be one plain dimension"),
        ("O[m,m] += A[m]*B[m]", "m=1", "stands twice in the result"),
        ("O[m,n] += A[m]*B[m]", "m=1,n=1", "dimension n is in no operand"),
        ("A[m] += A[m]*B[m]", "m=1", "need different names"),
        ("O[m] += A[m]*B[m]", "", "dimension m has no size"),
        ("O[m] += A[m]*B[m]", "m=1,j=2", "there is no dimension j"),
        ("O[m] += A[m]*B[m]", "m=0", "dimension m=0 is not a whole number"),
        ("O[m] += A[m]*B[m]", "m=-4", "dimension m=-4 is not a whole number"),
        ("O[m] += A[m]*B[m]", "m=3000000000", "is not a whole number from 1 to 2147483647"),
        ("O[m] += A[m]*B[m]", "m=x", "'m=x' is not DIMENSION=SIZE"),
        ("O[m] += A[m]*B[m]", "m=1,m=2", "dimension m has two sizes"),
        ("O[m] += A[m]*B[m]", "m=1,M=2", "k and K are the same"),
        ("O[m] += A[" + "9" * 5000 + "*m]*B[m]", "m=1", "is not a dimension"),
        ("O[m] += A[m]*B[m]" + " " * 20_000, "m=1", "longer than"),
    ],
)
def test_a_wrong_einsum_gets_one_message(text: str, sizes: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_einsum(text, parse_sizes(sizes))
    assert told in str(caught.value)
    assert len(str(caught.value)) < 12_000


def test_an_operand_that_is_not_there_cannot_be_the_weights() -> None:
    with pytest.raises(InputError, match="no operand 'Z'"):
        parse_einsum("O[m] += A[m]*B[m]", {"m": 2}, weights="Z")


def test_sizes_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="m=True is not a whole number"):
        parse_einsum("O[m] += A[m]*B[m]", {"m": True})


@pytest.mark.parametrize(
    ("text", "einsum"),
    [(CONV, True), ("O[m]=A[m]*B[m]", True), ("resnet18:batch=4", False), ("a/b[1].onnx", False)],
)
def test_what_looks_like_an_einsum(text: str, einsum: bool) -> None:
    assert is_einsum(text) is einsum
