"""Operators of the standard and of ONNX Runtime: shapes pass through them, products are priced."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cosearch.errors import InputError
from cosearch.workload.network import Network
from cosearch.workload.text import describe

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper, parser  # noqa: E402

from cosearch_plugins.readers.onnx.reader import read_onnx  # noqa: E402

FLOAT = TensorProto.FLOAT


class Reader:
    """Reads graphs in ONNX's own text; weights are stored without values."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "model.onnx"

    def __call__(self, graph: str, opset: int = 21, sizes=None, **weights) -> Network:
        head = f'<ir_version: 10, opset_import: ["": {opset}, "ai.onnx.ml": 3]>'
        model = parser.parse_model(f"{head} g {graph}")
        for name, shape in weights.items():
            tensor = (
                numpy_helper.from_array(shape, name)
                if isinstance(shape, np.ndarray)
                else TensorProto(dims=shape, data_type=FLOAT, name=name)
            )
            model.graph.initializer.append(tensor)
        self.file.write_bytes(model.SerializeToString())
        return read_onnx(self.file, sizes or {})


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


def words(network) -> list[str]:
    return [describe(layer.einsum) for layer in network.layers]


def left_out(network) -> dict[str, tuple[int, bool]]:
    return {item.kind: (item.operations, item.known) for item in network.unmodelled}


def tensors(network, i: int = 0) -> dict[str, int]:
    einsum = network.layers[i].einsum
    return {t.name: einsum.words(t) for t in einsum.tensors}


# shapes pass through


@pytest.mark.parametrize("opset", [18, 21])
def test_group_normalization(read: Reader, opset: int) -> None:
    graph = """(float[2,12,9,9] x) => (float y) {
        c = Conv <pads=[1,1,1,1]> (x, w)
        n = GroupNormalization <num_groups=4> (c, s, b)
        y = Conv (n, w2) }"""
    network = read(graph, opset, w=(8, 12, 3, 3), w2=(10, 8, 1, 1), s=(8,), b=(8,))
    assert network.macs == 2 * 81 * 12 * 9 * 8 + 2 * 81 * 8 * 10
    assert left_out(network) == {"GroupNormalization": (2 * 81 * 8, True)}


def test_mean_variance_normalization(read: Reader) -> None:
    graph = "(float[1,4,6,6] x) => (y) { n = MeanVarianceNormalization (x) y = Conv (n, w) }"
    assert read(graph, 13, w=(8, 4, 3, 3)).macs == 16 * 4 * 9 * 8


def test_as_many_in_a_row_as_one_likes(read: Reader) -> None:
    """Every one of them stops ONNX's own inference of the whole graph."""
    steps = "".join(
        f"c{i} = Conv <pads=[1,1,1,1]> (x{i}, w) "
        f"x{i + 1} = GroupNormalization <num_groups=2> (c{i}, s, s) "
        for i in range(60)
    )
    graph = f"(float[1,4,8,8] x0) => (x60) {{ {steps} }}"
    network = read(graph, 18, w=(4, 4, 3, 3), s=(2,))
    assert network.macs == 60 * 64 * 4 * 4 * 9


KEEPING = [
    "n = com.microsoft.FastGelu (x)",
    "n = com.microsoft.QuickGelu (x)",
    "n = com.microsoft.BiasGelu (x, s)",
    "n = com.microsoft.RotaryEmbedding (x, p, c, c)",
    "n = com.microsoft.SkipLayerNormalization (x, x, s)",
    "u, , , n = com.microsoft.SkipLayerNormalization (x, x, s)",
    "u, , , n = com.microsoft.SkipSimplifiedLayerNormalization (x, x, s)",
    "n = SimplifiedLayerNormalization <axis=-1> (x, s)",
    "n = com.microsoft.SimplifiedLayerNormalization <axis=-1> (x, s)",
    "n = LayerNormalization (x, s)",
    "n = RMSNormalization (x, s)",
    "n = Gelu (x)",
    "n = Mish (x)",
    "n = Celu (x)",
    "n = LpNormalization (x)",
    "n = ai.onnx.ml.Scaler (x)",
    "n = ai.onnx.ml.Normalizer (x)",
]


