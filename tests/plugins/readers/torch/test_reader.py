"""Programs of torch.export become the library's networks.

These run where torch is installed; continuous integration has no torch. The last test also needs
onnxscript, which PyTorch's own ONNX exporter is built on.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pytest

from cosearch.errors import InputError, MissingExtraError
from cosearch.hooks.discovery import load_registry
from cosearch.workload.source import resolve
from cosearch.workload.text import describe
from cosearch_plugins.readers.torch.reader import read_torch

REGISTRY = load_registry(third_party=False)


def test_without_torch_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match="reading PyTorch programs") as caught:
        read_torch(tmp_path / "model.pt2")
    assert caught.value.hint == "install it: pip install 'cosearch[torch]'"


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def saved(torch, path: Path, model, *inputs, **options) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(model.eval(), inputs, **options)
        torch.export.save(program, path)
    return path


def resnet18(torch):
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, c: int, k: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(c, k, 3, stride, 1, bias=False)
            self.conv2 = nn.Conv2d(k, k, 3, 1, 1, bias=False)
            self.norm1, self.norm2 = nn.BatchNorm2d(k), nn.BatchNorm2d(k)
            shortcut = nn.Conv2d(c, k, 1, stride, bias=False), nn.BatchNorm2d(k)
            self.shortcut = nn.Sequential(*(shortcut if c != k else ()))

        def forward(self, x):
            y = torch.relu(self.norm1(self.conv1(x)))
            return torch.relu(self.norm2(self.conv2(y)) + self.shortcut(x))

    shapes = ((64, 64), (64, 128), (128, 256), (256, 512))
    blocks = [
        block for c, k in shapes for block in (Block(c, k, 1 if c == k else 2), Block(k, k, 1))
    ]
    return nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(512, 1000),
    )


def test_resnet18_is_the_librarys(torch, tmp_path: Path) -> None:
    path = saved(torch, tmp_path / "net.pt2", resnet18(torch), torch.zeros(1, 3, 224, 224))
    network, ours = resolve(str(path), REGISTRY), resolve("resnet18", REGISTRY)
    assert [(la.einsum, la.count) for la in network.unique] == [
        (la.einsum, la.count) for la in ours.unique if la.einsum.macs
    ]
    assert network.parameters == ours.parameters
    assert {"relu", "batch_norm", "max_pool2d"} <= {item.kind for item in network.unmodelled}
    assert 0.003 < network.unmodelled_share < 0.005


def test_an_encoder_layer_of_berts_size(torch, tmp_path: Path) -> None:
    layer = torch.nn.TransformerEncoderLayer(768, 12, 3072, batch_first=True)
    path = saved(torch, tmp_path / "layer.pt2", layer, torch.zeros(1, 128, 768))
    bert = resolve("bert-base:sequence=128", REGISTRY)
    ours = sum(la.einsum.macs for la in bert.layers if la.name.startswith("layer0"))
    network = read_torch(path)
    assert network.macs == ours
    assert network.parameters == 7_087_872
    assert "12 matrix products, 128x64 by 64x128" in {describe(la.einsum) for la in network.layers}


def test_other_operators(torch, tmp_path: Path) -> None:
    nn = torch.nn

    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = nn.ConvTranspose2d(8, 4, 4, 2, 1)
            self.lstm = nn.LSTM(4, 16, 2, batch_first=True, bidirectional=True)
            self.cube = nn.Conv3d(1, 2, 3)

        def forward(self, x):
            up = self.up(x)
            states, _ = self.lstm(up.flatten(2).transpose(1, 2))
            return torch.einsum("bij,bkj->bik", states, states), self.cube(up[:, None])

    network = read_torch(saved(torch, tmp_path / "m.pt2", Mixed(), torch.zeros(2, 8, 8, 8)))
    by_kind = {la.name.split(".")[0]: 0 for la in network.layers}
    for layer in network.layers:
        by_kind[layer.name.split(".")[0]] += layer.einsum.macs * layer.count
    tokens = 2 * 16 * 16
    assert by_kind["conv_transpose2d"] == 2 * 8 * 4 * 16 * 8 * 8
    assert by_kind["lstm"] == tokens * 2 * 64 * (4 + 16) + tokens * 2 * 64 * (32 + 16)
    assert by_kind["einsum"] == 2 * 256 * 256 * 32
    assert by_kind["conv3d"] == 2 * 2 * 27 * 2 * 14 * 14


def test_open_dimensions_are_named(torch, tmp_path: Path) -> None:
    batch = torch.export.Dim("batch")
    path = saved(
        torch,
        tmp_path / "m.pt2",
        torch.nn.Linear(8, 4),
        torch.zeros(2, 8),
        dynamic_shapes=({0: batch},),
    )
    with pytest.raises(InputError, match=r"input 'input': dimension 0 \(s\d+\) is open"):
        read_torch(path)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 but nothing behind it"])
def test_files_of_another_kind(torch, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.pt2"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a program of torch"):
        read_torch(path)


def test_a_program_cut_off(torch, tmp_path: Path) -> None:
    path = saved(torch, tmp_path / "m.pt2", torch.nn.Linear(8, 4), torch.zeros(2, 8))
    whole = path.read_bytes()
    for length in (100, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_torch(path)


@pytest.mark.exhaustive
def test_torchs_own_onnx_exporter(torch, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    path = tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            resnet18(torch).eval(), (torch.zeros(1, 3, 224, 224),), str(path), dynamo=True
        )
    network, ours = resolve(str(path), REGISTRY), resolve("resnet18", REGISTRY)
    assert [(la.einsum, la.count) for la in network.unique] == [
        (la.einsum, la.count) for la in ours.unique if la.einsum.macs
    ]
