from __future__ import annotations

import inspect
import json
from importlib import resources
from pathlib import Path

import pytest

from cosearch.errors import InputError
from cosearch.workload.einsum import conv, gemm
from cosearch.workload.text import describe
from cosearch_plugins.readers import yaml_reader
from cosearch_plugins.readers.yaml_reader import read_yaml

NETWORK = """\
version: 1
name: tiny
source: made up
layers:
  - name: conv1
    conv: {K: 16, C: 3, P: 32, Q: 32, R: 3, S: 3, stride: 2}
  - name: conv2
    conv: {K: 16, C: 8, P: 32, Q: 32, R: 3, S: 5, G: 2, N: 4, stride: [1, 2], dilation: 3}
  - name: projection
    count: 4
    gemm: {M: 64, N: 128, K: 128}
  - einsum: "S[h,m,n] += Q[h,m,e] * K[h,n,e]"
    sizes: {h: 8, m: 64, n: 64, e: 16}
    weights: Q
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.yaml"


def read(path: Path, text: str):
    path.write_text(text)
    return read_yaml(path)


def test_a_network(path: Path) -> None:
    network = read(path, NETWORK)
    assert (network.name, network.source) == ("tiny", "made up")
    conv1, conv2, projection, scores = network.layers
    assert conv1.einsum == conv(K=16, C=3, P=32, Q=32, R=3, S=3, stride=(2, 2))
    assert conv2.einsum == conv(
        K=16, C=8, P=32, Q=32, R=3, S=5, G=2, N=4, stride=(1, 2), dilation=(3, 3)
    )
    assert (projection.einsum, projection.count) == (gemm(M=64, N=128, K=128), 4)
    assert scores.name == "layer3"
    assert scores.einsum.tensors[0].name == "Q"
    assert describe(scores.einsum) == "8 matrix products, 64x16 by 16x64"


def test_a_single_layer(path: Path) -> None:
    network = read(path, "version: 1\nname: product\ncount: 3\ngemm: {M: 2, N: 3, K: 4}\n")
    assert (network.name, network.macs) == ("product", 72)


def test_json_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.write_text(json.dumps({"version": 1, "layers": [{"gemm": {"M": 2, "N": 3, "K": 4}}]}))
    assert read_yaml(path).macs == 24


def test_every_problem_is_reported_with_its_line(path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(
            path,
            """\
version: 2
nam: tiny
layers:
  - name: conv1
    conv: {K: 0, C: 3, P: 32, Qq: 32, R: 3, S: 3, stride: [2]}
  - gemm: {M: 64, N: 1.5, K: 128}
  - 3
  - name: scores
    count: -1
    einsum: "S[h,m,n] += Q[h,m,e] * K[h,n,e]"
    sizes: {h: 8, m: 64, e: 16}
""",
        )
    assert caught.value.problems == (
        "line 2: nam: there is no field 'nam' here; did you mean 'name'?",
        "line 1: version: is 2; this cosearch reads version 1",
        "line 5: layers[0].conv.Qq: there is no field 'Qq' here; did you mean 'Q'?",
        "line 5: layers[0].conv: has no size for Q",
        "line 5: layers[0].conv.K: 0 is not a whole number from 1 to 2147483647",
        "line 5: layers[0].conv.stride: is not a number or [along the width, along the height]",
        "line 6: layers[1].gemm.N: 1.5 is not a whole number from 1 to 2147483647",
        "line 7: layers[2]: is not a layer: not a mapping of fields to values",
        "line 9: layers[3].count: -1 is not a whole number from 1 to 2147483647",
        "line 10: layers[3].einsum: dimension n has no size",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- 1\n", "its top is not a mapping"),
        ("just text\n", "its top is not a mapping"),
        ("layers: [{gemm: {M: 1, N: 1, K: 1}}]\n", "the field 'version: 1' is missing"),
        ("version: 1\n", "needs a list of at least one layer"),
        ("version: 1\nlayers: []\n", "needs a list of at least one layer"),
        ("version: 1\nlayers: {a: 1}\n", "needs a list of at least one layer"),
        ("version: 1\nlayers: [{name: x}]\n", "needs exactly one of conv, gemm, einsum"),
        ("version: 1\nlayers: [{conv: {}, gemm: {}}]\n", "needs exactly one of"),
        ("version: 1\nlayers: [{conv: 3}]\n", "needs sizes, such as {K, C, P}"),
        ("version: 1\nlayers: [{einsum: 'O[m] += A[m]*B[m]'}]\n", "needs a size for every"),
        ("version: 1\nlayers: [{einsum: 'O[m]', sizes: {m: 1}}]\n", "then +="),
        ("version: 1\nlayers: [{einsum: 'O[m] += A[m]*B[m]', sizes: {1: 1}}]\n", "a size for"),
        ("version: 1\nconv: {K: true, C: 1, P: 1, Q: 1}\n", "True is not a whole number"),
        ("version: 1\nconv: {K: '8', C: 1, P: 1, Q: 1}\n", "'8' is not a whole number"),
        ("a: [", "is not YAML"),
        ("{{include_text('shape.yaml')}}\n", "includes 'shape.yaml', which is not there"),
        ("a: &a [*a]\n", "an alias contains itself"),
    ],
)
def test_one_message_for_each_mistake(path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        read(path, text)
    assert told in str(caught.value)


def test_a_template_is_rendered(path: Path) -> None:
    path.with_name("sizes.yaml").write_text("version: 1\nname: {{ 'given' }}\n")
    network = read(path, "{{include_text('sizes.yaml')}}\ngemm: {M: 2, N: {{ 2 + 1 }}, K: 4}\n")
    assert (network.name, network.layers[0].einsum.macs) == ("given", 24)


def test_the_schema_and_the_reader_have_the_same_fields() -> None:
    text = resources.files("cosearch_plugins.readers").joinpath("workload.schema.json").read_text()
    schema = json.loads(text)
    layer = schema["$defs"]["layer"]["properties"]
    assert set(layer) == set(yaml_reader.LAYER_FIELDS)
    assert set(schema["oneOf"][0]["properties"]) == set(yaml_reader.FILE_FIELDS)
    for kind, make in (("conv", conv), ("gemm", gemm)):
        fields = inspect.signature(make).parameters
        assert set(layer[kind]["properties"]) == set(fields) - {"name"}
        needed = {n for n, p in fields.items() if p.default is p.empty}
        assert set(layer[kind]["required"]) == needed
