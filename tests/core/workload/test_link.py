from __future__ import annotations

import pytest
from attrs import evolve

from cosearch.errors import CosearchError
from cosearch.workload.einsum import conv, gemm
from cosearch.workload.link import Link, chains
from cosearch.workload.mix import mixed
from cosearch.workload.network import Layer, Network, Part

A, B = gemm("a", M=4, N=6, K=2), gemm("b", M=4, N=3, K=6)
LAYERS = (Layer(A), Layer(B))
LINK = Link(0, 1, "Inputs", (0, 1))


def test_a_network_keeps_its_links_and_a_mix_shifts_them() -> None:
    network = Network("net", LAYERS, links=(LINK,))
    other = Network("other", LAYERS[:1])
    mix = mixed([Part("other", 2, other), Part("net", 1, network)])
    assert [(link.producer, link.consumer) for link in mix.links] == [(1, 2)]


@pytest.mark.parametrize(
    ("link", "layers", "words"),
    [
        (evolve(LINK, consumer=2), LAYERS, "numbered 0 to 1"),
        (evolve(LINK, producer=1, consumer=0), LAYERS, "goes to a later one"),
        (LINK, (Layer(A, 2), Layer(B)), "'a' runs 2 times, 'b' 1 times"),
        (evolve(LINK, operand="Input"), LAYERS, "has no operand 'Input'"),
        (evolve(LINK, axes=(0,)), LAYERS, "has 2 axes"),
        (evolve(LINK, axes=(0, 0)), LAYERS, "each at most once"),
        (evolve(LINK, axes=(0, None)), LAYERS, "has no counterpart"),
        (evolve(LINK, axes=(1, 0)), (Layer(A), Layer(gemm("b", M=9, N=3, K=3))), "4 words are"),
    ],
)
def test_a_link_that_describes_no_network_is_refused(
    link: Link, layers: tuple[Layer, ...], words: str
) -> None:
    with pytest.raises(CosearchError, match=words):
        Network("net", layers, links=(link,))


def test_a_tensor_with_two_readers_has_no_link() -> None:
    layers = (*LAYERS, Layer(B))
    with pytest.raises(CosearchError, match="two links begin or end at one tensor of layer 0"):
        Network("net", layers, links=(LINK, evolve(LINK, consumer=2)))


def test_an_input_with_padding_is_larger_than_what_is_written() -> None:
    first = conv("first", K=4, C=3, P=8, Q=8, R=3, S=3)
    second = conv("second", K=2, C=4, P=8, Q=8, R=3, S=3)
    link = Link(0, 1, "Inputs", (0, 1, 2, 3))
    assert Network("net", (Layer(first), Layer(second)), links=(link,)).links == (link,)
    with pytest.raises(CosearchError, match="10 words are written along an axis of which 8"):
        Network(
            "net",
            (Layer(conv("wide", K=4, C=3, P=10, Q=8)), Layer(conv("thin", K=2, C=4, P=8, Q=8))),
            links=(link,),
        )


def test_chains_hold_every_layer_once() -> None:
    assert chains(5, [Link(0, 2, "x", (0,)), Link(1, 2, "y", (0,)), Link(2, 4, "x", (0,))]) == [
        (0, 2, 4),
        (1,),
        (3,),
    ]
