"""`cosearch sweep`: a table of machines, each with its best mappings."""

import json

import pytest

import cosearch
from cosearch.cli import main
from cosearch.errors import CosearchError
from cosearch.quantities import loss
from cosearch_plugins.sweeps.command import _values

GEMM = "gemm:M=32,N=32,K=32"


def test_values_lists_ranges_and_all_choices():
    assert _values(["a=1,2", "b=16..48:16"]) == {"a": ["1", "2"], "b": [16, 32, 48]}
    assert _values(["a"]) == {"a": []}
    for wrong in (["a="], ["a=1", "a=2"], ["a", "b", "c"], ["a=4..1"], ["a=x..y"]):
        with pytest.raises(CosearchError):
            _values(wrong)


def test_each_point_is_what_the_machine_costs_alone(capsys):
    words = ["sweep", GEMM, "-H", "systolic", "rows=8,10,16", "input_kb=64", "-m", "random"]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [p["rows"] for p in found["points"]] == [8, 10, 16]
    for point in found["points"]:
        alone = cosearch.map(GEMM, "systolic", fixed={"rows": point["rows"]}, mapper="random")
        assert point["edp"] == alone.edp
    assert found["baseline"]["edp"] == found["points"][2]["edp"]
    assert main(words) == 0
    out = capsys.readouterr().out
    for point in found["points"]:
        assert loss(point["edp"], "pJ*cycles") in out
    assert "| " in out or "|a" in out


@pytest.mark.parametrize("width", [60, 80])
def test_nothing_is_wider_than_the_terminal(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["sweep", GEMM, "-H", "systolic", "rows=8,16", "cols=8,16", "-m", "random"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= width


def test_an_impossible_value_is_one_message(capsys):
    assert main(["sweep", GEMM, "-H", "systolic", "rows=7777"]) == 2
    assert "a whole number from 1 to 256" in " ".join(capsys.readouterr().err.split())
    assert main(["sweep", GEMM, "-H", "systolic", "rosw=8"]) == 2
    assert "rows" in capsys.readouterr().err
