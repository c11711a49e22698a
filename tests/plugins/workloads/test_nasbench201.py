from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from cosearch.errors import CosearchError, InputError, UnknownNameError
from cosearch.hooks.discovery import load_registry
from cosearch.search.ranking import spearman
from cosearch.study.codesign import plan
from cosearch.workload.network import NetworkSpace
from cosearch.workload.source import resolve
from cosearch_plugins.workloads.nasbench201 import NasBench201
from cosearch_plugins.workloads.nasbench201_accuracy import on_paths, predicted_accuracy
from cosearch_plugins.workloads.nasbench201_cells import (
    DATA_SETS,
    EDGES,
    OPERATIONS,
    SIZE,
    cell_text,
    skip_score,
)

REGISTRY = load_registry(third_party=False)
INDICES = np.arange(SIZE)
DATA = Path(__file__).parents[2] / "data" / "networks"
TABLE, LATENCY = DATA / "nasbench201.csv", DATA / "nasbench201_latency.csv"
"""89 networks; see the README there."""


def all_rows() -> np.ndarray:
    return NasBench201().row(INDICES)


def measured(dataset: str = "cifar10") -> NasBench201:
    return NasBench201(dataset, table=f"{TABLE}+{LATENCY}")


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def row_of(*operations: str) -> np.ndarray:
    return np.array([OPERATIONS.index(o) for o in operations], dtype=np.int64)


def test_rows_and_indices_are_one_to_one() -> None:
    cells, rows = NasBench201(), all_rows()
    assert (cells.index(rows) == INDICES).all()
    assert len(np.unique(rows, axis=0)) == SIZE == cells.space.size


