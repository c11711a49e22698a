"""`cosearch compare` as a user calls it."""

import json

import pytest

import cosearch
from cosearch.cli import main

WORDS = [
    "compare",
    "gemm:M=64,N=64,K=64",
    "-H",
    "systolic",
    "-s",
    "random",
    "-s",
    "evolutionary",
    "--seeds",
    "2",
    "--trials",
    "4",
    "--workers",
    "1",
]


def test_table_plot_and_best_known(cosearch, tmp_path):
    found = cosearch(*WORDS, "--store", str(tmp_path / "c.db"))
    assert found.code == 0
    for part in ("who is best", "who differs", "what it took", "any time", "best known"):
        assert part in found.out
    assert "proven optimal" in found.out


def test_json_is_one_object(cosearch, tmp_path):
    found = cosearch(*WORDS, "--json", "--store", str(tmp_path / "c.db"))
    facts = json.loads(found.out)
    assert {s["strategy"] for s in facts["scores"]} == {"random", "evolutionary"}
    assert facts["blocks"] == 2


def test_tuning_is_said_in_the_table_and_in_json(cosearch, tmp_path):
    words = [*WORDS, "--tune", "3", "--tune-on", "gemm:M=32,N=32,K=32"]
    store = ["--store", str(tmp_path / "c.db")]
    shown = cosearch(*words, *store)
    assert "tuned first" in shown.out
    assert "gemm:M=32,N=32,K=32" in shown.out
    assert "nothing to tune" in shown.out
    facts = json.loads(cosearch(*words, *store, "--json").out)
    random, evolutionary = facts["tuning"]["tuned"]
    assert (random["tried"], evolutionary["tried"]) == (1, 3)
    assert evolutionary["runs"] == 9
    assert facts["tuning"]["configurations"] == 3


def test_several_objectives_are_judged_by_hypervolume(cosearch, tmp_path):
    words = [*WORDS, "-o", "energy,area", "--store", str(tmp_path / "c.db")]
    words[words.index("evolutionary")] = "nsga2"
    shown = cosearch(*words)
    assert shown.code == 0
    assert "hypervolume of a case's best run over a run's own" in shown.out
    assert "of the box up to" in shown.out
    facts = json.loads(cosearch(*words, "--json").out)
    assert facts["objectives"] == ["energy", "area"]
    (front,) = facts["fronts"]
    assert 0 < front["hypervolume"] < 1
    energies = [design["losses"][0] for design in front["designs"]]
    assert energies == sorted(energies)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["-o", "energy,area"], "takes one objective, not energy, area"),
        (["--tune", "2", "--tune-on", "gemm:K=64,M=64,N=64"], "has seen it before"),
        (["--tune-on", "alexnet"], "--tune N says how much"),
        (["--combine", "layer"], "did you mean 'layers'"),
        (["-s", "evolutionari"], "did you mean 'evolutionary'"),
        (["-s", "random"], "named twice"),
        (["-H", "eyeris"], "did you mean 'eyeriss'"),
    ],
)
def test_wrong_names_cost_nothing(cosearch, tmp_path, change, message):
    found = cosearch(*WORDS, *change, "--store", str(tmp_path / "c.db"))
    assert found.code == 2
    assert message in found.err
    assert not (tmp_path / "c.db").exists()


def test_without_strategies_machines_stand_side_by_side(capsys):
    words = ["compare", "gemm:M=32,N=32,K=32", "-H", "systolic", "-H", "systolic:preset=12x14"]
    assert main([*words, "-m", "random", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    alone = cosearch.map("gemm:M=32,N=32,K=32", "systolic", mapper="random")
    assert (first["edp"], first["word_bits"], second["word_bits"]) == (alone.edp, 8, 16)
    largest = max(first["area_mm2"], second["area_mm2"])
    for row in (first, second):
        assert row["scaled_edp"] == pytest.approx(row["edp"] * row["area_mm2"] / largest)
    assert main([*words, "-m", "random"]) == 0
    assert "words differ in width" in capsys.readouterr().out
    assert main([*words[:4], "-m", "random"]) == 2
    assert "nothing to compare" in capsys.readouterr().err
    assert main([*words, "--batch", "8"]) == 2
    assert "--batch is for strategies" in capsys.readouterr().err


def test_a_parameter_is_set_on_the_machines_that_have_it(capsys):
    words = ["compare", "gemm:M=32,N=32,K=32", "-H", "systolic", "-H", "roofline", "-m", "random"]
    assert main([*words, "--set", "rows=3", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    narrow = cosearch.map("gemm:M=32,N=32,K=32", "systolic", mapper="random", fixed={"rows": 3})
    plain = cosearch.map("gemm:M=32,N=32,K=32", "roofline", mapper="random")
    assert (first["edp"], second["edp"]) == (narrow.edp, plain.edp)
    assert main([*words, "--set", "row=3"]) == 2
    assert "did you mean 'rows'" in capsys.readouterr().err
