"""`cosearch validate`."""

import gzip
import json
from pathlib import Path

import pytest

from cosearch.cli import main

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def folder(tmp_path):
    """Return a directory with the architectures and three tiny points."""
    source = DATA / "timeloop"
    (tmp_path / "archs.json").write_bytes(gzip.decompress((source / "archs.json.gz").read_bytes()))
    points = gzip.decompress((source / "points_micro.jsonl.gz").read_bytes()).splitlines()
    (tmp_path / "points_few.jsonl").write_bytes(b"\n".join(points[:3]))
    return tmp_path


def test_agreement_ends_with_zero(folder, capsys):
    assert main(["validate", "timeloop", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "3 of 3" in shown
    assert "all agree" in shown


def test_json_is_one_object_with_the_scores(capsys):
    assert main(["validate", "timeloop", str(DATA / "timeloop"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["points"] == facts["counts_exact"] == facts["cycles_exact"] == 311
    assert facts["energy_exact"] == 311
    assert facts["invalid_points"] == facts["invalid_agreed"] == 153
    assert facts["agreed"] is True
    assert set(facts["sections"]) == {"Timeloop", "Timeloop, link transfers on"}


def test_a_difference_ends_with_one_and_both_breakdowns(folder, capsys):
    file = folder / "points_few.jsonl"
    file.write_text(file.read_text().replace('"reads":192', '"reads":193'))
    assert main(["validate", "timeloop", str(folder), "--show", "1"]) == 1
    shown = capsys.readouterr()
    assert "3 of 3 points differ" in shown.out
    assert "0 of 3" in shown.out
    line = next(x for x in shown.out.splitlines() if "buf/Weights/reads" in x)
    assert line.split() == ["buf/Weights/reads", "193", "192", "-1"]
    assert "2 more differ" in shown.err
    assert main(["validate", "timeloop", str(folder), "--json"]) == 1
    facts = json.loads(capsys.readouterr().out)
    assert facts["counts_exact"] == 0
    assert facts["differing"][0]["differences"][0]["expected"] == 193


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["timelop", "."], "did you mean 'timeloop'"),
        (["timeloop", "/nowhere/at/all"], "no such directory"),
        (["dosa", "/nowhere/at/all"], "no such directory"),
    ],
)
def test_bad_input_ends_with_two_and_one_message(arguments, message, capsys):
    assert main(["validate", *arguments]) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_a_plugin_brings_its_own_reference(distribution, capsys, tmp_path):
    distribution(
        "mine",
        """
        from cosearch.registry.registration import Registration, hookimpl
        from cosearch.validate.compare import Figure, Point
        from cosearch.validate.reference import Reference, Section


        class Squares(Reference):
            def read(self, path):
                points = [Point(str(n), str(path), n, {"n2": Figure("count", n * n)})
                          for n in range(4)]
                return (Section("squares", points, lambda n: {"n2": n ** 2}),)


        @hookimpl
        def cosearch_references():
            return [Registration("squares", Squares, "squares of numbers")]
        """,
    )
    assert main(["validate", "squares", str(tmp_path)]) == 0
    assert "4 of 4" in capsys.readouterr().out