@pytest.mark.parametrize("operator", KEEPING)
def test_operators_that_keep_a_shape(read: Reader, operator: str) -> None:
    graph = (
        f"(float[2,5,16] x, int64[2,5] p, float[9,8] c) => (y) {{ {operator} y = MatMul (n, w) }}"
    )
    if "ai.onnx.ml" in operator:
        graph = graph.replace("int64[2,5] p", "float p")
    network = read(graph, 23, w=(16, 3), s=(16,))
    assert network.macs == 2 * 5 * 16 * 3
    assert network.unmodelled_known


CHANGING = [
    ("n = com.microsoft.BiasSplitGelu (x, s)", "2,5,32", 16),
    ("n = com.microsoft.FusedMatMul <transB=1> (x, v)", "2,5,16", 7),
    ("n = com.microsoft.MatMulNBits <K=16, N=24, bits=4, block_size=16> (x, v, s)", "2,5,16", 24),
    ("n = com.microsoft.DynamicQuantizeMatMul (x, u, s)", "2,5,16", 7),
]


@pytest.mark.parametrize(("operator", "shape", "inner"), CHANGING)
def test_operators_that_change_a_shape(read: Reader, operator: str, shape: str, inner: int) -> None:
    graph = f"(float[{shape}] x) => (y) {{ {operator} y = MatMul (n, w) }}"
    network = read(graph, v=(7, 16), u=(16, 7), s=(32,), w=(inner, 3))
    assert network.layers[-1].einsum.macs == 2 * 5 * inner * 3


def test_gathering_from_packed_blocks(read: Reader) -> None:
    """Two values of 4 bits to a byte: [50, 32] bytes are 50 rows of 64."""
    graph = """(int64[1,7] i) => (y) {
        n = com.microsoft.GatherBlockQuantized <block_size=32, bits=4> (q, i, s)
        y = MatMul (n, w) }"""
    assert read(graph, q=(50, 32), s=(50, 2), w=(64, 3)).macs == 7 * 64 * 3
    graph = graph.replace("bits=4", "bits=8")
    assert read(graph, q=(50, 64), s=(50, 2), w=(64, 3)).macs == 7 * 64 * 3


def test_embeddings(read: Reader) -> None:
    graph = """(int32[2,9] i, int32[2,9] t) => (y) {
        n = com.microsoft.EmbedLayerNormalization (i, t, e, p, q, s, s)
        y = MatMul (n, w) }"""
    network = read(graph, e=(100, 16), p=(50, 16), q=(2, 16), s=(16,), w=(16, 3))
    assert network.macs == 2 * 9 * 16 * 3


def test_quantized_and_channels_last_operators(read: Reader) -> None:
    graph = """(uint8[1,8,8,4] x) => (y) {
        c = com.microsoft.QLinearConv <channels_last=1> (x, s, z, w, s, z, s, z)
        p = com.microsoft.NhwcMaxPool <kernel_shape=[2,2], strides=[2,2]> (c)
        a = com.microsoft.QLinearAdd (p, s, z, p, s, z, s, z)
        g = com.microsoft.QLinearGlobalAveragePool <channels_last=1> (a, s, z, s, z)
        y = com.microsoft.NhwcConv (g, v) }"""
    network = read(graph, s=(1,), z=(1,), w=(6, 4, 3, 3), v=(5, 6, 1, 1))
    assert words(network)[0] == "3x3 conv, 4 to 6, 6x6"
    assert network.macs == 36 * 4 * 6 * 9 + 6 * 5
    assert network.unmodelled_known


@pytest.mark.parametrize("operator", ["Relu (x)", "Add (x, x)", "Concat (x)", "Mean (x, x)"])
def test_first_operator_sets_without_inference(read: Reader, operator: str) -> None:
    graph = f"(float[2,16] x) => (y) {{ n = {operator} y = MatMul (n, w) }}"
    assert read(graph, 1, w=(16, 3)).macs == 2 * 16 * 3


