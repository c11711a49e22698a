"""Links of ONNX graphs: the library's, and none where a tensor is needed twice."""

from __future__ import annotations

import pytest

from cosearch.hooks.discovery import load_registry
from cosearch.workload.source import resolve

pytest.importorskip("onnx")

from tests.plugins.readers.linked import links
from tests.plugins.readers.onnx.test_reader import Graph, bert_layer, resnet18

REGISTRY = load_registry(third_party=False)


def test_resnet18_has_the_librarys_links(tmp_path):
    graph, y = resnet18(1)
    found = links(graph.read(tmp_path, y))
    assert len(found) == 15
    assert found == links(resolve("resnet18", REGISTRY))


def test_mobile_blocks_have_the_librarys_links(tmp_path):
    ours = set(map(repr, links(resolve("mobilenetv2", REGISTRY))))
    g = Graph(x=(1, 96, 14, 14))
    x = g.add("Clip", g.norm(g.conv("x", 96, 576, 1), 576))
    x = g.add("Clip", g.norm(g.conv(x, 576, 576, 3, group=576), 576))
    x = g.norm(g.conv(x, 576, 96, 1), 96)
    found = links(g.read(tmp_path, g.add("Add", x, "x")))
    assert len(found) == 2
    assert set(map(repr, found)) <= ours


@pytest.mark.parametrize("computed_shapes", [False, True])
def test_attention_has_the_librarys_links(tmp_path, computed_shapes):
    g = Graph(x=(1, 128, 768))
    network = g.read(tmp_path, bert_layer(g, "x", computed_shapes=computed_shapes))
    ours = resolve("bert-base", REGISTRY)
    kinds = {repr(link) for link in links(ours) if not link[-1]}
    found = links(network)
    assert len(found) == 3  # the graph has no residual addition: the projection leads to the mlp
    assert kinds <= set(map(repr, found))


def chain(g, between):
    """Return the result of two convolutions with something between them."""
    return g.conv(between(g, g.conv("x", 8, 16, 1)), 16, 8, 3)


def gelu(g, x):
    y = g.add("Erf", g.add("Div", x, g.weights(1)))
    return g.add("Mul", x, g.add("Add", y, g.weights(1)))


KEPT = {
    "nothing": lambda _, x: x,
    "bias and activation": lambda g, x: g.add("Relu", g.add("Add", x, g.weights(16, 1, 1))),
    "quantizing": lambda g, x: g.add("Cast", g.add("Clip", x), to=1),
    "gelu in parts": gelu,
    "turned twice": lambda g, x: g.add(
        "Transpose", g.add("Transpose", x, perm=[0, 2, 3, 1]), perm=[0, 3, 1, 2]
    ),
    "an added input": lambda g, x: g.add("Add", x, "m"),
}
LOST = {
    "pooling": lambda g, x: g.add("MaxPool", x, kernel_shape=[1, 1]),
    "squeeze and excitation": lambda g, x: g.add(
        "Mul", x, g.add("Sigmoid", g.add("GlobalAveragePool", x))
    ),
    "split axes": lambda g, x: g.add(
        "Reshape", g.add("Reshape", x, g.numbers([1, 4, 4, 16, 16])), g.numbers([1, 16, 16, 16])
    ),
}


@pytest.mark.parametrize("between", KEPT)
def test_what_goes_element_by_element_keeps_the_link(tmp_path, between):
    g = Graph(x=(1, 8, 16, 16), m=(1, 16, 16, 16))
    (link,) = g.read(tmp_path, chain(g, KEPT[between])).links
    assert (link.producer, link.consumer, link.axes, link.whole) == (0, 1, (None, 1, 2, 3), set())


def test_turned_axes_are_followed(tmp_path):
    g = Graph(x=(1, 8, 16, 16))
    x = g.add("Transpose", g.conv("x", 8, 16, 1), perm=[0, 2, 1, 3])
    (link,) = g.read(tmp_path, g.conv(x, 16, 8, 3)).links
    assert link.axes == (None, 3, 2, 1)  # of N, K, P, Q: rows are channels now


