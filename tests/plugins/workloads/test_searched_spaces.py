from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from cosearch.errors import CosearchError, InputError, UnknownNameError
from cosearch.hooks.discovery import load_registry
from cosearch_plugins.workloads.fitted_accuracy import read_fitted, shipped
from cosearch_plugins.workloads.measured_table import read_measured
from cosearch_plugins.workloads.searched_space import SearchedSpace

REGISTRY = load_registry(third_party=False)
DATA = Path(__file__).parents[2] / "data" / "networks"
FILES = {"ofa-mobilenetv3": "ofa_mobilenetv3.csv", "accel-nasbench": "accel_nasbench.csv"}


@pytest.fixture(params=sorted(FILES))
def space(request) -> SearchedSpace:
    spec = f"{request.param}:table={DATA / FILES[request.param]}"
    return REGISTRY.find("network_spaces", spec).make()


def table_of(space: SearchedSpace) -> list[dict[str, str]]:
    with (DATA / f"{space.folder}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def make(name: str, table: Path | str = "") -> SearchedSpace:
    return REGISTRY.find("network_spaces", f"{name}:table={table}").make()


def test_macs_and_parameters_equal_the_measured_networks(space) -> None:
    for row, facts in zip(space.measured.rows, table_of(space), strict=True):
        network = space.build(row)
        assert network.macs == int(facts["macs"])
        assert network.parameters == int(facts["params"])
        genes = [facts[g] for g in ("ks", "e", "k", "l", "se") if g in facts]
        assert all(gene in network.name for gene in genes)


def test_published_and_extreme_sizes() -> None:
    """EfficientNet-B0 as published (Tan and Le 2019); the once-for-all network's own ends."""
    accel, ofa = make("accel-nasbench"), make("ofa-mobilenetv3")
    b0 = accel.build(accel.space.index({}))
    assert (b0.macs, b0.parameters) == (385_814_752, 5_288_548)
    least = {name: "k3e3" if name[-1] in "12" else "none" for name in ofa.space.names}
    most = dict.fromkeys(ofa.space.names, "k7e6")
    sizes = [ofa.build(ofa.space.index(choices)) for choices in (least, most)]
    assert [n.macs for n in sizes] == [121_278_672, 566_170_656]
    assert [n.parameters for n in sizes] == [3_410_792, 7_664_760]


def test_every_network_is_one_row() -> None:
    """Of a stage 9^2 + 9^3 + 9^4 networks, and a fourth block never without a third."""
    ofa = make("ofa-mobilenetv3")
    rows = ofa.space.sample(20_000, np.random.default_rng(0))
    share = ((81 + 729 + 6561) / 8100) ** 5
    assert ofa.space.feasible(rows).mean() == pytest.approx(share, abs=0.015)
    assert make("accel-nasbench").space.size == 36**6 * 48


def test_squeeze_pooling_and_additions_are_layers(space) -> None:
    network = space.build(space.measured.rows[1])
    kinds = {layer.einsum.operation for layer in network.layers}
    assert {"average", "add"} <= kinds
    gates = [x for x in network.layers if x.einsum.operation == "multiply"]
    excited = [x for x in network.layers if x.name.endswith(".se.mean")]
    assert len(gates) == len(excited)


def test_a_table_measures_its_networks_and_the_model_predicts_the_rest(space) -> None:
    rows = space.measured.rows
    top1 = np.array([float(facts["top1"]) for facts in table_of(space)])
    assert space.accuracy(rows).tolist() == top1.tolist()
    assert set(space.origins(rows)) == {"measured"}
    assert space.remark(rows[0]).startswith("measured, ")
    other = space.space.index({})
    assert space.origins(other[None]) == ("predicted",)
    assert "held-out error 0." in space.remark(other)
    assert f"differs in {space.nearest(other)} of {len(other)} choices" in space.remark(other)
    assert space.accuracy(other[None]) == space.model.of(other[None])


def test_nearest_measured_network_by_brute_force(space) -> None:
    rows, _ = space.space.sample_feasible(20, np.random.default_rng(1))
    for row in rows:
        differing = [sum(a != b for a, b in zip(row, m, strict=True)) for m in space.measured.rows]
        assert space.nearest(row) == min(differing)
    assert make("ofa-mobilenetv3").nearest(make("ofa-mobilenetv3").space.index({})) is None


def test_the_shipped_models_fit_networks_they_were_fitted_to(space) -> None:
    off = space.model.of(space.measured.rows) - space.accuracy(space.measured.rows)
    assert np.sqrt((off**2).mean()) < 1.5 * space.model.rmse


def test_the_model_is_additive_over_columns(space) -> None:
    rows, _ = space.space.sample_feasible(50, np.random.default_rng(2))
    changed = rows.copy()
    changed[:, 0] = (changed[:, 0] + 1) % space.space.cardinalities[0]
    by_column = space.model.weights[0]
    difference = space.model.lacking(changed) - space.model.lacking(rows)
    assert difference == pytest.approx(by_column[changed[:, 0]] - by_column[rows[:, 0]])


def test_measured_latencies_are_scores_of_a_table_alone() -> None:
    space = make("accel-nasbench", DATA / "accel_nasbench.csv")
    assert "zcu102_ms" in space.scores
    ms = space.score("zcu102_ms", space.measured.rows[:1])
    assert ms.tolist() == [float(table_of(space)[0]["zcu102_ms"])]
    assert np.isnan(space.score("vck190_ms", space.space.index({})[None])).all()
    with pytest.raises(UnknownNameError, match="no score"):
        make("accel-nasbench").score("zcu102_ms", space.measured.rows[:1])


HEAD = "ks,e,d,top1\n"
GOOD = "33003300330035005300,44003300440033004400,22222,72.1\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        (HEAD, "has no network"),
        ("ks,e,top1\n" + GOOD.replace("22222,", ""), "has no column 'd'"),
        (HEAD + GOOD.replace("72.1", "good"), "line 2: top1 is 'good', which is no number"),
        (HEAD + GOOD + GOOD, "line 3 has the network of line 2"),
        (HEAD + GOOD.replace("22222", "22223"), "line 2: ks .* is no network of this space"),
        (HEAD + GOOD + "3,4\n", "line 3: has 2 cells, and the header 4"),
    ],
)
def test_bad_tables_are_refused_with_file_and_line(tmp_path, text, said) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said) as caught:
        make("ofa-mobilenetv3", path)
    assert str(path) in str(caught.value)


def test_a_table_may_be_compressed_and_must_be_text(tmp_path) -> None:
    packed = tmp_path / "table.csv.gz"
    packed.write_bytes(gzip.compress((HEAD + GOOD).encode()))
    assert len(read_measured(str(packed)).lines) == 1
    packed.write_bytes(packed.read_bytes()[:-12])
    with pytest.raises(InputError, match="not a table of text"):
        make("ofa-mobilenetv3", packed)
    with pytest.raises(InputError, match="no such file"):
        make("ofa-mobilenetv3", tmp_path / "nowhere.csv")


def test_a_model_of_another_space_is_refused() -> None:
    with pytest.raises(CosearchError, match="with other columns"):
        read_fitted(shipped("accel_nasbench"), make("ofa-mobilenetv3").space)