def test_an_unknown_operator_is_where_knowledge_ends(read: Reader) -> None:
    graph = "(float[2,16] x) => (y) { m = acme.Warp (x) n = Relu (m) y = MatMul (n, w) }"
    with pytest.raises(InputError, match=r"acme.Warp makes 'm', and its shape does not follow"):
        read(graph, w=(16, 3))


def test_a_shape_that_the_file_states_is_believed(read: Reader) -> None:
    graph = "(float[2,16] x) => (y) <float[2,16] m> { m = acme.Warp (x) y = MatMul (m, w) }"
    network = read(graph, w=(16, 3))
    assert network.macs == 2 * 16 * 3
    assert left_out(network) == {"acme.Warp": (0, False)}


def test_a_named_dimension_inside_is_given_behind_the_path(read: Reader) -> None:
    graph = """(float[9,16] x, bool[9] m) => (y) <float[kept,16] n> {
        n = Compress <axis=0> (x, m) y = MatMul (n, w) }"""
    with pytest.raises(InputError, match="Compress makes 'n'"):
        read(graph, w=(16, 3))
    assert read(graph, sizes={"kept": 4}, w=(16, 3)).macs == 4 * 16 * 3


# attention


def test_grouped_query_attention(read: Reader) -> None:
    graph = """(float[1,1,128] x, float[1,2,99,16] pk, float[1,2,99,16] pv) => (y, nk, nv) {
        q = MatMul (x, wq) k = MatMul (x, wk) v = MatMul (x, wk)
        a, nk, nv = com.microsoft.GroupQueryAttention <num_heads=8, kv_num_heads=2>
            (q, k, v, pk, pv, sl, tl)
        y = MatMul (a, wq) }"""
    total = np.array([100], np.int32)
    network = read(graph, wq=(128, 128), wk=(128, 32), sl=np.array([99], np.int32), tl=total)
    attention = 8 * 100 * 16 * 2
    assert network.macs == attention + 2 * 128 * 128 + 2 * 128 * 32 == 66_560
    (softmax,) = network.unmodelled
    assert (softmax.operations, softmax.known) == (8 * 100, True)
    scores = next(layer for layer in network.layers if layer.name.endswith(".scores"))
    keys, queries, _ = (scores.einsum.words(t) for t in scores.einsum.tensors)
    assert (keys, queries) == (2 * 100 * 16, 8 * 16)


GROUPED = [
    ("float[2,5,96] q", "(q, , , , , sl, tl)", 2 * 4 * 5 * 5 * 12 * 2),
    ("float[2,5,48] q, float[2,5,24] k", "(q, k, k, , , sl, tl)", 2 * 4 * 5 * 5 * 12 * 2),
    (
        "float[2,1,48] q, float[2,1,24] k, float[2,2,7,12] p",
        "(q, k, k, p, p, sl, tl)",
        2 * 4 * 8 * 12 * 2,
    ),
]


@pytest.mark.parametrize(("inputs", "operands", "macs"), GROUPED)
def test_grouped_query_attention_in_every_form(read, inputs: str, operands: str, macs: int) -> None:
    graph = f"""({inputs}, int32[2] sl, int32[1] tl) => (y) {{
        a = com.microsoft.GroupQueryAttention <num_heads=4, kv_num_heads=2> {operands}
        y = MatMul (a, w) }}"""
    network = read(graph, w=(48, 3))
    rows = network.layers[-1].einsum.macs
    assert network.macs - rows == macs
    assert rows in (2 * 5 * 48 * 3, 2 * 48 * 3)


def test_a_window_of_keys(read: Reader) -> None:
    graph = """(float[1,1,48] q, float[1,1,24] k, float[1,2,99,12] p, int32[1] sl, int32[1] tl)
        => (y) { y = com.microsoft.GroupQueryAttention
            <num_heads=4, kv_num_heads=2, local_window_size=16> (q, k, k, p, p, sl, tl) }"""
    assert read(graph).macs == 4 * 16 * 12 * 2


