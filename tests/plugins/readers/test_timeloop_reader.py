from __future__ import annotations

from pathlib import Path

import pytest

from cosearch.errors import InputError
from cosearch.workload.text import describe
from cosearch_plugins.readers.directory import read_directory
from cosearch_plugins.readers.yaml_reader import read_yaml

OLD_STYLE = """\
problem:
  shape:
    name: "CNN-Layer"
    dimensions: [C, M, R, S, N, P, Q]
    coefficients:
      - {name: Wstride, default: 1}
      - {name: Hstride, default: 1}
      - {name: Wdilation, default: 1}
      - {name: Hdilation, default: 1}
    data-spaces:
      - name: Weights
        projection: [[[C]], [[M]], [[R]], [[S]]]
      - name: Inputs
        projection: [[[N]], [[C]], [[R, Wdilation], [P, Wstride]], [[S, Hdilation], [Q, Hstride]]]
      - name: Outputs
        projection: [[[N]], [[M]], [[Q]], [[P]]]
        read-write: True
  instance: {C: 3, M: 96, R: 11, S: 11, N: 1, P: 55, Q: 55, Wstride: 4, Hstride: 4}
"""
NEW_STYLE = (
    OLD_STYLE.replace("problem:\n", "problem:\n  version: 0.4\n")
    .replace("data-spaces", "data_spaces")
    .replace("read-write", "read_write")
)


@pytest.mark.parametrize("text", [OLD_STYLE, NEW_STYLE])
def test_problems_of_both_styles(tmp_path: Path, text: str) -> None:
    path = tmp_path / "alexnet_conv1.yaml"
    path.write_text(text)
    (layer,) = read_yaml(path).layers
    assert layer.name == "alexnet_conv1"
    assert describe(layer.einsum) == "11x11 conv, 3 to 96, 55x55, stride 4"
    assert layer.einsum.macs == 105_415_200


def test_a_directory_of_problems_is_a_network(tmp_path: Path) -> None:
    (tmp_path / "layer1.yaml").write_text(OLD_STYLE)
    (tmp_path / "layer2.yaml").write_text(OLD_STYLE.replace("C: 3, M: 96", "C: 48, M: 256"))
    network = read_directory(tmp_path)
    assert network is not None
    assert [layer.einsum.bounds["C"] for layer in network.layers] == [3, 48]


def test_what_the_file_says_beyond_the_layer_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "sparse.yaml"
    path.write_text(OLD_STYLE.replace("Hstride: 4}", "Hstride: 4, densities: {Weights: 0.5}}"))
    (note,) = read_yaml(path).unmodelled
    assert "sparsity is not modelled" in note.reason


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("C: 3,", "", "C"),
        ("P: 55,", "P: 0,", "P"),
        ("[[M]]", "[[Z]]", "Z"),
        ("[[M]]", "[[{a: 1}]]", "is not one dimension"),
        ("[[M]]", "[[[[M]]]]", "is not one dimension"),
        ("read-write: True", "read-write: False", "read_write: true"),
    ],
)
def test_a_wrong_problem_is_explained(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(OLD_STYLE.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_yaml(path)
    assert told in str(caught.value)
