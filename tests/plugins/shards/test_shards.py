"""A study run in parts and merged is the study of one run, digit by digit."""

import json

import pytest

from cosearch.cli import main

RUN = ("run", "gemm:M=16,N=16,K=16", "-H", "systolic", "-m", "random", "--mapper-trials", "5",
       "--workers", "1", "--quiet")  # fmt: skip
CLOCKS = {"begun", "seconds", "think_seconds", "note"}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")


def run(strategy, store, trials, *more):
    args = (*RUN, "-s", strategy, "--store", store, "--trials", str(trials), *more)
    assert main([*args, "--study", "one"]) in (0, 1)


def parts(strategy, count, trials, *more):
    stores = [f"{i}.db" for i in range(count)]
    for i, store in enumerate(stores):
        mine = len(range(i, trials, count))
        run(f"shard:of={strategy},part={i},parts={count}", store, mine, *more)
    return stores


def exported(store, capsys):
    capsys.readouterr()
    assert main(["export", "one", "--format", "json", "--store", store]) == 0
    return timeless(json.loads(capsys.readouterr().out))


def timeless(value):
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in CLOCKS}
    return [timeless(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("strategy", "count", "trials", "batch"),
    [("random", 4, 20, 1), ("random", 3, 10, 4), ("sobol", 2, 9, 2), ("grid", 4, 12, 3)],
)
def test_parts_make_up_the_study_of_one_run(strategy, count, trials, batch, capsys):
    more = ("--batch", str(batch))
    run(strategy, "whole.db", trials, *more)
    stores = parts(strategy, count, trials, *more)
    assert main(["merge", *reversed(stores), "--output", "merged.db", "--study", "one"]) == 0
    merged = exported("merged.db", capsys)
    assert merged == exported("whole.db", capsys)
    assert len(merged["trials"]) == trials + 1


def test_what_is_merged_goes_on_as_the_one_run(capsys):
    run("random", "whole.db", 12)
    assert main(["merge", *parts("random", 2, 8), "--output", "merged.db", "--study", "one"]) == 0
    assert main(["resume", "one", "--store", "merged.db", "--trials", "4", "--quiet"]) in (0, 1)
    assert exported("merged.db", capsys)["trials"] == exported("whole.db", capsys)["trials"]


def test_gaps_are_filled_by_resuming(capsys):
    run("random", "whole.db", 8)
    first, _ = parts("random", 2, 8)
    run("shard:of=random,part=1,parts=2", "short.db", 2)
    assert main(["merge", first, "short.db", "--output", "merged.db", "--study", "one"]) == 0
    assert exported("merged.db", capsys)["status"] == "interrupted"
    assert main(["resume", "one", "--store", "merged.db", "--trials", "1", "--quiet"]) in (0, 1)
    merged = exported("merged.db", capsys)["trials"]
    assert merged[:8] == exported("whole.db", capsys)["trials"][:8]


def test_parts_that_do_not_fit_are_refused(capsys):
    stores = parts("random", 2, 4)
    run("random", "plain.db", 2)
    run("shard:of=sobol,part=1,parts=2", "other.db", 2)
    run("shard:of=random,part=0,parts=1", "bounded.db", 2, "--bound")
    for given, told in (
        (stores[:1], "lack 1 of 2 parts"),
        (("plain.db",), "no study of a part"),
        ((stores[0], "other.db"), "are not of one study"),
        (("bounded.db",), "pruned, bounded or"),
        (("nowhere.db",), "nowhere.db"),
    ):
        assert main(["merge", *given, "--output", "merged.db"]) == 2
        assert told in capsys.readouterr().err
    assert main(["merge", *stores, "--output", "plain.db", "--study", "one"]) == 2
    assert "already" in capsys.readouterr().err
    assert main([*RUN, "-s", "shard:part=2,parts=2"]) == 2
    assert "no part 2 of 2" in capsys.readouterr().err
