from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import cosearch
from cosearch.cli import main
from cosearch.errors import CosearchError, InputError
from cosearch.hooks.discovery import load_registry
from cosearch_plugins.networks.search import losses_of, search

REGISTRY = load_registry(third_party=False)
DATA = Path(__file__).parents[2] / "data" / "networks"
ZERO_COST, LATENCY = DATA / "zero_cost.csv", DATA / "nasbench201_latency.csv"


def cells(table="", dataset="cifar10"):
    return REGISTRY.find("network_spaces", f"nasbench201:dataset={dataset},table={table}").make()


def test_further_scores_come_from_the_lines_of_the_data_set() -> None:
    for dataset, first in (("cifar10", "c10"), ("imagenet16-120", "in16")):
        space = cells(ZERO_COST, dataset)
        rows = space.measured_rows()
        assert len(rows) == 150
        synflow = {}
        for line in ZERO_COST.read_text(encoding="utf-8").splitlines()[1:]:
            parts = line.split(",")
            if parts[1] == first:
                synflow[int(parts[0])] = float(parts[-1])
        told = space.score("synflow", rows)
        assert told.tolist() == [synflow[i] for i in space.index(rows).tolist()]
        unknown = space.row(np.setdiff1d(np.arange(15_625), space.index(rows))[:3])
        assert np.isnan(space.score("synflow", unknown)).all()


def test_device_latencies_are_scores_on_cifar10_alone() -> None:
    space = cells(LATENCY)
    assert space.score("raspi4_ms", space.row(np.array([0]))) == [10.482]
    assert space.latency_ms("raspi4", space.row(np.array([0]))) == [10.482]
    assert "raspi4_ms" not in cells(LATENCY, dataset="cifar100").scores


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("index,mine\n15625,1\n", "line 2: index is '15625', not 0 to 15624"),
        ("index,mine\n3,1\n3,2\n", "line 3 has the network of line 2"),
        ("index,mine\n3,x\n", "line 2: mine is 'x', which is no number"),
        ("index,dataset,mine\n3,mnist,1\n", "line 2: dataset is 'mnist', not one of cifar10"),
        ("number,mine\n3,1\n", "has no column 'index'"),
    ],
)
def test_bad_tables_are_refused_with_file_and_line(tmp_path, text, said) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said) as caught:
        cells(path)
    assert str(path) in str(caught.value)


def test_a_search_by_the_accuracy_itself_finds_the_best_of_a_table() -> None:
    space = cells()
    error = [REGISTRY.objective("error")]
    found = search(space, error, REGISTRY.find("strategies", "evolutionary"), 300, 0)
    assert found.accuracy > 94.0
    assert found.step <= found.met == 300


def test_unknown_scores_are_told_as_infeasible_and_never_chosen() -> None:
    space = cells(ZERO_COST)
    aims = [REGISTRY.objective("synflow")]
    losses, known = losses_of(space, aims, space.row(np.arange(15_625)))
    assert known.sum() == 150
    assert np.isfinite(losses[known]).all()


def test_what_only_a_machine_knows_is_refused() -> None:
    space = cells()
    with pytest.raises(CosearchError, match="without a machine"):
        losses_of(space, [REGISTRY.objective("edp")], space.row(np.array([0])))


def test_the_command(capsys) -> None:
    asked = ["networks", "search", "nasbench201", "-o", "error"]
    assert main([*asked, "--networks", "120", "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    assert run["met"] == 120
    assert len(run["row"]) == 6
    assert main([*asked, "--networks", "20", "--seeds", "2"]) == 0
    told = capsys.readouterr()
    assert "in the mean of 2 runs" in told.out
    assert "accuracy is predicted" in " ".join(f"{told.out} {told.err}".split())
    assert main(["networks", "search", "nasbench201"]) == 2
    assert "nasbench201:table=FILE" in capsys.readouterr().err


def test_scores_are_objectives_of_studies_and_a_failed_one_is_no_design(tmp_path) -> None:
    """NASWOT of the network that is all `none` is minus infinity."""
    number = int(cells().index(np.zeros((1, 6), dtype=np.int64))[0])
    table = tmp_path / "scores.csv"
    table.write_text(f"index,naswot_in16\n{number},-inf\n", encoding="utf-8")
    study = cosearch.run(
        f"nasbench201:dataset=imagenet16-120,table={table}",
        "vta",
        objective="latency,naswot",
        strategy="random",
        fixed=dict.fromkeys(("edge01", "edge02", "edge03", "edge12", "edge13", "edge23"), "none"),
        trials=2,
        store=tmp_path / "a.db",
    )
    reasons = [trial.outcome.reason for trial in study.study.in_order if trial.number > 0]
    assert reasons
    assert set(reasons) == {"naswot of this network is -inf"}
