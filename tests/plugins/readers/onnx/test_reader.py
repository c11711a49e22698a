"""ONNX models made with onnx's own helpers become the library's networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cosearch.errors import InputError
from cosearch.hooks.discovery import load_registry
from cosearch.workload.source import resolve
from cosearch.workload.text import describe, left_out_by_kind

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from cosearch_plugins.readers.onnx.reader import read_onnx  # noqa: E402

REGISTRY = load_registry(third_party=False)
FLOAT = TensorProto.FLOAT


class Graph:
    """Writes an ONNX model; every method adds a node and returns the name of its result."""

    def __init__(self, **inputs: tuple[int | str | None, ...]) -> None:
        self.nodes: list = []
        self.stored: list = []
        self.inputs = [helper.make_tensor_value_info(n, FLOAT, s) for n, s in inputs.items()]

    def add(self, kind: str, *inputs: str, name: str = "", domain: str = "", **attributes) -> str:
        result = f"t{len(self.nodes)}"
        name = name or f"n{len(self.nodes)}"
        node = helper.make_node(
            kind, list(inputs), [result], name=name, domain=domain, **attributes
        )
        self.nodes.append(node)
        return result

    def weights(self, *shape: int) -> str:
        """Store a tensor without values: the reader must not need them."""
        tensor = TensorProto(dims=shape, data_type=FLOAT, name=f"w{len(self.stored)}")
        self.stored.append(tensor)
        return tensor.name

    def numbers(self, values) -> str:
        name = f"w{len(self.stored)}"
        self.stored.append(numpy_helper.from_array(np.array(values, dtype=np.int64), name))
        return name

    def conv(self, x: str, c: int, k: int, kernel: int, name: str = "", **attributes) -> str:
        pad = attributes.pop("pad", kernel // 2)
        weights = self.weights(k, c // attributes.get("group", 1), kernel, kernel)
        return self.add("Conv", x, weights, name=name, pads=[pad] * 4, **attributes)

    def norm(self, x: str, c: int) -> str:
        return self.add("BatchNormalization", x, *(self.weights(c) for _ in range(4)))

    def model(self, *results: str, opset: int = 18, domains: tuple[str, ...] = ()):
        outputs = [helper.make_tensor_value_info(r, FLOAT, None) for r in results]
        graph = helper.make_graph(self.nodes, "g", self.inputs, outputs, self.stored)
        opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)

    def read(self, path: Path, *results: str, sizes=None, **options):
        file = path / "model.onnx"
        file.write_bytes(self.model(*results, **options).SerializeToString())
        return read_onnx(file, sizes or {})


def layers(network) -> list:
    return [(layer.einsum, layer.count) for layer in network.unique if layer.einsum.macs]


def words(network) -> list[str]:
    return [describe(layer.einsum) for layer in network.layers]


def resnet18(batch: int | str) -> tuple[Graph, str]:
    g = Graph(x=(batch, 3, 224, 224))
    x = g.add("Relu", g.norm(g.conv("x", 3, 64, 7, strides=[2, 2]), 64))
    x = g.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    c = 64
    for k in (64, 128, 256, 512):
        for block in range(2):
            stride = 2 if k > 64 and block == 0 else 1
            y = g.add("Relu", g.norm(g.conv(x, c, k, 3, strides=[stride] * 2), k))
            y = g.norm(g.conv(y, k, k, 3), k)
            if c != k:
                x = g.norm(g.conv(x, c, k, 1, strides=[stride] * 2), k)
            x, c = g.add("Relu", g.add("Add", x, y)), k
    x = g.add("Flatten", g.add("GlobalAveragePool", x))
    return g, g.add("Gemm", x, g.weights(1000, 512), g.weights(1000), transB=1)


def test_resnet18_is_the_librarys(tmp_path: Path) -> None:
    graph, y = resnet18(1)
    network, ours = graph.read(tmp_path, y), resolve("resnet18", REGISTRY)
    assert layers(network) == layers(ours)
    assert network.parameters == ours.parameters
    kinds = {item.kind: (item.count, item.operations) for item in left_out_by_kind(network)}
    assert kinds["Add"] == (8, 2 * (64 * 56**2 + 128 * 28**2 + 256 * 14**2 + 512 * 7**2))
    assert kinds["MaxPool"] == (1, 64 * 56**2 * 9)
    assert kinds["GlobalAveragePool"] == (1, 512 * 7**2)
    assert kinds["Flatten"] == (1, 0)
    assert 0.003 < network.unmodelled_share < 0.005


def test_an_open_batch_is_given_behind_the_path(tmp_path: Path) -> None:
    graph, y = resnet18("batch")
    with pytest.raises(InputError, match=r"input 'x': dimension 0 \(batch\) is open") as caught:
        graph.read(tmp_path, y)
    assert ":NAME=SIZE" in caught.value.hint
    network = resolve(f"{tmp_path / 'model.onnx'}:batch=4", REGISTRY)
    assert layers(network) == layers(resolve("resnet18:batch=4", REGISTRY))


def test_a_dimension_without_a_name_is_called_after_its_axis(tmp_path: Path) -> None:
    graph = Graph(x=(None, 8))
    y = graph.add("MatMul", "x", graph.weights(8, 4))
    with pytest.raises(InputError, match=r"dimension 0 \(x\.0\) is open"):
        graph.read(tmp_path, y)
    assert graph.read(tmp_path, y, sizes={"x.0": 5}).macs == 5 * 8 * 4
    with pytest.raises(InputError, match="there is no open dimension 'z'"):
        graph.read(tmp_path, y, sizes={"x.0": 5, "z": 3})


def bert_layer(g: Graph, x: str, *, computed_shapes: bool) -> str:
    """Attention as exporters write it, its shapes as constants or computed from the input's."""

    def heads(part: str, axes: list[int]) -> str:
        y = g.add("Add", g.add("MatMul", x, g.weights(768, 768)), g.weights(768), name=part)
        shape = g.numbers([0, 0, 12, 64])
        if computed_shapes:
            start = g.add("Slice", g.add("Shape", y), g.numbers([0]), g.numbers([2]))
            shape = g.add("Concat", start, g.numbers([12]), g.numbers([-1]), axis=0)
        return g.add("Transpose", g.add("Reshape", y, shape), perm=axes)

    query, key, value = heads("q", [0, 2, 1, 3]), heads("k", [0, 2, 3, 1]), heads("v", [0, 2, 1, 3])
    scores = g.add("Softmax", g.add("MatMul", query, key), axis=-1)
    mixed = g.add("Transpose", g.add("MatMul", scores, value), perm=[0, 2, 1, 3])
    x = g.add("MatMul", g.add("Reshape", mixed, g.numbers([0, 0, 768])), g.weights(768, 768))
    x = g.add("MatMul", x, g.weights(768, 3072))
    return g.add("MatMul", x, g.weights(3072, 768))


