from __future__ import annotations

from pathlib import Path

import pytest

from cosearch.errors import InputError
from cosearch_plugins.readers.directory import read_directory

LAYER = "version: 1\nname: product\ngemm: {M: 2, N: 3, K: %d}\n"


def test_layers_come_in_the_natural_order_of_their_files(tmp_path: Path) -> None:
    for i in (10, 2, 1):
        (tmp_path / f"layer{i}.yaml").write_text(LAYER % i)
    (tmp_path / "README.md").write_text("not a layer")
    network = read_directory(tmp_path)
    assert network is not None
    assert network.name == tmp_path.name
    assert [layer.name for layer in network.layers] == ["layer1", "layer2", "layer10"]
    assert network.macs == 6 * 13


def test_a_file_of_several_layers_gives_them_its_name(tmp_path: Path) -> None:
    text = "version: 1\nlayers:\n" + "".join(
        f"  - {{name: {name}, gemm: {{M: 1, N: 1, K: 1}}}}\n" for name in ("a", "b")
    )
    (tmp_path / "block.yml").write_text(text)
    network = read_directory(tmp_path)
    assert network is not None
    assert [layer.name for layer in network.layers] == ["block.a", "block.b"]


def test_problems_of_all_files_are_reported(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\ngemm: {M: 0, N: 1, K: 1}\n")
    (tmp_path / "b.yaml").write_text("a: [")
    with pytest.raises(InputError) as caught:
        read_directory(tmp_path)
    first, second = caught.value.problems
    assert first.startswith("a.yaml: line 2: gemm.M: 0 is not")
    assert second.startswith("b.yaml:1: is not YAML")


def test_a_directory_without_layers_is_left_to_other_readers(tmp_path: Path) -> None:
    assert read_directory(tmp_path) is None


def test_a_link_out_of_the_directory_is_refused(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside.yaml", tmp_path / "net"
    outside.write_text(LAYER % 1)
    inside.mkdir()
    (inside / "a.yaml").write_text(LAYER % 2)
    (inside / "b.yaml").symlink_to(outside)
    with pytest.raises(InputError, match=r"b\.yaml: is a link that leads out of the directory"):
        read_directory(inside)
    (inside / "b.yaml").unlink()
    (inside / "b.yaml").symlink_to("a.yaml")
    network = read_directory(inside)
    assert network is not None
    assert network.macs == 2 * 12
