from __future__ import annotations

import numpy as np
import pytest

from cosearch.errors import UnknownNameError
from cosearch.hooks.discovery import load_registry
from cosearch.workload.network import NetworkSpace
from cosearch.workload.source import resolve
from cosearch_plugins.workloads.nasbench201 import DATA_SETS, NasBench201
from cosearch_plugins.workloads.nasbench201_table import (
    EDGES,
    OPERATIONS,
    SIZE,
    cell_text,
    skip_score,
)

REGISTRY = load_registry(third_party=False)
INDICES = np.arange(SIZE)


def all_rows() -> np.ndarray:
    return NasBench201().row(INDICES)


def row_of(*operations: str) -> np.ndarray:
    return np.array([OPERATIONS.index(o) for o in operations], dtype=np.int64)


def test_rows_and_indices_are_one_to_one() -> None:
    cells, rows = NasBench201(), all_rows()
    assert (cells.index(rows) == INDICES).all()
    assert len(np.unique(rows, axis=0)) == SIZE == cells.space.size


@pytest.mark.parametrize("dataset", DATA_SETS)
def test_macs_and_parameters_of_all_networks_equal_the_table(dataset: str) -> None:
    """The benchmark counts the addition of the classifier's bias as a MAC a class."""
    cells, rows = NasBench201(dataset), all_rows()
    networks = [cells.build(row) for row in rows]
    macs = np.array([network.macs for network in networks]) + DATA_SETS[dataset].classes
    parameters = np.array([network.parameters for network in networks])
    assert (macs == np.rint(cells.score("macs_m", rows) * 1e6)).all()
    assert (parameters == np.rint(cells.score("params_m", rows) * 1e6)).all()


@pytest.mark.parametrize(
    ("dataset", "best", "indices"),
    [
        # Dong and Yang, ICLR 2020, Table 5 (optimal), to two digits; indices of NATS-Bench
        ("cifar10", 94.37, {6111, 13714}),
        ("cifar100", 73.51, {9930}),
        ("imagenet16-120", 47.31, {857}),
    ],
)
def test_the_best_networks_are_the_published_ones(dataset: str, best: float, indices: set) -> None:
    accuracy = NasBench201(dataset).accuracy(all_rows())
    assert round(float(accuracy.max()), 2) == best
    assert set(np.flatnonzero(accuracy == accuracy.max())) == indices


def test_a_cell_in_the_benchmarks_own_words() -> None:
    cells = NasBench201()
    text = (
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+"
        "|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    )
    assert cell_text(cells.row(0)) == text
    assert cells.build(cells.row(0)).name == f"nasbench201-{text}"
    assert cells.accuracy(cells.row(0)[None]) == [85.8633]


def test_layers_of_a_cell() -> None:
    row = row_of("nor_conv_3x3", "none", "skip_connect", "none", "none", "nor_conv_1x1")
    network = NasBench201().build(row)
    stages = [layer for layer in network.layers if layer.name.startswith("stage1")]
    assert [(layer.name, layer.count) for layer in stages] == [
        ("stage1.edge01", 5),
        ("stage1.edge23", 5),
    ]
    assert stages[0].einsum.bounds["R"] == 3
    assert stages[0].einsum.bounds["P"] == 16


def test_scores_that_need_no_training() -> None:
    cells, rows = NasBench201("cifar100"), all_rows()
    assert np.isneginf(cells.score("naswot", rows)).sum() == 201
    assert np.isfinite(cells.score("logsynflow", rows)).all()
    with pytest.raises(UnknownNameError, match="no score 'naswat'") as caught:
        cells.score("naswat", rows)
    assert "'naswot'" in caught.value.hint


def test_the_skip_score_is_freereas() -> None:
    rows = np.stack(
        [
            row_of(*["skip_connect"] * 6),
            row_of(*["none"] * 6),
            row_of("none", "none", "none", "skip_connect", "none", "none"),
        ]
    )
    assert skip_score(rows) == pytest.approx([4 / 6, 0.0, 2.0])
    assert (NasBench201().score("skip", rows) == skip_score(rows)).all()
    assert [b - a - 1 for a, b in EDGES] == [0, 1, 0, 2, 1, 0]


def test_latencies_are_linear_in_the_operations_where_they_are_estimates() -> None:
    """HW-NAS-Bench's FPGA estimate: 1.13296 + 1.2576 n3 + 0.5152 n1 + 0.4096 np milliseconds."""
    rows = all_rows()
    n1, n3, pools = (
        (rows == OPERATIONS.index(op)).sum(axis=1)
        for op in ("nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    )
    expected = 1.13296 + 1.2576 * n3 + 0.5152 * n1 + 0.4096 * pools
    assert NasBench201().latency_ms("fpga", rows) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(UnknownNameError, match="no device 'pixel4'"):
        NasBench201().latency_ms("pixel4", rows)


def test_one_network_as_a_workload() -> None:
    network = resolve("nasbench201-cell:index=0,dataset=imagenet16-120", REGISTRY)
    assert network.macs + 120 == 3_919_480
    assert network.parameters == 136_456
    double = resolve("nasbench201-cell:index=0,batch=2", REGISTRY)
    assert double.macs == 2 * resolve("nasbench201-cell:index=0", REGISTRY).macs


def test_accuracies_are_measured_not_estimated() -> None:
    assert NasBench201.accuracy_is == "measured"
    cells = NasBench201()
    assert cells.remark(cells.row(0)).startswith("measured, test accuracy")


def test_counts_are_those_of_the_networks():
    """The one formula for all networks against networks that are built."""
    space = NasBench201("cifar100", 2)
    rows = np.vstack([space.space.sample(60, np.random.default_rng(0)), [[0] * 6], [[3] * 6]])
    layers, counts = space.counts(rows)
    slow, expected = NetworkSpace.counts(space, rows)
    place = {einsum: i for i, einsum in enumerate(slow)}
    for j, einsum in enumerate(layers):
        wanted = expected[:, place[einsum]] if einsum in place else np.zeros(len(rows))
        assert (counts[:, j] == wanted).all(), einsum.name


def test_the_baseline_is_the_most_accurate_network():
    space = NasBench201()
    row = space.space.index(space.baseline)
    assert space.index(row[None])[0] == 6111
