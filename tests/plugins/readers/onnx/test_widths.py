"""Widths that the types of an ONNX graph state."""

import pytest

onnx = pytest.importorskip("onnx")

from onnx import parser  # noqa: E402 - onnx is an extra

from cosearch_plugins.readers.onnx.reader import read_onnx  # noqa: E402

HEAD = '<ir_version: 9, opset_import: ["" : 21, "com.microsoft" : 1]>'


def widths(tmp_path, graph):
    file = tmp_path / "m.onnx"
    model = parser.parse_model(f"{HEAD} {graph}")
    for stored in model.graph.value_info:
        of = stored.type.tensor_type
        tensor = onnx.TensorProto(data_type=of.elem_type, name=stored.name)
        tensor.dims.extend(d.dim_value for d in of.shape.dim)
        model.graph.initializer.append(tensor)
    onnx.save(model, file)
    (layer,) = read_onnx(file, {}).layers
    return {tensor.role: tensor.bits for tensor in layer.einsum.tensors}


QDQ = """g (float[1,4,8,8] x) => (float[1,6,6,6] y)
<int8[6,4,3,3] w, float s, int8 z, uint8 u> {
    q = QuantizeLinear (x, s, u)
    d = DequantizeLinear (q, s, u)
    f = DequantizeLinear (w, s, z)
    c = Conv (d, f)
    y = Relu (c)
}"""


def test_a_dequantized_convolution_moves_bytes(tmp_path):
    assert widths(tmp_path, QDQ) == {"Weights": 8, "Inputs": 8, "Outputs": None}


def test_weights_of_int4_behind_a_transposition(tmp_path):
    graph = """g (float[5,16] x) => (float[5,24] y) <int4[24,16] w, float s> {
        d = DequantizeLinear (w, s)
        t = Transpose <perm=[1,0]> (d)
        y = MatMul (x, t)
    }"""
    assert widths(tmp_path, graph) == {"Weights": 4, "Inputs": None, "Outputs": None}


@pytest.mark.parametrize(("attribute", "bits"), [("bits=4, ", 4), ("bits=2, ", 2), ("", 4)])
def test_packed_weights(tmp_path, attribute, bits):
    graph = f"""g (float[5,16] x) => (float[5,24] y) <uint8[24,1,8] v, float[24] s> {{
        y = com.microsoft.MatMulNBits <{attribute}K=16, N=24, block_size=16> (x, v, s)
    }}"""
    assert widths(tmp_path, graph) == {"Weights": bits, "Inputs": None, "Outputs": None}


def test_integer_products_have_sums_of_32_bits(tmp_path):
    graph = """g (uint8[5,16] x) => (int32[5,24] y) <int8[16,24] w> {
        y = MatMulInteger (x, w)
    }"""
    assert widths(tmp_path, graph) == {"Weights": 8, "Inputs": 8, "Outputs": 32}


def test_floats_leave_the_width_open(tmp_path):
    graph = "g (float16[5,16] x, float16[16,24] w) => (float16[5,24] y) { y = MatMul (x, w) }"
    assert set(widths(tmp_path, graph).values()) == {None}


def test_weights_in_front_of_inputs(tmp_path):
    graph = """g (float[16,5] x) => (float[24,5] y) <int8[24,16] w, float s> {
        d = DequantizeLinear (w, s)
        y = MatMul (d, x)
    }"""
    assert widths(tmp_path, graph)["Weights"] == 8
