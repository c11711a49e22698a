from cosearch.workload.drawing import chain_drawing
from cosearch.workload.einsum import gemm
from cosearch.workload.link import Link
from cosearch.workload.network import Layer, Network

LAYERS = tuple(Layer(gemm(f"l{i}", M=8, K=8, N=8), 3) for i in range(5))


def test_chains_are_drawn_with_what_flows_and_equal_ones_once():
    links = [Link(0, 1, "Inputs", (0, 1), (1,)), Link(2, 3, "Inputs", (0, 1), (1,))]
    assert chain_drawing(Network("net", LAYERS, links=tuple(links))) == [
        "l0, 6 such",
        "  | 64 words M, all of N at once",
        "l1",
    ]


def test_layers_alone_are_not_drawn():
    assert chain_drawing(Network("net", LAYERS)) == []