MULTI = [
    ("float[2,5,48] q, float[2,7,48] k, float[2,7,24] v", "(q, k, v)", 5 * 7 * (12 + 6), 24),
    ("float[2,5,4,3,12] q", "(q)", 5 * 5 * 24, 48),
    ("float[2,5,48] q, float[2,7,4,2,12] k", "(q, k)", 5 * 7 * 24, 48),
    ("float[2,5,48] q, float[2,4,7,12] k", "(q, k, k)", 5 * 7 * 24, 48),
    (
        "float[2,1,48] q, float[2,1,48] k, float[2,4,9,12] p",
        "(q, k, k, , , , p, p)",
        1 * 10 * 24,
        48,
    ),
]


@pytest.mark.parametrize(("inputs", "operands", "macs", "hidden"), MULTI)
def test_multi_head_attention_in_every_form(read, inputs, operands, macs: int, hidden: int) -> None:
    graph = f"""({inputs}) => (y) {{
        a = com.microsoft.MultiHeadAttention <num_heads=4> {operands}
        y = MatMul (a, w) }}"""
    network = read(graph, w=(hidden, 3))
    assert network.macs - network.layers[-1].einsum.macs == 2 * 4 * macs


def test_attention_with_its_projection_and_a_cache(read: Reader) -> None:
    graph = """(float[1,1,32] x, float[2,1,4,9,8] past) => (y) {
        a, present = com.microsoft.Attention <num_heads=4> (x, w, b, , past)
        y = MatMul (a, v) }"""
    network = read(graph, w=(32, 96), b=(96,), v=(32, 3))
    assert network.macs == 32 * 96 + 4 * 10 * 8 * 2 + 32 * 3


def test_attention_whose_operand_is_missing_says_which(read: Reader) -> None:
    graph = "(float[2,5,48] q) => (y) { y = com.microsoft.MultiHeadAttention <num_heads=4> (q) }"
    with pytest.raises(InputError, match="operand 1 is left out"):
        read(graph)


# products


@pytest.mark.parametrize(
    ("first", "second", "said", "second_words"),
    [
        ("1,2,4,10,16", "1,2,1,16,12", "2 matrix products, 40x16 by 16x12", 2 * 16 * 12),
        ("1,2,1,10,16", "1,2,4,16,12", "2 matrix products, 10x16 by 16x48", 2 * 4 * 16 * 12),
        ("3,1,10,16", "1,5,16,12", "fully connected, 16 to 60, 30 tokens", 5 * 16 * 12),
        ("6,4,10,16", "4,16,12", "4 matrix products, 60x16 by 16x12", 4 * 16 * 12),
        ("8,10,16", "8,16,12", "8 matrix products, 10x16 by 16x12", 8 * 16 * 12),
    ],
)
def test_a_repeated_operand_is_counted_once(read, first, second, said, second_words) -> None:
    network = read(f"(float[{first}] q, float[{second}] k) => (y) {{ y = MatMul (q, k) }}")
    assert words(network) == [said]
    assert tensors(network)["Weights"] == second_words


@pytest.mark.parametrize("turned", [False, True])
def test_keys_that_the_graph_expands_are_counted_once(read: Reader, turned: bool) -> None:
    """As exporters write grouped-query attention: 2 heads of keys for 8 heads of queries."""
    graph = """(float[1,8,10,16] q, float[1,2,12,16] k) => (y) {
        u = Unsqueeze (k, two)
        e = Expand (u, wide)
        r = Reshape (e, flat)
        t = Transpose <perm=[0,1,3,2]> (r)
        y = MatMul (q, t) }"""
    if turned:
        graph = graph.replace("[1,2,12,16] k", "[1,2,16,12] k").replace("(q, t)", "(q, r)")
    inner = [16, 12] if turned else [12, 16]
    numbers = {
        "two": np.array([2], np.int64),
        "wide": np.array([1, 2, 4, *inner], np.int64),
        "flat": np.array([1, 8, *inner], np.int64),
    }
    network = read(graph, 17, **numbers)
    assert words(network) == ["2 matrix products, 40x16 by 16x12"]
    assert tensors(network)["Weights"] == 2 * 16 * 12