@pytest.mark.parametrize("computed_shapes", [False, True])
def test_an_attention_layer_is_the_librarys(tmp_path: Path, computed_shapes: bool) -> None:
    g = Graph(x=(1, 128, 768))
    network = g.read(tmp_path, bert_layer(g, "x", computed_shapes=computed_shapes))
    ours = [la for la in resolve("bert-base", REGISTRY).products if la.name.startswith("layer0")]
    assert sorted(layer.einsum.key for layer in network.layers) == sorted(
        layer.einsum.key for layer in ours
    )
    shapes = {item.kind for item in network.unmodelled}
    assert not shapes & {"Shape", "Slice", "Concat"}


def one_layer_graph(layer) -> tuple[Graph, str]:
    """Write a layer of the library as one Conv or MatMul over an input exactly as large as needed.

    Only for convolutions and fully connected layers of the library, whose dimensions are named
    N, G, K, C, P, Q, R and S.
    """
    e = layer.einsum
    size = {"G": 1} | e.bounds
    g = Graph()
    if size["G"] > 1 and size["Q"] == 1 and size["R"] == 1 and size["K"] * size["C"] > 1:
        shapes = (size["G"], size["P"], size["C"]), (size["G"], size["C"], size["K"])
        for name, shape in zip("ab", shapes, strict=True):
            g.inputs.append(helper.make_tensor_value_info(name, FLOAT, shape))
        return g, g.add("MatMul", "a", "b", name=layer.name)
    _, inputs, _ = e.tensors
    *_, width, height = inputs.axes
    shape = (size["N"], size["G"] * size["C"], height.extent(e.bounds), width.extent(e.bounds))
    g.inputs.append(helper.make_tensor_value_info("x", FLOAT, shape))
    weights = g.weights(size["G"] * size["K"], size["C"], size["S"], size["R"])
    strides = [dict(height.terms)["Q"], dict(width.terms)["P"]]
    return g, g.add("Conv", "x", weights, name=layer.name, group=size["G"], strides=strides)