@pytest.mark.parametrize("between", LOST)
def test_anything_else_has_no_link(tmp_path, between):
    g = Graph(x=(1, 8, 16, 16))
    assert g.read(tmp_path, chain(g, LOST[between])).links == ()


def linked(network):
    """Return who is linked to whom, and whether it is written as well."""
    return [(x.producer, x.consumer, x.written) for x in network.links]


def test_a_tensor_with_two_readers_or_that_is_returned_is_written_too(tmp_path):
    g = Graph(x=(1, 8, 16, 16))
    first = g.conv("x", 8, 8, 1)
    second, third = g.conv(first, 8, 8, 3), g.conv(first, 8, 8, 1)
    assert linked(g.read(tmp_path, second, third)) == [(0, 1, True)]
    assert linked(g.read(tmp_path, second, first)) == [(0, 1, True)]


def test_a_sum_or_a_gate_leads_on_from_what_is_written_last(tmp_path):
    g = Graph(x=(1, 8, 16, 16))
    gate, up = g.conv("x", 8, 16, 1), g.conv("x", 8, 16, 1)
    down = g.conv(g.add("Mul", g.add("Sigmoid", gate), up), 16, 8, 1)
    assert linked(g.read(tmp_path, down)) == [(1, 2, False)]


def test_a_residual_inside_a_group_is_there_already(tmp_path):
    """What the sum reads of the first layer was written by earlier pieces, cut alike."""
    g = Graph(x=(1, 8, 16, 16))
    first = g.conv("x", 8, 8, 1)
    second = g.conv(first, 8, 8, 3)
    third = g.conv(g.add("Add", first, second), 8, 8, 1)
    assert linked(g.read(tmp_path, third)) == [(0, 1, True), (1, 2, False)]


def test_what_depends_on_a_group_is_not_needed_in_its_middle(tmp_path):
    """A projection of the first tensor would have to run between members of one chain."""
    g = Graph(x=(1, 8, 16, 16))
    first = g.conv("x", 8, 8, 1)
    second, side = g.conv(first, 8, 8, 3), g.conv(first, 8, 8, 1)
    third = g.conv(second, 8, 8, 1)
    fourth = g.conv(g.add("Add", side, third), 8, 8, 1)
    assert linked(g.read(tmp_path, fourth)) == [(1, 3, False), (3, 4, False)]


def test_a_turned_residual_is_cut_otherwise(tmp_path):
    g = Graph(x=(1, 16, 16, 16))
    first = g.conv("x", 16, 16, 1)
    turned = g.add("Transpose", first, perm=[0, 1, 3, 2])
    third = g.conv(g.add("Add", g.conv(first, 16, 16, 1), turned), 16, 16, 1)
    assert linked(g.read(tmp_path, third)) == [(1, 2, False)]


def test_a_product_of_a_tensor_with_itself_has_no_link(tmp_path):
    g = Graph(x=(2, 8, 16))
    x = g.add("MatMul", "x", g.weights(16, 8))
    assert g.read(tmp_path, g.add("MatMul", x, x)).links == ()


def test_norms_and_softmaxes_say_which_axes_are_whole(tmp_path):
    g = Graph(x=(2, 8, 16))
    x = g.add("MatMul", "x", g.weights(16, 32))
    x = g.add("LayerNormalization", x, g.weights(32), g.weights(32))
    x = g.add("MatMul", x, g.weights(32, 4))
    x = g.add("MatMul", g.add("Softmax", x, axis=-1), g.weights(4, 4))
    first, second = g.read(tmp_path, x).links
    channels = 1  # of N, K, P, Q
    assert first.whole == second.whole == {channels}


def test_one_operator_of_attention_links_its_products(tmp_path):
    g = Graph(q=(1, 8, 10, 64), k=(1, 2, 30, 64), v=(1, 2, 30, 32))
    (link,) = g.read(tmp_path, g.add("Attention", "q", "k", "v"), opset=23).links
    assert (link.producer, link.consumer, link.whole) == (0, 1, {2})
