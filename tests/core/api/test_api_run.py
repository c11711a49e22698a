import gc
import sys
import tempfile

import pytest

import cosearch
from cosearch.errors import CosearchError, MissingExtraError, UnknownNameError
from cosearch.search.objective import Objective
from cosearch_plugins.strategies.random import Random

GEMM = "gemm:M=16,N=16,K=16"
QUICK = {"trials": 6, "mapper": "random", "mapper_evaluations": 20}


class MyRandom(Random):
    """Draws like any other."""


@pytest.fixture
def model(toy):
    return toy.find("hardware_models", "toy").target


def test_a_study_by_names_is_kept_and_loaded(toy, tmp_path):
    store = tmp_path / "s.db"
    study = cosearch.run(GEMM, "toy", strategy="random", store=store, registry=toy, **QUICK)
    assert len(study.designs) == 6
    assert study.note == ""
    assert study.best.metrics["edp"] == min(d.metrics["edp"] for d in study.designs if d.metrics)
    assert study.improvement["edp"] == pytest.approx(
        study.baseline.metrics["edp"] / study.best.metrics["edp"]
    )
    again = cosearch.load(study.name, store=store, registry=toy)
    assert again.records() == study.records()
    assert str(again) == str(study)
    with pytest.raises(UnknownNameError, match="study"):
        cosearch.load("nothing", store=store, registry=toy)


def test_objects_and_classes_find_what_names_find(toy, model, tmp_path):
    named = cosearch.run(
        GEMM, "toy", strategy="random", store=tmp_path / "s.db", registry=toy, **QUICK
    )
    network = cosearch.Network("mine", (cosearch.Layer(cosearch.gemm(M=16, N=16, K=16)),))
    here = cosearch.run(network, model(), strategy=MyRandom, registry=toy, **QUICK)
    assert [d.configuration for d in here.designs] == [d.configuration for d in named.designs]
    assert [d.metrics for d in here.designs] == [d.metrics for d in named.designs]
    assert "workload 'mine'" in here.note
    assert "cannot be resumed elsewhere" in here.note
    assert toy.local == ()


def test_what_has_no_name_is_neither_stored_nor_sent_elsewhere(toy, tmp_path):
    with pytest.raises(CosearchError, match="strategy 'my-random'"):
        cosearch.run(GEMM, "toy", strategy=MyRandom, store=tmp_path / "s.db", registry=toy)
    with pytest.raises(CosearchError, match="no other process can make the strategy 'my-random'"):
        cosearch.run(GEMM, "toy", strategy=MyRandom, workers=2, registry=toy, **QUICK)


def test_an_objective_of_ones_own(toy):
    mine = Objective("sum", "pJ", lambda m: m["energy_pj"] + m["cycles"])
    study = cosearch.run(GEMM, "toy", strategy="random", objective=mine, registry=toy, **QUICK)
    best = study.best.metrics
    assert best["sum"] == best["energy_pj"] + best["cycles"]
    assert "objective 'sum'" in study.note


def test_a_strategy_that_cannot_be_made_is_named(toy):
    class Unfinished(cosearch.Strategy):
        """Has no methods."""

    with pytest.raises(CosearchError, match=r"strategy 'unfinished' of .* raised TypeError"):
        cosearch.run(GEMM, "toy", strategy=Unfinished, registry=toy, **QUICK)


def test_a_setting_that_does_not_exist(toy):
    with pytest.raises(UnknownNameError, match="setting 'objectve'"):
        cosearch.run(GEMM, "toy", objectve="edp", registry=toy)


def test_records_are_flat_and_a_notebook_shows_them(toy, tmp_path, monkeypatch):
    study = cosearch.run(
        GEMM, "toy", strategy="random", store=tmp_path / "s.db", registry=toy, **QUICK
    )
    first = study.records()[0]
    assert {"number", "state", "edp", "pes", "buffer", "reason"} <= set(first)
    assert "<th>pes</th>" in study._repr_html_()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match="optional package") as caught:
        study.to_frame()
    assert "cosearch[pandas]" in caught.value.hint


def test_progress_is_quiet_in_a_script(toy, tmp_path, capsys):
    cosearch.run(GEMM, "toy", strategy="random", store=tmp_path / "s.db", registry=toy, **QUICK)
    assert capsys.readouterr() == ("", "")


def test_contenders_may_be_classes(toy, model):
    found = cosearch.compare(
        GEMM,
        model(),
        strategies=[MyRandom, "evolutionary:population=4"],
        seeds=2,
        registry=toy,
        **QUICK,
    )
    assert {r["strategy"] for r in found.records()} == {"my-random", "evolutionary:population=4"}
    assert "my-random" in found.note
    assert "2 runs of each" in str(found)


def test_one_machine_and_a_sweep(toy):
    given = {"mapper": "random", "mapper_evaluations": 50, "registry": toy}
    machine = cosearch.hardware("toy", registry=toy).build({"pes": 8})
    found = cosearch.map(GEMM, machine, **given)
    assert found.edp == found.energy_pj * found.cycles
    assert [layer.name for layer in found.layers] == ["gemm"]
    assert not found.proven
    priced = cosearch.evaluate(GEMM, machine, found.layers[0].row, registry=toy)
    assert (priced.energy_pj, priced.cycles) == (found.energy_pj, found.cycles)
    swept = cosearch.sweep(GEMM, "toy", {"pes": [8, 32], "buffer": [64, 256]}, **given)
    rows = swept.records()
    assert [(r["pes"], r["buffer"]) for r in rows] == [(8, 64), (8, 256), (32, 64), (32, 256)]
    assert [r["feasible"] for r in rows] == [True, True, True, False]
    assert rows[3]["reason"]
    one = cosearch.map(GEMM, "toy", fixed={"pes": 8, "buffer": 64}, **given)
    assert (rows[0]["energy_pj"], rows[0]["cycles"]) == (one.energy_pj, one.cycles)
    with pytest.raises(cosearch.Infeasible):
        cosearch.map(GEMM, "toy", fixed={"pes": 32, "buffer": 256}, **given)
    with pytest.raises(CosearchError, match="no setting of one machine"):
        cosearch.map(GEMM, "toy", batch=4, registry=toy)


def test_a_comparison_that_is_dropped_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = cosearch.compare(
        "gemm:M=4,N=4,K=4", "systolic", strategies=[MyRandom, "sobol"], seeds=1, trials=2
    )
    assert list(tmp_path.iterdir())
    around = [found]
    around.append(around)  # collected with all that it holds, in no order
    del found, around
    gc.collect()
    assert not list(tmp_path.iterdir())
