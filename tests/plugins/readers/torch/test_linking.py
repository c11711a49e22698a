"""Links of PyTorch's programs are the library's; these run where torch is installed."""

from __future__ import annotations

import pytest
from tests.plugins.readers.linked import links
from tests.plugins.readers.torch.test_reader import resnet18, saved

from cosearch.hooks.discovery import load_registry
from cosearch.workload.source import resolve
from cosearch_plugins.readers.torch.reader import read_torch

REGISTRY = load_registry(third_party=False)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def test_resnet18_has_the_librarys_links(torch, tmp_path):
    image = torch.randn(1, 3, 224, 224)
    found = read_torch(saved(torch, tmp_path / "r.pt2", resnet18(torch), image))
    assert links(found) == links(resolve("resnet18", REGISTRY))


def test_attention_and_feed_forward(torch, tmp_path):
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv, self.up, self.down = nn.Linear(32, 96), nn.Linear(32, 128), nn.Linear(128, 32)

        def forward(self, x):
            q, k, v = (y.view(2, 8, 4, 8).transpose(1, 2) for y in self.qkv(x).split(32, dim=-1))
            scores = torch.softmax(torch.matmul(q, k.transpose(-1, -2)) / 3, -1)
            y = torch.matmul(scores, v).transpose(1, 2).reshape(2, 8, 32)
            return x + self.down(nn.functional.gelu(self.up(y + x)))

    found = read_torch(saved(torch, tmp_path / "b.pt2", Block(), torch.randn(2, 8, 32)))
    named = [
        (found.layers[x.producer].name, found.layers[x.consumer].name, x.whole) for x in found.links
    ]
    assert named == [("matmul", "matmul_1", {2}), ("linear_1", "linear_2", set())]


def test_one_operator_of_attention(torch, tmp_path):
    class Block(torch.nn.Module):
        def forward(self, q, k, v):
            return torch.nn.functional.scaled_dot_product_attention(q, k, v)

    given = [torch.randn(1, 4, 8, 16) for _ in range(3)]
    found = read_torch(saved(torch, tmp_path / "a.pt2", Block(), *given))
    (link,) = found.links
    assert (link.producer, link.consumer, link.whole) == (0, 1, {2})
