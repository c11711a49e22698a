from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from cosearch.cli import main
from cosearch.errors import CosearchError, InputError, UnknownNameError
from cosearch.hooks.discovery import load_registry
from cosearch.machine.building import build, network_for
from cosearch.mapping.network import map_layers
from cosearch.mapping.result import LayerResult, Unmapped
from cosearch.mapping.threads import ThreadPool
from cosearch.search.ranking import spearman
from cosearch.workload.einsum import conv
from cosearch_plugins.networks import costs as module
from cosearch_plugins.networks.columns import Networks, chosen_rows, kept, rank_correlation
from cosearch_plugins.networks.costs import costs_on, family, task_for

REGISTRY = load_registry(third_party=False)
TABLE = Path(__file__).parents[2] / "data" / "networks" / "accel_nasbench.csv"


def space_of(spec):
    return REGISTRY.find("network_spaces", spec).make()


def ranks(*arguments, capsys):
    code = main(["networks", "ranks", *arguments, "--json"])
    out, err = capsys.readouterr()
    return code, json.loads(out) if code == 0 else err


def test_ranks_of_a_table_are_spearmans(capsys) -> None:
    spec = f"nasbench201:dataset=cifar100,table={TABLE.with_name('nasbench201.csv')}"
    _, found = ranks(spec, capsys=capsys)
    rho = {row["by"]: row["accuracy"] for row in found["ranks"]}
    text = TABLE.with_name("nasbench201.csv").read_text(encoding="utf-8")
    lines = list(csv.DictReader(text.splitlines()))
    told = {c: np.array([float(x[f"{c}_c100"]) for x in lines]) for c in ("acc", "naswot")}
    assert rho["naswot"] == pytest.approx(spearman(told["naswot"], told["acc"]))
    assert {row["networks"] for row in found["ranks"]} == {89}


def test_without_a_table_only_what_cells_tell_is_ranked(capsys) -> None:
    _, found = ranks("nasbench201", "--sample", "50", capsys=capsys)
    assert [row["by"] for row in found["ranks"]] == ["macs", "skip"]
    code, said = ranks("nasbench201", "--against", "naswot", capsys=capsys)
    assert code == 2
    assert "nasbench201:table=FILE" in said


def test_networks_cost_the_sum_of_their_layers() -> None:
    """The table of costs against every network mapped by itself."""
    cells, vta = space_of("nasbench201:dataset=imagenet16-120"), family("vta", REGISTRY)
    rows = cells.space.sample(4, np.random.default_rng(3))
    task = task_for(vta, REGISTRY, "latency", "")
    networks = Networks.of(cells, rows)
    costs = costs_on(networks.layers, networks.counts, vta, task)
    pool = ThreadPool.alone(task, build(vta, vta.baseline))
    for row, energy, cycles in zip(rows, costs.energy_pj, costs.cycles, strict=True):
        found = list(map_layers(pool, network_for(vta, cells.build(row)).unique))
        assert cycles == sum(x.cycles * x.count for x in found)
        assert energy == pytest.approx(sum(x.energy_pj * x.count for x in found))
    assert costs.of("edp").tolist() == (costs.energy_pj * costs.cycles).tolist()
    assert costs.left_out == 0.0


def test_what_a_machine_leaves_out_is_counted() -> None:
    cells, systolic = space_of("nasbench201"), family("systolic", REGISTRY)
    networks = Networks.of(cells, cells.row(np.array([6111])))
    costs = costs_on(
        networks.layers, networks.counts, systolic, task_for(systolic, REGISTRY, "latency", "")
    )
    network = cells.build(cells.row(6111))
    assert costs.left_out == pytest.approx(1 - network.macs / network.operations)


def test_a_layer_without_a_mapping_leaves_its_networks_unknown(monkeypatch) -> None:
    layer = conv("a", K=8, C=8, P=4, Q=4, R=1, S=1)
    other = conv("b", K=8, C=8, P=4, Q=4, R=3, S=3)
    found = [Unmapped(layer.key, "none"), LayerResult("b", other.key, 1, (0,), 5.0, 7.0)]
    monkeypatch.setattr(module, "map_layers", lambda *_: found)
    vta = family("vta", REGISTRY)
    counts = np.array([[1, 1], [0, 2]])
    costs = costs_on((layer, other), counts, vta, task_for(vta, REGISTRY, "latency", ""))
    assert np.isnan(costs.cycles[0])
    assert (costs.cycles[1], costs.energy_pj[1]) == (14.0, 10.0)


def test_only_networks_that_meet_every_condition() -> None:
    space = space_of(f"accel-nasbench:table={TABLE}")
    rows = space.measured_rows()
    without = kept(space, rows, ["excite*=0"])
    names = [j for j, name in enumerate(space.space.names) if name.startswith("excite")]
    assert without.tolist() == (rows[:, names] == 0).all(axis=1).tolist()
    assert 0 < without.sum() < len(rows)
    for wrong in ("excite9=0", "kernel0"):
        with pytest.raises(InputError, match=r"there is|PARAMETER=VALUE"):
            kept(space, rows, [wrong])


def test_which_networks_are_looked_at() -> None:
    space = space_of(f"accel-nasbench:table={TABLE}")
    assert len(chosen_rows(space, None, 0, ())) == 40
    few = chosen_rows(space, 10, 1, ())
    assert len(few) == 10
    assert few.tolist() == chosen_rows(space, 10, 1, ()).tolist()
    assert len(chosen_rows(space_of("ofa-mobilenetv3"), 7, 0, ())) == 7
    with pytest.raises(CosearchError, match="too few"):
        chosen_rows(space, None, 0, ["kernel*=3"])


def test_minus_infinity_is_the_least_and_unknown_is_left_out() -> None:
    a = np.array([-np.inf, 1.0, 2.0, np.nan])
    assert rank_correlation(a, np.array([0.0, 1.0, 2.0, 3.0])) == (pytest.approx(1.0), 3)
    rho, known = rank_correlation(a[:2], np.array([0.0, 1.0]))
    assert np.isnan(rho)
    assert known == 2


def test_measured_latency_can_be_ranked_and_unknown_columns_are_named(capsys) -> None:
    spec = f"accel-nasbench:table={TABLE}"
    _, found = ranks(spec, "--against", "zcu102_ms", capsys=capsys)
    rho = {row["by"]: row["zcu102_ms"] for row in found["ranks"]}
    assert rho["vck190_ms"] > rho["macs"] > 0.5
    code, said = ranks(spec, "--against", "zcu103_ms", capsys=capsys)
    assert code == 2
    assert "zcu102_ms" in said
    with pytest.raises(UnknownNameError):
        Networks.of(space_of(spec), space_of(spec).measured_rows()).column("nothing")