NETWORKS = (
    "alexnet",
    "vgg16",
    "resnet50",
    "mobilenetv2",
    "mobilenetv3",
    "efficientnet-b0",
    "unet",
    "retinanet",
    "bert-base",
    "gpt2:sequence=64",
    "vit-b16",
    "llama:model=tinyllama-1.1b",
)


@pytest.mark.parametrize("spec", NETWORKS)
def test_every_unique_layer_of_the_library_comes_back(spec: str, tmp_path: Path) -> None:
    for layer in (la for la in resolve(spec, REGISTRY).unique if la.einsum.macs):
        graph, y = one_layer_graph(layer)
        (read,) = graph.read(tmp_path, y).layers
        assert read.einsum == layer.einsum
        assert read.name == layer.name


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"pads": [1, 2, 3, 4]}, "3x3 conv, 4 to 8, 12x14"),
        ({"pads": [0, 0, 1, 1], "strides": [2, 2]}, "3x3 conv, 4 to 8, 5x5, stride 2"),
        ({"auto_pad": "SAME_UPPER", "strides": [2, 2]}, "3x3 conv, 4 to 8, 5x5, stride 2"),
        ({"auto_pad": "VALID"}, "3x3 conv, 4 to 8, 8x8"),
        ({"dilations": [2, 3]}, "3x3 conv, 4 to 8, 6x4, dilation 2x3"),
    ],
)
def test_padding_of_every_kind(tmp_path: Path, attributes, said: str) -> None:
    g = Graph(x=(1, 4, 10, 10))
    assert words(g.read(tmp_path, g.add("Conv", "x", g.weights(8, 4, 3, 3), **attributes))) == [
        said
    ]


