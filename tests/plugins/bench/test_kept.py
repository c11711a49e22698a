"""Races that a file keeps, and the command that runs them."""

import json
import math

import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import InputError
from cosearch_plugins.bench.kept import Kept, at
from cosearch_plugins.bench.races import Race, beaten, race
from cosearch_plugins.bench.tables import table_of
from cosearch_plugins.bench.tasks import task

FAR = Race("gemmini", "random", 3, math.inf, (5, 50), (math.inf, 0.25), 50, 9, 0.5)


def test_a_file_gives_back_what_was_added_and_the_longer_of_two(tmp_path):
    file = tmp_path / "races.jsonl"
    kept = Kept(file)
    kept.add("digest", FAR)
    assert Kept(file).find("digest", "random", 3, (5, 50)) == FAR
    assert Kept(file).find("other", "random", 3, (5, 50)) is None
    assert Kept(file).find("digest", "random", 4, (5, 50)) is None
    longer = evolve(FAR, budgets=(5, 50, 90), regrets=(math.inf, 0.25, 0.0), designs=80, hit=80.0)
    kept.add("digest", longer)
    kept.add("digest", FAR)
    assert Kept(file).of("digest") == [longer]


def test_a_race_is_known_at_budgets_it_was_run_to():
    assert at(FAR, (5, 50)) == FAR
    assert at(FAR, (5,)).regrets == (math.inf,)
    assert math.isnan(at(FAR, (5, 50, 100)).regrets[-1])
    assert math.isnan(at(FAR, (20,)).regrets[0])
    ended = evolve(FAR, designs=40, regrets=(0.5, 0.0), hit=39.0)
    assert at(ended, (5, 40, 1000)).regrets == (0.5, 0.0, 0.0)
    assert math.isnan(at(ended, (20,)).regrets[0])
    assert at(ended, (5,)).hit == math.inf


def facts(**changed):
    race = {"table": "x", "task": "gemmini", "strategy": "random", "seed": 0, "hit": None}
    race |= {"budgets": [5, 9], "regrets": [None, 0.5], "designs": 9, "feasible": 3, "cpu_s": 0.1}
    return race | changed


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[]", "no object"),
        ('{"table": "x"}', "budgets is missing"),
        ("[" * 100_000, "deep"),
        (b"\xff", "not UTF-8"),
        (facts(budgets=[], regrets=[]), "budgets ascend"),
        (facts(budgets=[9, 5]), "budgets ascend"),
        (facts(budgets=[5, True]), "budgets ascend"),
        (facts(regrets=[0.5]), "a regret for each"),
        (facts(regrets=[0.5, "0"]), "'0' is no finite number"),
        (facts(regrets=[0.5, math.nan]), "nan is no finite number"),
        (facts(hit="soon"), "'soon' is no finite number"),
        (facts(hit=10**400), "too large"),
        (facts(cpu_s=None), "None is no finite number"),
        (facts(designs=0, feasible=0), "designs are the more"),
        (facts(feasible=10), "designs are the more"),
        (facts(seed="0"), "seed, designs"),
        (facts(strategy=["random"]), "are texts"),
        (facts(table="\ud800"), "are texts"),
        (facts(colour="red"), "colour"),
    ],
)
def test_a_file_of_something_else_is_refused_by_line(line, said, tmp_path):
    file = tmp_path / "races.jsonl"
    Kept(file).add("digest", FAR)
    line = json.dumps(line) if isinstance(line, dict) else line
    with file.open("ab") as end:
        end.write((line.encode() if isinstance(line, str) else line) + b"\n")
    with pytest.raises(InputError, match=said) as refused:
        Kept(file)
    assert refused.value.source == f"{file}:2"
    assert refused.value.hint == ""


def test_the_facts_that_are_changed_above_are_of_a_race(tmp_path):
    file = tmp_path / "races.jsonl"
    file.write_text(json.dumps(facts()) + "\n")
    assert Kept(file).find("x", "random", 0, (5, 9)).regrets == (math.inf, 0.5)


def test_a_line_that_was_cut_off_is_said_to_be_deleted(tmp_path):
    file = tmp_path / "races.jsonl"
    Kept(file).add("digest", FAR)
    file.write_bytes(file.read_bytes() * 2)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(InputError) as refused:
        Kept(file)
    assert refused.value.source == f"{file}:2"
    assert "delete that line" in refused.value.hint


def test_a_race_begins_a_line_where_the_last_one_does_not_end(tmp_path):
    file = tmp_path / "races.jsonl"
    Kept(file).add("digest", FAR)
    file.write_bytes(file.read_bytes().rstrip(b"\n"))
    kept = Kept(file)
    for seed in (4, 5):
        kept.add("digest", evolve(FAR, seed=seed))
    assert [race.seed for race in Kept(file).of("digest")] == [3, 4, 5]
    assert file.read_bytes().count(b"\n") == 3


