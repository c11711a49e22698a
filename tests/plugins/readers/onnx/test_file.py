"""Files that are damaged, hostile or too large get one clear message each."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest

from cosearch.errors import CosearchError, MissingExtraError

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from cosearch_plugins.readers.onnx.reader import read_onnx  # noqa: E402

FLOAT = TensorProto.FLOAT


def product_model(rows: int | str = 4):
    """Two matrix products with a ReLU between."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"], name="relu"),
        helper.make_node("MatMul", ["b", "v"], ["y"], name="second"),
    ]
    stored = [
        numpy_helper.from_array(np.ones((8, 16), np.float32), "w"),
        numpy_helper.from_array(np.ones((16, 2), np.float32), "v"),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", FLOAT, (rows, 8))],
        [helper.make_tensor_value_info("y", FLOAT, None)],
        stored,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def message(path: Path, content: bytes) -> str:
    """Return what the user is told, in one piece."""
    path.write_bytes(content)
    with pytest.raises(CosearchError) as caught:
        read_onnx(path, {})
    text = str(caught.value)
    assert str(path) in text
    assert len(text) < 2500
    return text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"<html><body>404 not found</body></html>", "is not an ONNX model"),
        (b"version: 1\nlayers: []\n", "is not an ONNX model"),
        (random.Random(0).randbytes(5000), "is not an ONNX model"),
        (b"\x08\x08", "it has no graph"),
    ],
)
def test_files_of_another_kind(path: Path, content: bytes, told: str) -> None:
    assert told in message(path, content)


def test_a_file_cut_off_anywhere(path: Path) -> None:
    whole = product_model().SerializeToString()
    for length in range(1, len(whole), 7):
        message(path, whole[:length])


def test_any_byte_may_be_wrong(path: Path) -> None:
    """Whatever a wrong byte does, the reader returns a network or says what is wrong."""
    whole, rng = product_model().SerializeToString(), random.Random(1)
    refused = 0
    for _ in range(150):
        content = bytearray(whole)
        content[rng.randrange(len(content))] = rng.randrange(256)
        path.write_bytes(bytes(content))
        try:
            read_onnx(path, {})
        except CosearchError:
            refused += 1
    assert 0 < refused < 150


def test_no_operator_set(path: Path) -> None:
    model = product_model()
    del model.opset_import[:]
    assert "names no operator set" in message(path, model.SerializeToString())


def test_no_operators(path: Path) -> None:
    model = product_model()
    del model.graph.node[:]
    assert "a graph without operators" in message(path, model.SerializeToString())


def test_a_cycle_names_its_nodes(path: Path) -> None:
    model = product_model()
    model.graph.node[0].input[0] = "b"
    told = message(path, model.SerializeToString())
    assert "cyclic" in told
    assert "'first'" in told
    assert "'relu'" in told


def test_a_tensor_that_nothing_makes(path: Path) -> None:
    model = product_model()
    model.graph.node[2].input[1] = "gone"
    assert "nothing makes the tensors 'gone'" in message(path, model.SerializeToString())


def test_a_tensor_made_twice(path: Path) -> None:
    model = product_model()
    model.graph.node[1].output[0] = "a"
    assert "two nodes make the tensor 'a'" in message(path, model.SerializeToString())


def test_open_dimensions_are_named(path: Path) -> None:
    told = message(path, product_model("tokens").SerializeToString())
    assert "input 'x': dimension 0 (tokens) is open" in told


def test_a_shape_that_depends_on_data(path: Path) -> None:
    model = product_model()
    model.graph.node[1].CopyFrom(helper.make_node("Compress", ["a", "mask"], ["b"], axis=0))
    model.graph.input.append(helper.make_tensor_value_info("mask", TensorProto.BOOL, (4,)))
    told = message(path, model.SerializeToString())
    assert "MatMul 'second': the shape of 'b' is not known" in told


def test_shapes_that_do_not_fit(path: Path) -> None:
    model = product_model()
    model.graph.initializer[1].dims[0] = 17
    told = message(path, model.SerializeToString())
    assert "MatMul 'second': [4, 16] and [17, 2] cannot be multiplied" in told


