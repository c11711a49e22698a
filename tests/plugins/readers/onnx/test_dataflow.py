"""The dataflow of ONNX graphs: peak memory as the library's networks have it, and by hand."""

from __future__ import annotations

import math

import pytest

from cosearch.hooks.discovery import load_registry
from cosearch.workload.source import resolve
from cosearch_plugins.memory.objectives import peak_memory

pytest.importorskip("onnx")

from tests.plugins.readers.onnx.test_reader import Graph, resnet18

REGISTRY = load_registry(third_party=False)


def test_resnet18_needs_as_much_as_the_librarys(tmp_path):
    graph, y = resnet18(1)
    assert peak_memory(graph.read(tmp_path, y)) == peak_memory(resolve("resnet18", REGISTRY))


def test_activations_work_in_place_where_nobody_else_reads(tmp_path):
    g = Graph(x=(1, 4, 6, 6))
    y = g.add("Relu", g.conv("x", 4, 8, 1))
    network = g.read(tmp_path, g.conv(y, 8, 2, 1))
    assert peak_memory(network) == (4 + 8) * 36
    assert len(network.dataflow.steps) == 2


def test_an_activation_whose_operand_is_read_again_has_its_own_tensor(tmp_path):
    g = Graph(x=(1, 4, 6, 6))
    y = g.conv("x", 4, 8, 1)
    network = g.read(tmp_path, g.add("Add", y, g.add("Relu", y)))
    assert peak_memory(network) == 3 * 8 * 36


def test_reshaped_tensors_are_one_and_results_stay(tmp_path):
    g = Graph(x=(1, 4, 6, 6))
    y = g.add("Reshape", "x", g.numbers([1, 144]))
    z = g.add("MatMul", y, g.weights(144, 10))
    assert peak_memory(g.read(tmp_path, z)) == 144 + 10
    assert peak_memory(g.read(tmp_path, z, y)) == 144 + 10
    pooled = g.add("GlobalAveragePool", g.conv("x", 4, 50, 1))
    assert peak_memory(g.read(tmp_path, pooled, "x")) == 144 + 50 * 36 + 50


def test_a_tensor_in_parts(tmp_path):
    g = Graph(x=(1, 4, 6, 6))
    both = g.add("Concat", g.conv("x", 4, 8, 1), g.conv("x", 4, 16, 1), axis=1)
    network = g.read(tmp_path, both)
    assert peak_memory(network) == 2 * 24 * 36
    assert len(network.dataflow.steps) == 3


def test_of_a_loop_nothing_is_known(tmp_path):
    from onnx import TensorProto, helper

    g = Graph(x=(1, 4, 6, 6))
    out = helper.make_tensor_value_info("inner", TensorProto.FLOAT, (1, 4, 6, 6))
    body = helper.make_graph([helper.make_node("Relu", ["x"], ["inner"])], "body", [], [out])
    flag = g.add("Cast", g.add("ReduceMax", g.conv("x", 4, 4, 1), keepdims=0), to=9)
    y = g.add("If", flag, then_branch=body, else_branch=body)
    assert math.isnan(peak_memory(g.read(tmp_path, y)))