def test_copies_inside_a_matrix_stay(read: Reader) -> None:
    graph = """(float[4,10,16] q, float[4,16,1] k) => (y) {
        e = Expand (k, wide)
        y = MatMul (q, e) }"""
    network = read(graph, 17, wide=np.array([4, 16, 12], np.int64))
    assert words(network) == ["4 matrix products, 10x16 by 16x12"]


def test_einsums_of_three_operands_and_of_sums(read: Reader) -> None:
    graph = """(float[4,5] a, float[5,6] b, float[6,7] c) => (y)
        { y = Einsum <equation="ij,jk,kl->il"> (a, b, c) }"""
    network = read(graph, 17)
    assert (network.macs, network.unmodelled) == (4 * 5 * 6 + 4 * 6 * 7, ())
    graph = '(float[4,5,6] a, float[7] b) => (y) { y = Einsum <equation="abc,d->ad"> (a, b) }'
    network = read(graph, 17)
    assert (network.macs, left_out(network)) == (28, {"Einsum": (120, True)})


def test_deformable_convolution(read: Reader) -> None:
    graph = """(float[1,4,10,10] x, float[1,18,8,8] o) => (y)
        { y = DeformConv <kernel_shape=[3,3]> (x, w, o) }"""
    network = read(graph, 19, w=(6, 4, 3, 3))
    assert network.macs == 6 * 4 * 9 * 64
    assert left_out(network) == {"DeformConv": (4 * 4 * 9 * 64, True)}
    assert tensors(network) == {"Weights": 216, "Inputs": 4 * 9 * 64, "Outputs": 6 * 64}


@pytest.mark.parametrize(("top", "rows"), [(2, [3]), (1, [2, 1])])
def test_mixtures_of_experts(read: Reader, top: int, rows: list[int]) -> None:
    """6 tokens to `top` of 4 experts: 12 rows, or 6, shared evenly."""
    graph = f"""(float[6,16] x, float[6,4] r) => (y)
        {{ y = com.microsoft.MoE <activation_type="gelu", k={top}> (x, r, w1, b1, w2, b2) }}"""
    weights = {"w1": (4, 16, 32), "b1": (4, 32), "w2": (4, 32, 16), "b2": (4, 16)}
    network = read(graph, 17, **weights)
    assert network.macs == 6 * top * 2 * 16 * 32
    assert {layer.einsum.bounds["P"] for layer in network.layers} == set(rows)
    activations, routing = network.unmodelled
    assert activations.operations == 6 * top * 32
    assert routing.kind == "com.microsoft.MoE"
    assert "evenly" in routing.reason


def test_mixtures_of_packed_experts(read: Reader) -> None:
    graph = """(float[1,6,16] x, float[6,4] r) => (y)
        { y = com.microsoft.QMoE <k=1, expert_weight_bits=4> (x, r, w1, s1, , w2, s2) }"""
    network = read(graph, w1=(4, 32, 8), s1=(4, 32), w2=(4, 16, 16), s2=(4, 16))
    assert network.macs == 6 * 2 * 16 * 32


def test_a_batch_in_the_middle_is_counted(read: Reader) -> None:
    graph = """(float[4,2,8] x) => (float[2,4,4] y)
        { y = com.microsoft.FusedMatMul <transBatchA=1, transBatchB=1, transB=1> (x, x)
          z = MatMul (x, w) }"""
    network = read(graph, w=(8, 3))
    assert left_out(network) == {"com.microsoft.FusedMatMul": (2 * 4 * 4 * 8, True)}


# what is left out is never understated


