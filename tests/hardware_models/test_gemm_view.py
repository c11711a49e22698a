"""Which group each dimension of a layer is in."""

import pytest

from cosearch.errors import Infeasible
from cosearch.workload.einsum import Einsum, Tensor, conv, gemm
from cosearch_hardware.gemm_view import gemm_view


def test_convolution():
    view = gemm_view(conv(K=8, C=3, P=5, Q=7, R=3, S=2, N=4))
    assert (view.size("M"), view.size("N"), view.size("K"), view.size("B")) == (140, 8, 18, 1)
    assert view.windows == {"R", "S"}


def test_depthwise_is_one_multiplication_a_channel():
    view = gemm_view(conv(K=1, C=1, G=32, P=5, Q=5, R=3, S=3))
    assert (view.size("B"), view.size("N"), view.size("K")) == (32, 1, 9)


def test_batched_matmul():
    view = gemm_view(gemm(M=4, N=5, K=6, B=7))
    assert [view.size(g) for g in "MNKB"] == [4, 5, 6, 7]
    assert view.windows == frozenset()


def test_a_layer_with_three_operands_is_refused():
    layer = gemm(M=2, N=2, K=2)
    extra = Tensor("Scale", "Inputs", layer.operands[1].axes)
    with pytest.raises(Infeasible, match="one input by one weight"):
        gemm_view(Einsum("x", layer.dims, layer.sizes, (*layer.operands, extra, layer.output)))
