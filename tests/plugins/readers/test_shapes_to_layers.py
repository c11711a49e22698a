"""Shapes become layers with as many products as the definitions of the operators say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.workload.text import describe
from cosearch_plugins.readers.shapes_to_layers import (
    attention_products,
    convolution,
    fully_connected,
    matrix_product,
    recurrent,
    transposed_convolution,
)

LENGTH = st.integers(1, 6)


def macs(layers) -> int:
    return sum(layer.einsum.macs * layer.count for layer in layers)


def words(layers) -> list[str]:
    return [describe(layer.einsum) for layer in layers]


@settings(max_examples=80)
@given(
    st.lists(LENGTH, max_size=3),
    st.lists(LENGTH, max_size=3),
    LENGTH,
    LENGTH,
    LENGTH,
    st.booleans(),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_products_equal_numpys(batch, longer, m, k, n, constant, ones) -> None:
    """numpy.matmul makes one product an output element and inner index, however it broadcasts."""
    joint = [*longer, *batch]
    first = [1 if one else length for length, one in zip(joint, ones, strict=False)]
    second = [1 if one else length for length, one in zip(batch, ones[3:], strict=False)]
    a, b = np.ones((*first, m, k)), np.ones((*second, k, n))
    expected = (a @ b).size * k
    assert macs(matrix_product("p", a.shape, b.shape, first_is_constant=constant)) == expected


@pytest.mark.parametrize(
    ("first", "second", "constant", "said"),
    [
        ((1, 128, 768), (768, 3072), False, "fully connected, 768 to 3072, 128 tokens"),
        ((4, 128, 768), (768, 3072), False, "fully connected, 768 to 3072, 128 tokens, batch 4"),
        ((8, 16), (16, 32), False, "fully connected, 16 to 32, batch 8"),
        ((32, 16), (16, 8), True, "fully connected, 16 to 32, batch 8"),
        ((32, 16), (4, 16, 8), False, "fully connected, 16 to 32, 8 tokens, batch 4"),
        ((1, 12, 9, 64), (1, 12, 64, 9), False, "12 matrix products, 9x64 by 64x9"),
        ((16,), (16, 8), False, "fully connected, 16 to 8"),
        ((8, 16), (16,), False, "fully connected, 16 to 1, batch 8"),
    ],
)
def test_what_a_matrix_product_is(first, second, constant, said) -> None:
    assert words(matrix_product("p", first, second, first_is_constant=constant)) == [said]


def test_convolutions_of_one_two_and_three_axes() -> None:
    assert words(convolution("c", (8, 4, 5), (2, 8, 100))) == ["1x5 conv, 4 to 8, 1x100, batch 2"]
    layers = convolution(
        "c", (8, 2, 3, 5), (1, 8, 10, 20), groups=2, strides=(1, 2), dilations=(2, 1)
    )
    assert words(layers) == ["3x5 conv, 4 to 8 in 2 groups, 10x20, stride 1x2, dilation 2x1"]
    cube = convolution("c", (8, 4, 3, 5, 7), (1, 8, 2, 10, 20), strides=(1, 2, 2))
    assert words(cube) == ["3x5x7 conv, 4 to 8, 2x10x20, stride 1x2x2"]
    assert macs(cube) == 8 * 4 * 3 * 5 * 7 * 2 * 10 * 20


def test_transposed_convolution_skips_inserted_zeros() -> None:
    layers = transposed_convolution(
        "t", (8, 4, 4, 4), (1, 4, 16, 16), strides=(2, 2), padding=(1, 1)
    )
    assert macs(layers) == 8 * 8 * 8 * 4 * 4 * 4
    layers = transposed_convolution("t", (8, 4, 4), (1, 4, 16), strides=(4,))
    assert macs(layers) == 8 * 4 * 16


def test_axes_between_the_first_and_the_last_are_pixels() -> None:
    (layer,) = fully_connected("f", (2, 7, 9, 16), 4)
    assert layer.einsum.bounds["Q"] == 7
    assert layer.einsum.bounds["P"] == 9


def test_queries_that_share_a_key_head_are_rows_of_one_product() -> None:
    scores, values = attention_products(
        "a", batch=2, heads=32, kv_heads=8, queries=10, keys=50, head=64, value_head=32
    )
    assert describe(scores.einsum) == "16 matrix products, 40x64 by 64x50"
    assert describe(values.einsum) == "16 matrix products, 40x50 by 50x32"


def test_a_recurrent_layer_multiplies_its_state_in_every_step() -> None:
    layers = recurrent("r", gates=4, steps=10, batch=2, inputs=3, hidden=5, directions=2)
    assert macs(layers) == 2 * 10 * 2 * 4 * 5 * (3 + 5)
