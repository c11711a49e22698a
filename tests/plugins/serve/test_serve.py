import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cosearch.cli import main
from cosearch.errors import CosearchError
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch_plugins.serve.outside import Outside

ROOT = Path(__file__).parents[3]
COMMAND = ("serve", "gemm:M=8,N=8,K=8", "-H", "eyeriss", "-m", "random", "--mapper-trials", "20")


@pytest.fixture
def served(tmp_path, monkeypatch, capsys):
    """Return a function that sends requests to one session and returns the answers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")

    def serve(*requests, trials=4, more=()):
        lines = [r if isinstance(r, str) else json.dumps(r) for r in requests]
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(line + "\n" for line in lines)))
        assert main([*COMMAND, "--trials", str(trials), "--study", "s", *more]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return serve


def tell(*designs, **more):
    return {"do": "tell", "designs": list(designs), **more}


def test_a_program_learns_the_space_tries_designs_and_sees_the_best(served):
    about, first, second, best = served(
        {"do": "space"}, tell({}, id=7), tell({"pe_x": 12}, {"pe_x": 12}), {"do": "best"}
    )
    names = [parameter["name"] for parameter in about["space"]]
    assert "pe_x" in names
    assert about["objectives"][0]["name"] == "edp"
    assert about["budget"]["trials"] == 4
    assert first["id"] == 7
    assert first["trials"][0]["losses"] == about["baseline"]["losses"]
    assert [trial["trial"] for trial in second["trials"]] == [2, 3]
    assert second["trials"][0]["losses"] == second["trials"][1]["losses"]
    losses = [t["losses"]["edp"] for t in (*first["trials"], *second["trials"])]
    assert best["best"]["losses"]["edp"] == min(losses)
    assert best["tried"] == 3


def test_the_budget_holds_and_is_said(served):
    choices = [{"pe_x": x} for x in (1, 2, 3, 4, 6, 7)]
    cut, late, best = served(tell(*choices), tell({}), {"do": "best"}, trials=4)
    assert len(cut["trials"]) == 4
    assert cut["cut"] == 2
    assert "the budget is spent: 4 trials are done" in late["error"]
    assert best["status"] == "finished"


def test_it_continues_where_it_was_left(served):
    whole = served(tell({"pe_x": 1}), tell({"pe_x": 2}), {"do": "best"}, more=("--store", "w.db"))
    (first,) = served(tell({"pe_x": 1}))
    second, best = served(tell({"pe_x": 2}), {"do": "best"})
    assert [first, second, best] == whole


def test_ideas_are_designs_of_the_space(served):
    ideas, tried = served({"do": "ask", "n": 3}, tell({}))
    assert len(ideas["designs"]) == 3
    answers = served(*(tell(design) for design in ideas["designs"]), trials=9)
    assert all("trials" in answer for answer in answers)
    assert tried["trials"]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("nonsense", "no JSON"),
        ("[1]", "is a JSON object"),
        ({"do": "dance"}, "space, ask, tell, best"),
        (tell(), "a list of 1 to"),
        (tell(7), "designs[0] is no object"),
        (tell({}, {"pe_y": 1}), "designs[1] has 'pe_y'; parameters are"),
        (tell({"pe_x": 5}), "designs[0]"),
        (tell({"pe_x": "\x1b[31m"}), "designs[0]"),
        ({"do": "ask", "n": 0}, "n is a whole number"),
        ({"do": "ask", "n": "x"}, "n is a whole number"),
    ],
)
def test_what_cannot_be_understood_is_an_error_and_changes_nothing(served, request_, said):
    wrong, best = served(request_, {"do": "best"})
    assert said in wrong["error"]
    assert best["tried"] == 0


def test_the_strategy_alone_says_who_leads():
    space = ParameterSpace((Parameter("x", (1, 2, 3)),))
    alone = Outside(space, np.random.default_rng(0))
    with pytest.raises(CosearchError, match="led by another program"):
        alone.ask(1)
    alone.add([(0,), (2,), (1,)])
    assert alone.ask(2).tolist() == [[0], [2]]
    assert alone.ask(2).tolist() == [[1]]


@pytest.mark.skipif(shutil.which("perl") is None, reason="no Perl here")
def test_the_example_in_perl_searches(tmp_path):
    words = [sys.executable, "-m", "cosearch", *COMMAND, "--trials", "6", "--workers", "1"]
    found = subprocess.run(
        ["perl", ROOT / "examples" / "serve" / "climb.pl", *words],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.startswith("edp of the best of 6: ")
    assert float(found.stdout.split()[-1]) > 0
