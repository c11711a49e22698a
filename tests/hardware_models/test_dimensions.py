from cosearch.workload.einsum import conv, gemm
from cosearch_hardware.dimensions import Dimensions

NONE = frozenset()


def test_a_convolution():
    found = Dimensions.of(conv("conv", N=2, K=3, C=4, P=5, Q=6, R=2, S=3))
    assert (found.filter_width, found.filter_height) == ({"R"}, {"S"})
    assert (found.output_width, found.output_height) == ({"P"}, {"Q"})
    assert (found.reduced, found.produced, found.streamed) == ({"C"}, {"K"}, {"N"})
    assert found.separate == NONE


def test_a_grouped_convolution():
    assert Dimensions.of(conv("g", G=4, K=3, C=2, P=5, Q=6, R=2, S=3)).separate == {"G"}


def test_a_matrix_product():
    found = Dimensions.of(gemm("gemm", M=2, N=3, K=4, B=5))
    assert (found.reduced, found.produced, found.streamed) == ({"K"}, {"N"}, {"M"})
    assert found.separate == {"B"}
    assert found.filter_width == found.output_width == NONE
