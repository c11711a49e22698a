from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.workload.transposed import transposed_conv


def products_along_an_axis(
    length: int, kernel: int, stride: int, dilation: int, padding: int
) -> int:
    """Taps that meet an input pixel and not an inserted zero, over all outputs: brute force."""
    return sum(
        (output + padding - tap * dilation) % stride == 0
        for output in range(length)
        for tap in range(kernel)
    )


@settings(max_examples=150)
@given(
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_products_equal_brute_force(out, kernel, stride, dilation, padding) -> None:
    layers = transposed_conv(
        "up",
        K=3,
        C=2,
        P=out[0],
        Q=out[1],
        R=kernel[0],
        S=kernel[1],
        G=2,
        stride=stride,
        dilation=dilation,
        padding=padding,
    )
    width, height = (
        products_along_an_axis(out[i], kernel[i], stride[i], dilation[i], padding[i])
        for i in (0, 1)
    )
    macs = sum(layer.einsum.macs * layer.count for layer in layers)
    assert macs == 2 * 3 * 2 * width * height


def test_stride_two_with_a_two_by_two_filter_is_one_pointwise_layer() -> None:
    (layer,) = transposed_conv("up", K=512, C=1024, P=56, Q=56, R=2, S=2, stride=(2, 2))
    assert layer.einsum.bounds == {"N": 1, "K": 2048, "C": 1024, "P": 28, "Q": 28, "R": 1, "S": 1}


def test_stride_one_is_an_ordinary_convolution() -> None:
    (layer,) = transposed_conv("up", K=4, C=8, P=6, Q=5, R=3, S=2, padding=(1, 0))
    assert layer.einsum.bounds == {"N": 1, "K": 4, "C": 8, "P": 6, "Q": 5, "R": 3, "S": 2}


def test_several_shapes_of_phases_have_names_of_their_own() -> None:
    layers = transposed_conv("up", K=1, C=1, P=8, Q=8, R=3, S=3, stride=(2, 2))
    assert [layer.name for layer in layers] == ["up.1", "up.2", "up.3", "up.4"]