UNKNOWN = [
    "u = acme.Everything (x, w)",
    "u = com.microsoft.LongformerAttention <num_heads=2, window=4> (x, w, w, w, w, w, w)",
    "u = ai.onnx.ml.TreeEnsembleRegressor (x)",
]


@pytest.mark.parametrize("operator", UNKNOWN)
def test_unknown_operations_are_said_to_be_unknown(read: Reader, operator: str) -> None:
    graph = f"(float[2,16] x) => (u, y) {{ {operator} y = MatMul (x, w) }}"
    network = read(graph, w=(16, 3))
    (item,) = network.unmodelled
    assert (item.operations, item.known) == (0, False)
    assert "known" in item.reason
    assert not network.unmodelled_known


def test_an_unknown_shape_is_an_unknown_count(read: Reader) -> None:
    graph = """(float[9,16] x, bool[9] m) => (z, y)
        { n = Compress <axis=0> (x, m) z = Exp (n) y = MatMul (x, w) }"""
    assert left_out(read(graph, w=(16, 3)))["Exp"] == (0, False)


MOST = [
    ("GridSample (x, g)", 2 * 3 * 5 * 5 * 4),
    ('Resize <mode="linear"> (x, , s)', 2 * 3 * 16 * 16 * 4),
    ('Resize <mode="cubic"> (x, , s)', 2 * 3 * 16 * 16 * 16),
    ("LRN <size=5> (x)", 2 * 3 * 64 * 5),
    ("Det (x)", 2 * 3 * 64 * 8),
]


@pytest.mark.parametrize(("operator", "operations"), MOST)
def test_operators_that_read_several_elements(read: Reader, operator: str, operations: int) -> None:
    graph = f"(float[2,3,8,8] x, float[2,5,5,2] g) => (u, y) {{ u = {operator} y = MatMul (x, w) }}"
    network = read(graph, 22, w=(8, 3), s=np.array([1, 1, 2, 2], np.float32))
    assert left_out(network)[operator.partition(" ")[0]] == (operations, True)


def test_a_loop_without_an_end_is_not_known(read: Reader) -> None:
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["a", "w"], ["b"]),
            helper.make_node("Identity", ["c"], ["d"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, ()),
            helper.make_tensor_value_info("c", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("a", FLOAT, (4, 4)),
        ],
        [
            helper.make_tensor_value_info("d", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("b", FLOAT, (4, 4)),
        ],
    )
    nodes = [
        helper.make_node("Loop", ["", "go", "x"], ["y"], body=body),
        helper.make_node("MatMul", ["x", "w"], ["z"]),
    ]
    inputs = [
        helper.make_tensor_value_info("x", FLOAT, (4, 4)),
        helper.make_tensor_value_info("go", TensorProto.BOOL, ()),
    ]
    stored = [TensorProto(dims=(4, 4), data_type=FLOAT, name="w")]
    graph = helper.make_graph(nodes, "g", inputs, [], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    read.file.write_bytes(model.SerializeToString())
    network = read_onnx(read.file, {})
    assert left_out(network) == {"Loop": (64, False)}


# files beside the model


def test_no_other_file_is_opened(read: Reader, tmp_path: Path, monkeypatch) -> None:
    """Values of a constant that are kept elsewhere stay there, wherever the path leads."""
    (tmp_path / "shape.bin").write_bytes(np.array([2, 8], np.int64).tobytes())
    monkeypatch.chdir(tmp_path)
    outside = TensorProto(dims=(2,), data_type=TensorProto.INT64, name="to")
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="shape.bin")
    nodes = [
        helper.make_node("Constant", [], ["to"], value=outside),
        helper.make_node("Reshape", ["x", "to"], ["r"]),
        helper.make_node("MatMul", ["r", "w"], ["y"]),
    ]
    inputs = [helper.make_tensor_value_info("x", FLOAT, (4, 4))]
    stored = [TensorProto(dims=(8, 3), data_type=FLOAT, name="w")]
    graph = helper.make_graph(nodes, "g", inputs, [], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    read.file.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match="the shape of 'r' is not known"):
        read_onnx(read.file, {})
