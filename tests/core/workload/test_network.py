from __future__ import annotations

import pytest

from cosearch.errors import UnknownNameError
from cosearch.workload.einsum import conv, gemm
from cosearch.workload.network import Layer, Network, Unmodelled

FIRST, SECOND = gemm("first", M=2, N=3, K=4), conv("second", K=2, C=2, P=3, Q=3)
NETWORK = Network("net", (Layer(FIRST, 2), Layer(SECOND), Layer(gemm("again", M=2, N=3, K=4))))


def test_equal_layers_are_joined_and_counted() -> None:
    assert [(layer.name, layer.count) for layer in NETWORK.unique] == [("first", 3), ("second", 1)]


def test_macs_count_every_run() -> None:
    assert NETWORK.macs == 3 * 24 + 36


def test_a_layer_is_found_by_name() -> None:
    assert NETWORK.layer("second").einsum is SECOND
    with pytest.raises(UnknownNameError, match="no layer of net 'secnd'") as caught:
        NETWORK.layer("secnd")
    assert caught.value.hint == "did you mean 'second'?"


def test_share_of_what_is_left_out() -> None:
    assert NETWORK.unmodelled_share == 0.0
    left = Network("net", NETWORK.layers, (Unmodelled("relu", "Relu", 12, "elementwise"),))
    assert left.unmodelled_share == 0.1
