import csv
import io
import json

import pytest

from cosearch.quantities import loss
from cosearch.store.store import Store


@pytest.fixture
def stored(cosearch, study_of, monkeypatch, tmp_path):
    """Return the command line, where the store holds a finished study `mine`, and the study."""
    monkeypatch.delenv("COSEARCH_NO_PLUGINS")
    monkeypatch.chdir(tmp_path)
    study = study_of(name="mine", store=tmp_path / "cosearch.db", strategy="toy-grid:start=60")
    return cosearch, study


def test_studies_are_listed(stored):
    cosearch, study = stored
    result = cosearch("studies")
    assert result.code == 0
    assert "mine" in result.out
    assert "finished" in result.out
    assert loss(study.best.outcome.losses[0], "pJ*cycles") in result.out
    (facts,) = cosearch("studies", "--json").json()
    assert facts["best_trial"] == study.best.number
    assert facts["best_losses"] == {"edp": study.best.outcome.losses[0]}
    assert (facts["trials"], facts["settings"]["strategy"]) == (12, "toy-grid:start=60")


def test_no_store_is_one_message(stored, refused):
    assert "there is no store no.db" in refused("studies", "--store", "no.db")


def test_an_empty_store_says_how_to_begin(stored, tmp_path):
    Store(tmp_path / "empty.db").close()
    assert "`cosearch run` begins one" in stored[0]("studies", "--store", "empty.db").out


def test_rescore_prints_the_stored_numbers(stored):
    cosearch, study = stored
    result = cosearch("rescore", "mine")
    best = study.best.outcome
    assert result.code == 0
    for value in (*best.losses, best.metrics["energy_pj"], best.layers[0].cycles):
        assert repr(value) in result.out
    facts = cosearch("rescore", "mine", "--json").json()
    assert facts["confirmed"] is True
    assert facts["design"]["losses"] == {"edp": best.losses[0]}
    assert cosearch("rescore", "mine").out == result.out


def test_rescore_of_a_changed_number_is_exit_code_1(stored, tmp_path):
    cosearch, study = stored
    with Store(tmp_path / "cosearch.db") as store:
        store._connection.execute(
            "UPDATE layers SET result = json_set(result, '$.energy_pj', 1.5) WHERE number = ?",
            (study.best.number,),
        )
        store._connection.execute("DELETE FROM checks")  # as in a store of 0.1.0
    result = cosearch("rescore", "mine")
    assert result.code == 1
    assert "not confirmed: gemm: the kernel says" in result.err


def test_rescore_without_a_best_says_why(cosearch, study_of, monkeypatch, tmp_path):
    monkeypatch.delenv("COSEARCH_NO_PLUGINS")
    study_of(name="none", constraints=["area_mm2<=0.001"], trials=3, store=tmp_path / "n.db")
    result = cosearch("rescore", "none", "--store", tmp_path / "n.db")
    assert result.code == 2
    assert "has no best design: no design is feasible" in result.err


@pytest.mark.parametrize("command", ["rescore", "export"])
def test_an_unknown_study_suggests_near_ones(stored, command):
    result = stored[0](command, "mein")
    assert result.code == 2
    assert "did you mean 'mine'" in result.err


def test_csv_has_a_line_a_trial(stored):
    cosearch, study = stored
    lines = list(csv.DictReader(io.StringIO(cosearch("export", "mine").out)))
    assert [int(line["trial"]) for line in lines] == list(range(13))
    best = lines[study.best.number]
    assert float(best["edp"]) == study.best.outcome.losses[0]
    assert float(best["energy_pj"]) == study.best.outcome.metrics["energy_pj"]
    assert int(best["pes"]) == study.best.configuration["pes"]
    infeasible = [line for line in lines if line["state"] == "infeasible"]
    assert len(infeasible) == 2
    assert infeasible[0]["edp"] == ""
    assert float(infeasible[0]["violation"]) == 1.0


def test_json_has_every_mapping(stored, tmp_path):
    cosearch, study = stored
    assert cosearch("export", "mine", "-f", "json", "--output", tmp_path / "out.json").code == 0
    facts = json.loads((tmp_path / "out.json").read_text())
    assert len(facts["trials"]) == 13
    best = facts["trials"][study.best.number]
    assert best["outcome"]["layers"][0]["row"] == list(study.best.outcome.layers[0].row)


def test_an_unknown_format_is_one_message(stored, refused):
    assert "csv" in refused("export", "mine", "--format", "xml")
