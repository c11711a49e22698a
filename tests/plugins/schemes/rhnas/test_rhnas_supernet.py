"""The supernet: its soft networks against its hard ones, and what training it is good for."""

import numpy as np
import pytest

from cosearch.errors import CosearchError, InputError
from cosearch.hooks.discovery import load_registry
from cosearch_plugins.schemes.rhnas.images import CIFAR_FILES, RECORD, Images
from cosearch_plugins.schemes.rhnas.networks import expectation
from cosearch_plugins.schemes.rhnas.supernet import (
    Supernet,
    SupernetSearch,
    Training,
    _classified,
    _expected,
    _tensors,
    _weights,
)

CELLS = load_registry().find("network_spaces", "nasbench201").make()
QUICK = Training(steps=400, batch=32, search_steps=10)


def test_one_hot_weights_are_the_network_itself():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    weights = _weights(1, 3, 0)
    x, _ = _tensors(rng.normal(size=(4, 1, 6, 6)), np.zeros(4, dtype=np.int64))
    for row in CELLS.space.sample(4, rng):
        hard = _classified(weights, x, [int(i) for i in row])
        soft = [torch.eye(5)[int(i)] for i in row]
        np.testing.assert_allclose(_classified(weights, x, soft).detach(), hard.detach(), atol=1e-4)


def test_the_expected_cost_is_that_of_the_search_by_a_table():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    cost = rng.normal(size=(5,) * 6)
    weights = rng.dirichlet(np.ones(5), size=6)
    value, _ = expectation(cost, [w[None] for w in weights])
    found = _expected(torch.tensor(cost), torch.tensor(weights))
    assert float(found) == pytest.approx(value[0])


@pytest.mark.exhaustive
def test_shared_weights_tell_networks_apart():
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    images = Images.load("digits", 300, np.random.default_rng(0))
    net = Supernet(images, 0, QUICK)
    good = CELLS.row(6111)
    cut_off = np.zeros(6, dtype=np.int64)
    accuracy = net.accuracy(np.array([good, cut_off]))
    assert accuracy[0] > 30 > accuracy[1]
    cheap = np.zeros(CELLS.space.size)
    found = SupernetSearch(net, CELLS.space, 3.0).find(cheap)
    assert net.loss(found) < net.loss(cut_off)


def test_cifar_10_comes_from_a_local_folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in CIFAR_FILES:
        records = rng.integers(0, 256, (6, RECORD), dtype=np.uint8)
        records[:, 0] = np.arange(6) % 3
        (tmp_path / name).write_bytes(records.tobytes())
    images = Images.load(str(tmp_path), 8, rng)
    assert images.train.shape == (8, 3, 32, 32)
    assert images.classes == 3
    assert len(images.test) == 14
    (tmp_path / CIFAR_FILES[0]).write_bytes(b"123")
    with pytest.raises(InputError, match="whole number"):
        Images.load(str(tmp_path), 8, rng)
    (tmp_path / CIFAR_FILES[1]).unlink()
    with pytest.raises(InputError, match=CIFAR_FILES[1]):
        Images.load(str(tmp_path), 8, rng)


def test_an_extra_that_is_missing_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(CosearchError, match="optional package"):
        _weights(1, 2, 0)
