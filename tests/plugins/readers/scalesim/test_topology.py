"""SCALE-Sim's topologies mean what SCALE-Sim makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosearch.errors import InputError
from cosearch.workload.text import describe
from cosearch_plugins.readers.scalesim.topology import read_topology

CONV = (
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
    "Strides,\n"
)


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str):
        path = tmp_path / "net.csv"
        path.write_text(text)
        return read_topology(path)

    return read


def words(network) -> list[str]:
    return [describe(layer.einsum) for layer in network.layers]


def test_convolutions(read) -> None:
    network = read(f"{CONV}c1, 30, 30, 3, 3, 5, 12, 1,\nfc, 1, 1, 1, 1, 200, 40, 1,\n")
    assert words(network) == ["3x3 conv, 5 to 12, 28x28", "fully connected, 200 to 40"]
    assert network.macs == 28 * 28 * 9 * 5 * 12 + 8000
    assert network.name == "net"


@pytest.mark.parametrize("end", ["", ",", " ,", ", ,"])
def test_lines_may_end_with_a_comma(read, end: str) -> None:
    assert read(f"{CONV}c, 9, 7, 3, 1, 2, 4, 2{end}\n").macs == 4 * 4 * 3 * 2 * 4


def test_height_comes_before_width(read) -> None:
    (layer,) = read(f"{CONV}c, 12, 20, 5, 3, 2, 4, 1,").layers
    sizes = layer.einsum.bounds
    assert (sizes["P"], sizes["Q"], sizes["R"], sizes["S"]) == (18, 8, 3, 5)


def test_a_last_window_hangs_over_the_edge(read) -> None:
    """SCALE-Sim: ceil((230 - 7 + 2) / 2) is 113 where others have 112."""
    network = read(f"{CONV}c, 230, 230, 7, 7, 3, 64, 2,")
    assert network.layers[0].einsum.bounds["P"] == 113
    assert "hangs over" in network.unmodelled[0].reason
    assert read(f"{CONV}c, 229, 229, 7, 7, 3, 64, 2,").unmodelled == ()


def test_depthwise_layers_have_dp_in_their_names(read) -> None:
    network = read(f"{CONV}Conv2_DP, 14, 14, 3, 3, 32, 1, 1,")
    assert words(network) == ["3x3 depthwise conv, 32 channels, 12x12"]


def test_a_stride_for_each_axis(read) -> None:
    (layer,) = read(f"{CONV}c, 11, 9, 3, 3, 1, 1, 4, 2,").layers
    assert (layer.einsum.bounds["Q"], layer.einsum.bounds["P"]) == (3, 4)


def test_sparsity_is_named(read) -> None:
    network = read(f"{CONV}a, 9, 9, 3, 3, 1, 1, 1, 2:4,\nb, 9, 9, 3, 3, 1, 1, 1, 1:1,")
    (note,) = network.unmodelled
    assert note.name == "a.sparsity"
    assert "2:4" in note.reason
    assert note.operations == 0


def test_products(read) -> None:
    network = read("Layer, M, N, K,\ng1, 50, 60, 70,\nheads, 8, 8, 4, 12,\nthin, 2, 3, 4, 2:4,\n")
    assert words(network) == [
        "matrix product, 50x70 by 70x60",
        "12 matrix products, 8x4 by 4x8",
        "matrix product, 2x4 by 4x3",
    ]
    assert network.macs == 50 * 60 * 70 + 12 * 8 * 8 * 4 + 24
    assert [note.name for note in network.unmodelled] == ["thin.sparsity"]


def test_names_are_unique(read) -> None:
    network = read("Layer, M, N, K\ng, 1, 2, 3\ng, 1, 2, 3\n, 4, 5, 6")
    assert [layer.name for layer in network.layers] == ["g", "g#2", "layer4"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("a, b, c\n1, 2, 3", "is no header of a SCALE-Sim topology"),
        (CONV, "holds no layer"),
        (f"{CONV}c, 9, 9, 3, 3, 1, 1", "line 2: c: has no stride"),
        (f"{CONV}c, 9, 9, 3, 3, x, 0, 1", "line 2: c: channels 'x' is not a whole number"),
        (f"{CONV}c, 9, 9, 3, 3, 1, 99999999999999999999, 1", "filters '99999999999999999999'"),
        (f"{CONV}c, 2, 9, 3, 3, 1, 1, 1", "a filter of 3x3 on 2x9 pixels"),
        ("Layer, M, N, K\n\ng, 1, 2\n", "line 3: g: has no K"),
        ("Layer, M, N, K\ng, 1, 2, 3, dense\n", "'dense' is neither a ratio"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(read, text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)
    assert told in str(caught.value)


def test_remarks_behind_the_sizes_and_layouts(tmp_path):
    """SCALE-Sim's own files end lines with `#dw`; layouts look like topologies and are none."""
    head = "Layer, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter"
    file = tmp_path / "net.csv"
    file.write_text(f"{head}, Strides,\n\na, 8, 8, 3, 3, 1, 1, 1,#dw\nb,6,6,1,1,4,5,1\n")
    assert [layer.einsum.macs for layer in read_topology(file).layers] == [9 * 36, 20 * 36]
    file.write_text(
        "Layer, IFMAP Height Intraline Factor, b, Filter c, d, e, f, g,\na,1,1,1,1,1,1,1\n"
    )
    with pytest.raises(InputError, match="is a layout of SCALE-Sim's"):
        read_topology(file)
