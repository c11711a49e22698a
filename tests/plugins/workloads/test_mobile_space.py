from __future__ import annotations

import csv
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.hooks.discovery import load_registry
from cosearch.workload.source import resolve
from cosearch_plugins.workloads.mobile_space import (
    MobileSpace,
    estimated_top1,
    fitted_power_law,
)

REGISTRY = load_registry(third_party=False)
SPACE = MobileSpace()
TABLE = resources.files("cosearch_plugins.workloads") / "data" / "mobilenetv2" / "accuracy.csv"


def published() -> tuple[np.ndarray, np.ndarray]:
    rows = list(csv.DictReader(TABLE.read_text().splitlines()))
    return np.array([float(r["macs_m"]) for r in rows]), np.array([float(r["top1"]) for r in rows])


def row(**choices) -> np.ndarray:
    return SPACE.space.index(choices)


def test_the_default_is_mobilenetv2() -> None:
    ours, theirs = SPACE.build(row()), resolve("mobilenetv2", REGISTRY)
    assert [la.einsum for la in ours.layers] == [la.einsum for la in theirs.layers]
    assert ours.parameters == theirs.parameters


def test_choices_shape_their_stage_alone() -> None:
    base, other = SPACE.build(row()), SPACE.build(row(kernel2=7, depth2=1))
    names = {layer.name for layer in other.layers}
    assert "stage2.0.depthwise" in names
    assert "stage2.1.depthwise" not in names
    assert other.layer("stage2.0.depthwise").einsum.bounds["R"] == 7
    assert other.layer("stage3.0.depthwise").einsum == base.layer("stage3.0.depthwise").einsum


def test_widths_are_multiples_of_eight() -> None:
    network = SPACE.build(row(width1=0.75, width3=1.25))
    assert network.layer("stage1.0.project").einsum.bounds["K"] == 24
    assert network.layer("stage3.0.project").einsum.bounds["K"] == 80


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_point_can_be_built(seed: int) -> None:
    rows = SPACE.space.sample(1, np.random.default_rng(seed))
    network = SPACE.build(rows[0])
    assert network.macs > 0
    assert 30 < SPACE.accuracy(rows)[0] < 80


def test_the_batch_does_not_change_the_accuracy() -> None:
    rows = SPACE.space.sample(3, np.random.default_rng(0))
    assert (MobileSpace(batch=4).accuracy(rows) == SPACE.accuracy(rows)).all()


def test_the_fit_is_the_least_squares_line() -> None:
    macs, top1 = published()
    design = np.stack([np.ones_like(macs), np.log(macs)], axis=1)
    solution, *_ = np.linalg.lstsq(design, np.log(100 - top1), rcond=None)
    assert fitted_power_law() == pytest.approx(tuple(solution), abs=1e-8)


def test_errors_of_the_estimate_are_as_documented() -> None:
    macs, top1 = published()
    misses = []
    for i in range(len(macs)):
        rest = np.arange(len(macs)) != i
        slope, intercept = np.polyfit(np.log(macs[rest]), np.log(100 - top1[rest]), 1)
        misses.append(100 - np.exp(intercept + slope * np.log(macs[i])) - top1[i])
    assert round(float(np.sqrt(np.mean(np.square(misses)))), 1) == 0.8
    assert round(float(np.abs(misses).max()), 1) == 1.7


def test_searched_networks_do_better_by_as_much_as_documented() -> None:
    """Millions of MACs and top-1: FBNet-A, B, C (Wu et al. 2019, Table 3), MnasNet-A1 (Tan et al.
    2019, Table 1), MobileNetV3-Large (Howard et al. 2019, Table 3)."""
    macs = np.array([249e6, 295e6, 375e6, 312e6, 219e6])
    top1 = np.array([73.0, 74.1, 74.9, 75.2, 75.2])
    better = np.round(top1 - estimated_top1(macs), 1)
    assert better.tolist() == [1.9, 2.1, 1.6, 2.9, 4.9]


def test_it_says_that_it_estimates() -> None:
    assert MobileSpace.accuracy_is == "estimated"
    assert "placeholder" in MobileSpace.accuracy_note
    registration = REGISTRY.entries["network_spaces"]["mobile-space"]
    assert "estimate" in registration.summary
