import json

import pytest

from cosearch.cli import main

RUN = [
    "reproduce",
    "shi2020",
    "--model",
    "shi2020-mlp",
    "--contender",
    "BO x exact",
    "--seeds",
    "2",
    "--trials",
    "3",
    "--workers",
    "1",
]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")


def test_a_table_a_model_beside_both_baselines(capsys):
    assert main(RUN) == 0
    shown = capsys.readouterr().out
    assert "shi2020-mlp" in shown
    assert "no figure published" in shown
    assert "(a), 3 designs" in shown
    assert main([*RUN, "--stored", "--json"]) == 0
    (facts,) = json.loads(capsys.readouterr().out)
    assert facts["seeds"] == 2
    worst, median, best = facts["improvement_free"]
    assert worst <= median <= best < 1
    assert facts["floor"] < facts["baseline_free"] <= facts["baseline_row_stationary"]


def test_sensitivity_has_a_row_a_variant(capsys):
    command = [*RUN[:4], "--sensitivity", "--seeds", "1", "--trials", "2", "--workers", "1"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "at most" in shown
    assert "the chip's link to DRAM" in shown


def test_nothing_stored_is_no_table(capsys):
    assert main([*RUN, "--stored", "--store", "empty.db"]) == 2
    assert "empty.db" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [
        ["rhnas2"],
        ["shi2020", "--model", "vgg"],
        ["shi2020", "--contender", "luck"],
        ["shi2020", "--setting", "moon"],
    ],
)
def test_unknown_names_are_refused(wrong, capsys):
    assert main(["reproduce", *wrong]) == 2
    assert "there is no" in capsys.readouterr().err
