"""MAESTRO's networks: sizes of inputs become sizes of outputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosearch.errors import InputError
from cosearch.workload.text import describe
from cosearch_plugins.readers.maestro.reader import read_maestro

NETWORK = """
// sizes of a product
Constant SzM 100;
Network small {
  Layer conv1 { Type: CONV
    Stride { X: 4, Y: 4 }
    Dimensions { K: 96, C: 3, R: 11, S: 11, Y: 227, X: 227 } }
  Layer deep {
    Type: DSCONV
    Stride { X: 1, Y: 1 }
    Dimensions { K: 1, C: 32, R: 3, S: 5, Y: 12, X: 14 }
    Dataflow { SpatialMap(1,1) C; Cluster(Sz(R), P); }
  }
  /* Layer gone { Type: CONV } */
  Layer dense { Type: CONV Dimensions { K: 10, C: 256 } }
  Layer product { Type: GEMM Dimensions { K: 7, M: SzM, N: 5 } }
}
"""


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str):
        path = tmp_path / "net.m"
        path.write_text(text)
        return read_maestro(path)

    return read


def test_layers_of_every_type(read) -> None:
    network = read(NETWORK)
    assert network.name == "small"
    assert [describe(layer.einsum) for layer in network.layers] == [
        "11x11 conv, 3 to 96, 55x55, stride 4",
        "3x5 depthwise conv, 32 channels, 10x10",
        "fully connected, 256 to 10",
        "matrix product, 100x7 by 7x5",
    ]
    assert [note.name for note in network.unmodelled] == ["deep.dataflow"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Network small", "small", "holds no 'Network NAME"),
        ("Type: GEMM", "Type: LSTM", "line 16: product: a layer of type LSTM is not read"),
        ("K: 96, ", "", "line 5: conv1: has no size for K"),
        ("SzM, N", "SzQ, N", "M 'SzQ' is not a whole number"),
        ("R: 11", "R: 300", "a filter of 300x11 on 227x227 pixels"),
        ("K: 1, C: 32", "K: 5, C: 32", "a depthwise layer of 32 channels with 5 filters"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(read, old: str, new: str, told: str) -> None:
    assert old in NETWORK
    with pytest.raises(InputError) as caught:
        read(NETWORK.replace(old, new))
    assert told in str(caught.value)


def test_products_in_batches_and_transposed_convolutions(read):
    """Each pixel of a transposed convolution meets the whole filter once, whatever the stride."""
    network = read(
        """
Constant SzB 10;
Network more {
  Layer products { Type: BMM Dimensions { B: SzB, K: 7, M: 6, N: 5 } }
  Layer up { Type: TRCONV Stride { X: 2, Y: 2 } Dimensions { K: 8, C: 16, R: 2, S: 2, Y: 7, X: 5 } }
  Layer over { Type: TRCONV Dimensions { K: 8, C: 16, R: 2, S: 2, Y: 7, X: 5 } }
}
"""
    )
    macs = [layer.einsum.macs * layer.count for layer in network.layers]
    assert macs[0] == 10 * 7 * 6 * 5
    by_name = {}
    for layer, count in zip(network.layers, macs, strict=True):
        name = layer.einsum.name.partition(".")[0]
        by_name[name] = by_name.get(name, 0) + count
    assert by_name["up"] == 16 * 8 * 2 * 2 * 7 * 5
    assert by_name["over"] >= 16 * 8 * 2 * 2 * 7 * 5  # windows reach over the edge


def test_what_is_not_read_is_named(read):
    with pytest.raises(InputError, match=r"line 3: a: a layer of type NGCONV is not read: CONV"):
        read("\nNetwork n {\nLayer a { Type: NGCONV Dimensions { K: 4, C: 4, G: 2 } } }")