def test_a_cell_in_the_benchmarks_own_words() -> None:
    cells = NasBench201()
    text = (
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+"
        "|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    )
    assert cell_text(cells.row(0)) == text
    assert cells.build(cells.row(0)).name == f"nasbench201-{text}"
    assert measured().accuracy(cells.row(0)[None]) == [85.8633]


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


def test_one_network_as_a_workload() -> None:
    network = resolve("nasbench201-cell:index=0,dataset=imagenet16-120", REGISTRY)
    assert network.macs + 120 == 3_919_480
    assert network.parameters == 136_456
    double = resolve("nasbench201-cell:index=0,batch=2", REGISTRY)
    assert double.macs == 2 * resolve("nasbench201-cell:index=0", REGISTRY).macs


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


def test_the_numbering_is_the_benchmarks_own() -> None:
    """Its list, by the carried-over networks' texts; the whole list was compared once."""
    cells = NasBench201()
    for line in lines(TABLE):
        assert cell_text(cells.row(int(line["index"]))) == line["arch"]


@pytest.mark.parametrize("dataset", DATA_SETS)
def test_macs_and_parameters_equal_the_benchmarks(dataset: str) -> None:
    """The benchmark counts the addition of the classifier's bias as a MAC a class."""
    cells, data = NasBench201(dataset), DATA_SETS[dataset]
    rows = cells.row(np.array([int(line["index"]) for line in lines(TABLE)]))
    for name in ("macs_m", "params_m"):
        told = [float(line[f"{name}_{data.suffix}"]) for line in lines(TABLE)]
        assert cells.score(name, rows).tolist() == told
    networks = [cells.build(row) for row in rows]
    macs = np.array([network.macs for network in networks]) + data.classes
    assert (macs == np.rint(cells.score("macs_m", rows) * 1e6)).all()
    parameters = [network.parameters for network in networks]
    assert parameters == np.rint(cells.score("params_m", rows) * 1e6).tolist()


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
    cells = measured(dataset)
    rows = cells.measured_rows()
    accuracy = cells.accuracy(rows)
    assert round(float(accuracy.max()), 2) == best
    assert set(cells.index(rows)[accuracy == accuracy.max()].tolist()) == indices
    assert int(cells.index(cells.space.index(cells.baseline)[None])[0]) in indices


def test_what_a_table_has_is_measured_and_the_rest_is_predicted() -> None:
    with_table, without = measured(), NasBench201()
    rows = all_rows()
    known = np.isin(INDICES, with_table.index(with_table.measured_rows()))
    assert known.sum() == len(lines(TABLE))
    assert set(without.origins(rows)) == {"predicted"}
    assert [o == "measured" for o in with_table.origins(rows)] == known.tolist()
    told = {int(line["index"]): float(line["acc_c10"]) for line in lines(TABLE)}
    assert with_table.accuracy(rows)[known].tolist() == [told[i] for i in sorted(told)]
    assert (with_table.accuracy(rows) == without.accuracy(rows))[~known].all()
    assert with_table.remark(rows[0]).startswith("measured, test accuracy of the table")
    assert "held-out error" in with_table.remark(rows[1])
    assert len(without.measured_rows()) == 0


@pytest.mark.parametrize("dataset", DATA_SETS)
def test_predictions_are_as_far_off_as_they_say(dataset: str) -> None:
    """The carried-over networks are among those fitted to, so they are missed by no more."""
    cells, model = measured(dataset), predicted_accuracy(dataset)
    rows = cells.measured_rows()
    accuracy, predicted = cells.accuracy(rows), NasBench201(dataset).accuracy(rows)
    sees = on_paths(rows).any(axis=1)
    off = (predicted - accuracy)[sees]
    assert np.sqrt((off**2).mean()) < model.rmse < 3.0
    assert spearman(predicted[sees], accuracy[sees]) > 0.9
    assert predicted[~sees] == pytest.approx(100 / DATA_SETS[dataset].classes)
    assert predicted[~sees] == pytest.approx(accuracy[~sees], abs=1e-3)
    assert (~sees).sum() == 2


def test_a_prediction_is_the_sum_that_it_says() -> None:
    model = predicted_accuracy("cifar10")
    for row in NasBench201().space.sample(30, np.random.default_rng(1)):
        live = on_paths(row[None])[0]
        lacking = model.intercept
        for edges, weights in model.weights.items():
            lacking += weights[tuple(live[list(edges)])]
        expected = model.ceiling - np.exp(lacking) if live.any() else 10.0
        assert model.of(row[None])[0] == pytest.approx(expected)


def test_edges_on_no_path_count_for_nothing() -> None:
    """Against every walk from node 0 to node 3."""
    for row in NasBench201().space.sample(200, np.random.default_rng(0)):
        there = {edge for edge, op in zip(EDGES, row, strict=True) if op != 0}
        walks = [[(0, 3)], [(0, 1), (1, 3)], [(0, 2), (2, 3)], [(0, 1), (1, 2), (2, 3)]]
        used = {edge for walk in walks if set(walk) <= there for edge in walk}
        expected = [op if e in used else 0 for e, op in zip(EDGES, row, strict=True)]
        assert on_paths(row[None])[0].tolist() == expected


def test_scores_of_a_table() -> None:
    cells = measured("cifar100")
    rows = cells.measured_rows()
    assert np.isneginf(cells.score("naswot", rows)).sum() == 2
    assert np.isfinite(cells.score("logsynflow", rows)).all()
    assert np.isnan(cells.score("logsynflow", cells.row(np.array([1])))).all()
    with pytest.raises(UnknownNameError, match="no score 'naswat'"):
        cells.score("naswat", rows)


@pytest.mark.parametrize(
    ("dataset", "name", "said"),
    [
        ("cifar10", "naswot", "nasbench201:table=FILE.*index and naswot_c10"),
        ("cifar100", "jacov", "nasbench201:dataset=cifar100,table=FILE.*index and jacov_c100"),
        ("cifar10", "raspi4_ms", "table=FILE.*index and raspi4_ms"),
        ("cifar100", "raspi4_ms", "dataset=cifar10 alone"),
    ],
)
def test_what_only_a_table_knows_is_named_with_what_to_pass(dataset, name, said) -> None:
    cells = NasBench201(dataset)
    with pytest.raises(CosearchError, match=f"{name} is not known") as caught:
        cells.score(name, all_rows()[:1])
    assert re.search(said, caught.value.hint)
    assert name not in cells.scores
    with pytest.raises(CosearchError, match=f"{name} is not known"):
        plan(REGISTRY, f"nasbench201:dataset={dataset}", "vta", "random",
             objective="latency", constraints=[f"{name}<=3"])  # fmt: skip


def test_latencies_are_linear_in_the_operations_where_they_are_estimates() -> None:
    """HW-NAS-Bench's FPGA estimate: 1.13296 + 1.2576 n3 + 0.5152 n1 + 0.4096 np milliseconds."""
    cells = measured()
    rows = cells.measured_rows()
    n1, n3, pools = (
        (rows == OPERATIONS.index(op)).sum(axis=1)
        for op in ("nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    )
    expected = 1.13296 + 1.2576 * n3 + 0.5152 * n1 + 0.4096 * pools
    assert cells.latency_ms("fpga", rows) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(UnknownNameError, match="no device 'pixel4'"):
        cells.latency_ms("pixel4", rows)


def test_a_table_of_other_cells_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "a.csv"
    wrong.write_text(f"index,arch,acc\n0,{cell_text(all_rows()[0])},90\n5,|none~0|,80\n")
    with pytest.raises(InputError, match=r"line 3: arch is '\|none~0\|', and number 5 is"):
        NasBench201(table=str(wrong))
    with pytest.raises(InputError, match="has 'acc_c10' too"):
        NasBench201(table=f"{TABLE}+{TABLE}")


def test_a_plain_column_of_accuracies_will_do(tmp_path: Path) -> None:
    mine = tmp_path / "mine+more.csv"
    mine.write_text("index,accuracy,synflow\n7,91.5,3\n8,,4\n")
    cells = NasBench201("cifar100", table=str(mine))
    rows = cells.row(np.array([7, 8]))
    assert cells.origins(rows) == ("measured", "predicted")
    assert cells.accuracy(rows)[0] == 91.5
    assert cells.scores == ("skip", "synflow")