def test_impossible_sizes(path: Path) -> None:
    model = product_model()
    model.graph.initializer[0].dims[0] = -8
    assert "impossible shape [-8, 16]" in message(path, model.SerializeToString())
    model = product_model(2**62)
    assert f"{2**62} is no size" in message(path, model.SerializeToString())


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"strides": [0, 0]}, "Conv 'conv'"),
        ({"group": 3}, "in 3 groups does not fit inputs of [1, 4, 8, 8]"),
        ({"dilations": [9, 9]}, "has size -"),
    ],
)
def test_a_convolution_that_contradicts_itself(path: Path, attributes, told: str) -> None:
    model = product_model()
    node = helper.make_node("Conv", ["i", "k"], ["c"], name="conv", **attributes)
    model.graph.node.append(node)
    model.graph.input.append(helper.make_tensor_value_info("i", FLOAT, (1, 4, 8, 8)))
    model.graph.initializer.append(TensorProto(dims=(8, 4, 3, 3), data_type=FLOAT, name="k"))
    assert told in message(path, model.SerializeToString())


def test_weights_kept_outside_are_not_needed(path: Path) -> None:
    model = product_model()
    for tensor in model.graph.initializer:
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../not/there.bin")
    path.write_bytes(model.SerializeToString())
    network = read_onnx(path, {})
    assert network.macs == 4 * 8 * 16 + 4 * 16 * 2
    assert network.parameters == 8 * 16 + 16 * 2


def test_a_shape_kept_outside_is_named(path: Path) -> None:
    model = product_model()
    model.graph.node[1].CopyFrom(helper.make_node("Reshape", ["a", "to"], ["b"], name="reshape"))
    tensor = TensorProto(dims=(2,), data_type=TensorProto.INT64, name="to")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="shapes.bin")
    model.graph.initializer.append(tensor)
    told = message(path, model.SerializeToString())
    assert "the shape of 'b' is not known" in told


def test_a_hundred_megabytes_are_read(path: Path) -> None:
    model = product_model()
    model.graph.node[0].input[1] = "big"
    big = np.zeros((8, 16), np.float32)
    model.graph.initializer.append(numpy_helper.from_array(big, "big"))
    ballast = TensorProto(dims=(25, 1024, 1024), data_type=FLOAT, name="ballast")
    ballast.raw_data = bytes(4 * 25 * 1024 * 1024)
    model.graph.initializer.append(ballast)
    path.write_bytes(model.SerializeToString())
    assert path.stat().st_size > 100_000_000
    assert read_onnx(path, {}).macs == 4 * 8 * 16 + 4 * 16 * 2


def test_files_past_the_limit_of_the_format(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cosearch_plugins.readers.onnx.file.LARGEST", 100)
    assert "an ONNX file ends at 100" in message(path, product_model().SerializeToString())


def test_without_onnx_the_extra_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(product_model().SerializeToString())
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match="reading ONNX files") as caught:
        read_onnx(path, {})
    assert caught.value.hint == "install it: pip install 'cosearch[onnx]'"


def test_tensors_of_hostile_size_are_not_built(path: Path) -> None:
    """A few bytes that ask for a tensor of 2^60 elements cost neither memory nor time."""
    model = product_model()
    size = numpy_helper.from_array(np.array([2**30, 2**30], np.int64), "size")
    model.graph.initializer.append(size)
    model.graph.node.insert(0, helper.make_node("ConstantOfShape", ["size"], ["huge"]))
    model.graph.node.insert(1, helper.make_node("Range", ["o", "size1", "one"], ["line"]))
    for name, value in (("o", 0), ("size1", 2**60), ("one", 1)):
        model.graph.initializer.append(numpy_helper.from_array(np.array(value, np.int64), name))
    path.write_bytes(model.SerializeToString())
    assert read_onnx(path, {}).macs == 4 * 8 * 16 + 4 * 16 * 2