def test_a_race_to_other_budgets_is_found_beside_a_longer_one(tmp_path):
    file = tmp_path / "races.jsonl"
    kept = Kept(file)
    kept.add("digest", evolve(FAR, budgets=(50, 1000), regrets=(0.25, 0.0), designs=900, hit=70))
    kept.add("digest", evolve(FAR, budgets=(50, 60), regrets=(0.25, 0.125), designs=60))
    for each in (kept, Kept(file)):
        assert each.find("digest", "random", 3, (50, 60)).regrets == (0.25, 0.125)
        assert each.find("digest", "random", 3, (50, 1000)).regrets == (0.25, 0.0)
        (race,) = each.of("digest")
        assert (race.budgets, race.designs, race.hit) == ((50, 60, 1000), 900, 70)


def test_a_race_to_sixty_beside_a_longer_one_is_run_once(bench, tmp_path):
    file = tmp_path / "races.jsonl"
    for trials in (200, 60, 60):
        given = ("-t", "vta", "-s", "random", "--seeds", 1, "--trials", trials)
        assert bench(*given, "--runs", file).code == 0
    assert len(file.read_text().splitlines()) == 2


def test_races_of_another_table_are_counted(bench, tmp_path):
    file = tmp_path / "races.jsonl"
    Kept(file).add("another", FAR)
    told = bench("-t", "gemmini", "--runs", file)
    assert "1 race is of another table of gemmini, and left out" in " ".join(told.err.split())
    assert "no races" in told.out
    assert "another table" not in bench("-t", "vta", "--runs", file).err


def test_a_folder_that_is_not_there_is_said_before_any_race(bench, tmp_path, monkeypatch):
    monkeypatch.setattr("cosearch_plugins.bench.races.race", None)
    told = bench("-t", "gemmini", "-s", "random", "--runs", tmp_path / "none" / "races.jsonl")
    assert (told.code, "there is no folder" in told.err) == (2, True)


def test_a_shorter_race_is_the_longer_one_cut(registry):
    """By which a race of 1,000 designs answers for 50."""
    table, named = table_of(task("gemmini"), registry), registry.find("strategies", "random")
    whole = race("gemmini", table, named, 1, (20, 40, 400))
    short = race("gemmini", table, named, 1, (20, 40))
    assert whole.designs > 40
    assert at(whole, (20, 40)).regrets == short.regrets
    assert at(whole, (20, 40)).hit == short.hit


def test_who_was_not_run_so_far_is_not_judged():
    runs = [
        Race("t", name, seed, 1.0, (9,), (regret,), 9, 9, 0.0)
        for seed in range(20)
        for name, regret in (("a", seed / 1e3), ("b", 1.0 + seed), ("c", np.nan))
    ]
    assert beaten(runs, 0) == {"a": False, "b": True, "c": False}
    assert beaten(runs[2::3], 0) == {"c": False}


def test_races_that_a_file_keeps_are_not_run_again(bench, tmp_path, monkeypatch):
    file = tmp_path / "races.jsonl"
    given = ("-t", "gemmini", "--runs", file, "--trials", 60)
    first = bench("-s", "random", "-s", "sobol+build", "--seeds", 2, *given)
    assert first.code == 0
    assert "sobol+build" in first.out
    assert len(file.read_text().splitlines()) == 4
    monkeypatch.setattr("cosearch_plugins.bench.races.race", None)
    assert bench("-s", "random", "-s", "sobol+build", "--seeds", 2, *given).out == first.out
    assert bench(*given).out == first.out
    found = bench(*given, "--json").json()
    assert [each["strategy"] for each in found] == ["random"] * 2 + ["sobol+build"] * 2
    assert all(each["budgets"] == [50, 60] for each in found)


def test_a_race_that_is_stopped_keeps_what_ended(bench, tmp_path, monkeypatch):
    file, seeds = tmp_path / "races.jsonl", []

    def two(*given, **options):
        seeds.append(given[3])
        if len(seeds) == 3:
            raise KeyboardInterrupt
        return race(*given, **options)

    monkeypatch.setattr("cosearch_plugins.bench.races.race", two)
    given = ("-t", "gemmini", "-s", "random", "--trials", 20, "--runs", file)
    stopped = bench(*given)
    assert stopped.code == 130
    assert f"races that ended are in {file}" in " ".join(stopped.err.split())
    assert len(file.read_text().splitlines()) == 2


def test_what_cannot_be_raced_is_said(bench, tmp_path):
    assert "there is no file" in bench("--runs", tmp_path / "none.jsonl").err
    assert "--help" in (wrong := bench("-t", "gemini")).err or "gemmini" in wrong.err
    assert "random" in bench("-s", "randm", "-t", "gemmini").err
    assert "neither +prune nor +build" in bench("-s", "random+x", "-t", "gemmini").err
    left_out = bench("-s", "cmaes", "-t", "front", "--seeds", 1)
    assert "takes one objective" in left_out.err
    assert "no races" in left_out.out
