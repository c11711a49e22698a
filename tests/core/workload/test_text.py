from __future__ import annotations

import pytest

from cosearch.workload.einsum import conv, gemm
from cosearch.workload.language import parse_sized_einsum
from cosearch.workload.network import Layer, Network, Unmodelled
from cosearch.workload.text import (
    arithmetic_intensity,
    describe,
    layer_facts,
    left_out_by_kind,
    run_as,
)


@pytest.mark.parametrize(
    ("einsum", "words"),
    [
        (
            conv(K=128, C=64, P=28, Q=28, R=3, S=3, stride=(2, 2)),
            "3x3 conv, 64 to 128, 28x28, stride 2",
        ),
        (conv(K=4, C=3, P=8, Q=9, R=5, S=3, stride=(2, 3)), "3x5 conv, 3 to 4, 9x8, stride 3x2"),
        (conv(K=4, C=3, P=8, Q=8, R=3, S=3, dilation=(2, 2)), "3x3 conv, 3 to 4, 8x8, dilation 2"),
        (
            conv(G=32, K=1, C=1, P=8, Q=8, R=3, S=3, N=2),
            "3x3 depthwise conv, 32 channels, 8x8, batch 2",
        ),
        (
            conv(G=2, K=128, C=48, P=27, Q=27, R=5, S=5),
            "5x5 conv, 96 to 256 in 2 groups, 27x27",
        ),
        (conv(K=64, C=16, P=7, Q=7), "1x1 conv, 16 to 64, 7x7"),
        (conv(K=64, C=16, P=7, Q=7, stride=(2, 2)), "1x1 conv, 16 to 64, 7x7, stride 2"),
        (conv(K=10, C=20, P=1, Q=1), "fully connected, 20 to 10"),
        (conv(K=10, C=20, P=5, Q=1, N=3), "fully connected, 20 to 10, 5 tokens, batch 3"),
        (conv(G=12, K=128, C=64, P=100, Q=1), "12 matrix products, 100x64 by 64x128"),
        (gemm(M=2, N=3, K=4), "matrix product, 2x4 by 4x3"),
        (gemm(M=2, N=3, K=4, B=5), "5 matrix products, 2x4 by 4x3"),
    ],
)
def test_layers_in_words(einsum, words: str) -> None:
    assert describe(einsum) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "O[n,m,q,p] += I[n,c,r+4*p,s+4*q] * W[c,m,r,s] ; n=1,m=96,c=3,p=55,q=55,r=11,s=11",
            "11x11 conv, 3 to 96, 55x55, stride 4",
        ),
        (
            "O[k,p] += I[c,p+r] * W[k,c,r] ; k=8,c=4,p=100,r=5",
            "5 wide conv, 4 to 8, 100 wide",
        ),
        ("O[i] += A[i,j] * B[j] ; i=3,j=4", "matrix product, 3x4 by 4x1"),
        (
            "O[i,j] += A[i,i+j] * B[j] ; i=3,j=4",
            "O[i,j] += A[i,i+j] * B[j] ; i=3, j=4",
        ),
    ],
)
def test_dimensions_are_told_by_what_they_do_not_by_their_names(text: str, words: str) -> None:
    assert describe(parse_sized_einsum(text)) == words


def test_intensity_is_macs_over_all_words() -> None:
    assert arithmetic_intensity(gemm(M=2, N=3, K=4)) == 24 / (8 + 12 + 6)


def test_facts_of_unique_layers_add_up() -> None:
    a, b = conv("a", K=2, C=2, P=4, Q=4), conv("b", K=2, C=2, P=8, Q=4)
    twin = conv("twin", K=2, C=2, P=4, Q=4)
    network = Network("n", (Layer(a), Layer(b, 3), Layer(twin, 2)))
    first, second = layer_facts(network)
    assert (first.name, first.count, second.count) == ("a", 3, 3)
    assert first.macs * first.count + second.macs * second.count == network.macs
    assert first.share + second.share == pytest.approx(1.0, abs=1e-15)
    assert (first.weights, first.inputs, first.outputs) == (4, 32, 32)


def test_what_is_left_out_is_added_up_by_kind() -> None:
    items = (
        Unmodelled("r1", "Relu", 10, "elementwise"),
        Unmodelled("s", "Softmax", 50, "elementwise"),
        Unmodelled("r2", "Relu", 15, "elementwise"),
    )
    network = Network("n", (Layer(gemm(M=5, N=5, K=1)),), items)
    softmax, relu = left_out_by_kind(network)
    assert (softmax.kind, softmax.count, softmax.share) == ("Softmax", 1, 0.5)
    assert (relu.kind, relu.count, relu.operations, relu.share) == ("Relu", 2, 25, 0.25)
    assert network.unmodelled_share == 0.75


def test_a_layer_run_rounded_up_in_words():
    layer = gemm(M=512, N=512, K=512)
    told = run_as(layer, (518, 512, 513))
    assert told == "run as M=518, K=513: 1.4 % more multiplications"
