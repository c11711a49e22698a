"""Races that a file keeps, and the command that runs them."""

import math

import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import CosearchError
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


@pytest.mark.parametrize("line", ["{", "[]", '{"table": "x"}', '{"task": 1}'])
def test_a_file_of_something_else_is_refused_by_line(line, tmp_path):
    file = tmp_path / "races.jsonl"
    Kept(file).add("digest", FAR)
    with file.open("a") as end:
        end.write(line + "\n")
    with pytest.raises(CosearchError, match="line 2 of"):
        Kept(file)


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
