"""Needs the extra torch; skipped where it is not installed."""

from __future__ import annotations

import numpy as np
import pytest

from cosearch.hooks.discovery import load_registry
from cosearch_plugins.workloads.nasbench201 import NasBench201

torch = pytest.importorskip("torch")

from cosearch_plugins.networks import torch_scores, untrained  # noqa: E402
from cosearch_plugins.networks.torch_scores import build_torch, logsynflow, naswot  # noqa: E402

REGISTRY = load_registry(third_party=False)
SPACE = NasBench201("imagenet16-120")
NOISE = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("index", [0, 6111, 9930, 4317])
def test_what_is_built_has_the_benchmarks_parameters(index) -> None:
    row = SPACE.row(index)
    network = build_torch(row, "imagenet16-120")
    counted = sum(p.numel() for p in network.parameters())
    assert counted == SPACE.build(row).parameters
    assert network(NOISE).shape == (4, 120)


def test_naswot_by_hand() -> None:
    """Two images with codes 1100 and 1010 agree in two of four places."""
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.ReLU())
    images = torch.tensor([[1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0]])
    assert naswot(network, images) == pytest.approx(np.log(4 * 4 - 2 * 2))
    assert naswot(network, images[[0, 0]]) == -np.inf


def test_logsynflow_by_hand() -> None:
    """One weight of 2 per pixel: its gradient is what flows into it, 1."""
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 2 * 2, 1, bias=False))
    torch.nn.init.constant_(network[1].weight, -2.0)
    assert logsynflow(network, 2) == pytest.approx(12 * 2 * np.log(2.0))


def test_a_network_cut_off_from_its_input_has_no_logsynflow() -> None:
    """The input reaches the output through no weight of a cell; NASWOT sees equal codes."""
    none = np.zeros(6, dtype=np.int64)
    network = build_torch(none, "imagenet16-120")
    assert np.isfinite(logsynflow(network, 16))
    assert naswot(build_torch(none, "imagenet16-120"), NOISE) == -np.inf


def test_scores_are_means_and_depend_on_the_seed_alone(monkeypatch) -> None:
    monkeypatch.setattr(torch_scores, "IMAGES", 4)
    before = torch.random.get_rng_state()
    first, second = (
        torch_scores.computed_scores(SPACE.row(0), "imagenet16-120", 3) for _ in range(2)
    )
    assert first == second
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.exhaustive
def test_computed_scores_rank_like_the_shipped_ones() -> None:
    from cosearch.search.ranking import spearman

    found = untrained.untrained(SPACE, 12, 0)
    for name in ("naswot", "logsynflow"):
        assert spearman(found.shipped[name], found.computed[name]) > 0.8