def test_groups_and_depthwise(tmp_path: Path) -> None:
    g = Graph(x=(1, 8, 10, 10))
    x = g.conv("x", 8, 16, 3, group=2)
    network = g.read(tmp_path, g.conv(x, 16, 32, 3, group=16))
    assert words(network) == [
        "3x3 conv, 8 to 16 in 2 groups, 10x10",
        "3x3 conv, 16 to 32 in 16 groups, 10x10",
    ]


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"pads": [1, 1, 1, 1], "output_padding": [1, 1]},
        {"pads": [1, 0, 2, 1]},
        {"auto_pad": "SAME_UPPER"},
        {"auto_pad": "SAME_LOWER"},
        {"output_shape": [20, 21]},
        {"dilations": [2, 1]},
        {"group": 2},
    ],
)
def test_transposed_convolutions_equal_brute_force(tmp_path: Path, attributes) -> None:
    """Each product of an input pixel and a tap counts unless its output is cut off by padding."""
    g = Graph(x=(1, 4, 7, 6))
    group = attributes.get("group", 1)
    y = g.add("ConvTranspose", "x", g.weights(4, 8 // group, 3, 4), strides=[2, 3], **attributes)
    file = tmp_path / "model.onnx"
    file.write_bytes(g.model(y).SerializeToString())
    shapes = onnx.shape_inference.infer_shapes(onnx.load(file)).graph.output[0]
    out = [d.dim_value for d in shapes.type.tensor_type.shape.dim][2:]
    total = [
        stride * (length - 1) + extra + (kernel - 1) * dilation + 1 - result
        for stride, length, extra, kernel, dilation, result in zip(
            (2, 3),
            (7, 6),
            attributes.get("output_padding", (0, 0)),
            (3, 4),
            attributes.get("dilations", (1, 1)),
            out,
            strict=True,
        )
    ]
    if "pads" in attributes:
        cut = attributes["pads"][:2]
    elif attributes.get("auto_pad") == "SAME_UPPER":
        cut = [max(0, t // 2) for t in total]
    else:
        cut = [max(0, t - t // 2) for t in total]
    products = 4 * 8 // group
    for axis, (stride, kernel) in enumerate(((2, 3), (3, 4))):
        dilation = attributes.get("dilations", (1, 1))[axis]
        products *= sum(
            (o + cut[axis] - tap * dilation) % stride == 0
            for o in range(out[axis])
            for tap in range(kernel)
        )
    assert read_onnx(file, {}).macs == products


def test_products_of_every_kind(tmp_path: Path) -> None:
    g = Graph(x=(2, 5, 8), y=(2, 8, 5))
    x = g.add("MatMul", "x", "y")
    x = g.add("Einsum", x, g.weights(5, 7), equation="bij,jk->bik")
    x = g.add("MatMul", g.weights(3, 5), x)
    network = g.read(tmp_path, x)
    assert words(network) == [
        "2 matrix products, 5x8 by 8x5",
        "fully connected, 5 to 7, 10 tokens",
        "fully connected, 5 to 3, 7 tokens, batch 2",
    ]


def test_gemm_turned_both_ways(tmp_path: Path) -> None:
    g = Graph(x=(16, 4))
    y = g.add("Gemm", "x", g.weights(8, 16), transA=1, transB=1)
    assert words(g.read(tmp_path, y)) == ["fully connected, 16 to 8, batch 4"]


def test_the_attention_operator(tmp_path: Path) -> None:
    g = Graph(q=(1, 8, 10, 64), k=(1, 2, 30, 64), v=(1, 2, 30, 32))
    network = g.read(tmp_path, g.add("Attention", "q", "k", "v"), opset=23)
    assert words(network) == [
        "2 matrix products, 40x64 by 64x30",
        "2 matrix products, 40x30 by 30x32",
    ]


def test_an_lstm(tmp_path: Path) -> None:
    g = Graph(x=(10, 2, 3))
    y = g.add(
        "LSTM",
        "x",
        g.weights(2, 20, 3),
        g.weights(2, 20, 5),
        hidden_size=5,
        direction="bidirectional",
    )
    assert g.read(tmp_path, y).macs == 2 * 10 * 2 * 4 * 5 * (3 + 5)


def test_quantized_operators(tmp_path: Path) -> None:
    g = Graph()
    g.inputs.append(helper.make_tensor_value_info("x", TensorProto.UINT8, (1, 4, 10, 10)))
    scale, zero = g.weights(1), g.weights(1)
    y = g.add("QLinearConv", "x", scale, zero, g.weights(8, 4, 3, 3), scale, zero, scale, zero)
    assert words(g.read(tmp_path, y)) == ["3x3 conv, 4 to 8, 8x8"]


def test_weights_behind_a_dequantizer_are_weights(tmp_path: Path) -> None:
    g = Graph(x=(1, 4, 10, 10))
    w = g.add("DequantizeLinear", g.weights(8, 4, 3, 3), g.weights(8), axis=0)
    network = g.read(tmp_path, g.add("Conv", "x", w))
    assert words(network) == ["3x3 conv, 4 to 8, 8x8"]
    assert network.parameters == 8 * 4 * 9


def test_operators_of_onnx_runtime(tmp_path: Path) -> None:
    g = Graph(x=(1, 128, 768))
    x = g.add("Attention", "x", g.weights(768, 2304), domain="com.microsoft", num_heads=12)
    x = g.add("FusedMatMul", x, g.weights(3072, 768), domain="com.microsoft", transB=1)
    x = g.add("FastGelu", x, domain="com.microsoft")
    x = g.add("MatMul", x, g.weights(3072, 768))
    network = g.read(tmp_path, x, domains=("com.microsoft",))
    assert words(network) == [
        "fully connected, 768 to 2304, 128 tokens",
        "12 matrix products, 128x64 by 64x128",
        "12 matrix products, 128x128 by 128x64",
        "fully connected, 768 to 3072, 128 tokens",
        "fully connected, 3072 to 768, 128 tokens",
    ]
    softmax, gelu = network.unmodelled
    assert softmax.operations == 12 * 128 * 128
    assert (gelu.kind, gelu.operations) == ("com.microsoft.FastGelu", 128 * 3072)


def test_functions_of_the_file_are_inlined(tmp_path: Path) -> None:
    g = Graph(x=(4, 8))
    body = [helper.make_node("MatMul", ["a", "b"], ["c"]), helper.make_node("Relu", ["c"], ["d"])]
    function = helper.make_function(
        "own", "Dense", ["a", "b"], ["d"], body, [helper.make_opsetid("", 18)]
    )
    model = g.model(g.add("Dense", "x", g.weights(8, 2), domain="own"), domains=("own",))
    model.functions.append(function)
    file = tmp_path / "model.onnx"
    file.write_bytes(model.SerializeToString())
    network = read_onnx(file, {})
    assert network.macs == 64
    assert [item.kind for item in network.unmodelled] == ["Relu"]


def test_control_flow_is_counted_not_dropped(tmp_path: Path) -> None:
    g = Graph(x=(4, 8), flag=())
    branches = {}
    for name, width in (("then_branch", 2), ("else_branch", 3)):
        weights = TensorProto(dims=(8, width), data_type=FLOAT, name=f"w_{name}")
        node = helper.make_node("MatMul", ["x", weights.name], [f"y_{name}"])
        result = helper.make_tensor_value_info(f"y_{name}", FLOAT, (4, width))
        branches[name] = helper.make_graph([node], name, [], [result], [weights])
    g.inputs[1] = helper.make_tensor_value_info("flag", TensorProto.BOOL, ())
    y = g.add("If", "flag", **branches)
    z = g.add("MatMul", "x", g.weights(8, 1))
    network = g.read(tmp_path, y, z)
    (item,) = network.unmodelled
    assert (item.kind, item.operations) == ("If", 4 * 8 * 3)
    assert "larger branch" in item.reason
    assert network.unmodelled_share == 96 / (96 + 32)


def test_products_that_are_no_layer_are_listed_with_their_operations(tmp_path: Path) -> None:
    g = Graph(x=(2, 3), y=(3, 4), z=(4, 5), v=(1, 4, 3, 3, 3))
    e = g.add("Einsum", "x", "y", "z", equation="ij,jk,kl->ii")
    c = g.add("ConvTranspose", "v", g.weights(4, 2, 3, 3, 3))
    m = g.add("MatMul", "x", "y")
    network = g.read(tmp_path, e, c, m)
    found = {item.kind: item.operations for item in network.unmodelled}
    assert found == {"Einsum": 2 * 3 * 4 * 5, "ConvTranspose": 4 * 27 * 2 * 27}


def test_what_is_constant_is_computed_beforehand(tmp_path: Path) -> None:
    g = Graph(x=(4, 8))
    w = g.add("MatMul", g.weights(8, 100), g.weights(100, 2))
    network = g.read(tmp_path, g.add("MatMul", "x", g.add("Relu", w)))
    assert (network.macs, network.unmodelled, network.parameters) == (64, (), 16)


def test_names_are_unique(tmp_path: Path) -> None:
    g = Graph(x=(4, 4))
    x = "x"
    for _ in range(3):
        x = g.add("MatMul", x, g.weights(4, 4), name="fc")
    assert [layer.name for layer in g.read(tmp_path, x).layers] == ["fc", "fc#2", "fc#3"]


def test_nodes_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    g = Graph(x=(4, 4))
    first = g.add("MatMul", "x", g.weights(4, 8), name="first")
    second = g.add("MatMul", first, g.weights(8, 2), name="second")
    g.nodes.reverse()
    assert [layer.name for layer in g.read(tmp_path, second).layers] == ["first", "second"]


LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"

PUBLISHED = (
    # torchvision squeezenet1_1 and vgg19: num_params, _ops; Caffe bvlc_alexnet at 224x224
    ("light_squeezenet", 1_235_496, 0.349),
    ("light_vgg19", 143_667_240, 19.632),
    ("light_resnet50", 25_557_032, 4.089),
    ("light_bvlc_alexnet", 60_965_224, None),
)


@pytest.mark.parametrize(("name", "parameters", "gmacs"), PUBLISHED)
def test_models_that_come_with_onnx(name: str, parameters: int, gmacs: float | None) -> None:
    path = LIGHT / f"{name}.onnx"
    if not path.exists():
        pytest.skip("this release of onnx comes without its test models")
    network = read_onnx(path, {})
    assert network.parameters == parameters
    assert gmacs is None or round(network.macs / 1e9, 3) == gmacs
