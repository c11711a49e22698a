import contextlib
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from cosearch.errors import CosearchError
from cosearch.store.store import Store
from cosearch.study.codesign import load_study

GEMM = "gemm:M=16,N=16,K=16"
RUN = ("run", GEMM, "-H", "toy", "--mapper-trials", 40)


@pytest.fixture
def terminal(cosearch, toy, monkeypatch, tmp_path):
    """Return a function that runs a command line that knows the toy, in an empty directory."""
    monkeypatch.delenv("COSEARCH_NO_PLUGINS")
    monkeypatch.chdir(tmp_path)
    return cosearch


def test_a_study_ends_with_a_report(terminal, tmp_path):
    result = terminal(*RUN, "--trials", 12)
    assert result.code == 0
    assert "12 trials are done" in result.out
    for heading in ("best design", "layers", "where the energy goes", "numbers from", "next"):
        assert heading in result.out
    for row in ("edp", "energy", "cycles", "area"):
        assert re.search(rf"^  {row} ", result.out, re.MULTILINE), row
    for name in ("pes", "buffer"):
        assert re.search(rf"^  ({name} |as in the baseline: .*{name} )", result.out, re.MULTILINE)
    assert "not proven" in result.out
    assert "a new study" in result.err
    assert (tmp_path / "cosearch.db").exists()


@pytest.mark.parametrize("width", [60, 80])
def test_no_line_of_a_report_is_wider_than_the_terminal(terminal, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    lines = terminal(*RUN, "--trials", 3).out.splitlines()
    pasted = [line for line in lines if "cosearch re" in line]
    assert pasted
    assert max(len(line) for line in lines if line not in pasted) <= width


def test_a_report_in_full_shows_every_source(terminal, tmp_path):
    brief = terminal(*RUN, "--trials", 3, "--study", "mine")
    full = terminal("report", "mine", "--full")
    assert "report mine --full" in brief.out
    assert "sources of the numbers" in full.out
    assert "sources of the numbers" not in brief.out


def test_the_report_names_the_command_that_prices_it_again(terminal):
    out = terminal(*RUN, "--trials", 6, "--store", "my lab.db").out
    (command,) = re.findall(r"cosearch (rescore .*)", out)
    assert command.endswith("--store 'my lab.db'")
    name = command.split()[1]
    again = terminal("rescore", name, "--store", "my lab.db")
    assert again.code == 0
    assert "agree with what is stored" in again.out


def test_json_is_one_object_with_everything(terminal):
    result = terminal(*RUN, "--trials", 8, "--json")
    facts = result.json()
    assert (result.code, facts["status"], facts["trials"]) == (0, "finished", 8)
    assert facts["best"]["disagreements"] == []
    assert facts["settings"]["seed"] == 0
    assert facts["best"]["layers"][0]["loops"]
    assert (
        facts["improvement"]["edp"]
        == facts["baseline"]["losses"]["edp"] / (facts["best"]["losses"]["edp"])
    )


def test_the_same_command_again_shows_the_report_of_the_finished_study(terminal):
    first, again = (terminal(*RUN, "--trials", 8) for _ in range(2))
    assert again.out == first.out
    assert "is finished" in again.err


def test_settings_reach_the_study(terminal):
    result = terminal(
        *RUN,
        "-s",
        "random",
        "-m",
        "evolutionary:population=8",
        "-o",
        "energy",
        "--seed",
        7,
        "--set",
        "pes=8",
        "--constraint",
        "area_mm2<=3",
        "--study",
        "mine",
        "--trials",
        5,
        "--batch",
        2,
        "--json",
    )
    settings = result.json()["settings"]
    assert settings == {
        "workload": GEMM,
        "hardware": "toy",
        "strategy": "random",
        "mapper": "evolutionary:population=8",
        "objectives": ["energy"],
        "constraints": ["area_mm2<=3"],
        "fixed": {"pes": 8},
        "seed": 7,
        "batch": 2,
        "mapper_evaluations": 40,
        "mapper_seconds": None,
        "warm": True,
        "scheme": "nested",
        "warm_start": "",
        "warm_start_digest": "",
        "held": True,
        "fuse": False,
        "fuse_most": 4,
        "prune": False,
        "bound": False,
        "combine": "network",
    }
    assert result.json()["best"]["configuration"]["pes"] == 8


def test_other_budgets_than_trials(terminal):
    assert terminal(*RUN, "--evaluations", 100, "--json").json()["evaluations"] >= 100
    facts = terminal(*RUN, "--seconds", 0, "--seed", 5, "--json").json()
    assert (facts["trials"], facts["status"]) == (0, "finished")


def test_several_objectives_show_a_front(terminal):
    result = terminal(*RUN, "-s", "toy-grid", "-o", "energy,area", "--trials", 30)
    assert result.code == 0
    assert "Pareto front" in result.out
    assert "hypervolume: the front dominates" in result.out


def test_workers_change_nothing_but_the_time(terminal):
    alone = terminal(*RUN, "--trials", 8, "--store", "a.db", "--json").json()
    many = terminal(*RUN, "--trials", 8, "--store", "b.db", "--workers", 2, "--json").json()
    for facts in (alone, many):
        facts.pop("seconds")
        facts.pop("facts")
    assert alone == many


def test_no_feasible_design_is_said_and_is_exit_code_1(terminal):
    result = terminal(*RUN, "--constraint", "area_mm2<=0.001", "--trials", 4)
    assert result.code == 1
    assert "no design is feasible" in result.out
    assert "misses by least" in result.out


def test_a_best_that_is_not_confirmed_is_exit_code_1(terminal):
    command = ("run", GEMM, "-H", "toy:fault=lie", "--set", "pes=4", "--mapper-trials", 40)
    result = terminal(*command, "--trials", 4)
    assert result.code == 1
    assert "not confirmed: gemm: the reference model says" in result.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("-H", "toi"), "there is no hardware model 'toi'"),
        (("-s", "evolutionar"), "there is no strategy 'evolutionar'"),
        (("-m", "exakt"), "there is no mapper 'exakt'"),
        (("-o", "edb"), "there is no objective 'edb'"),
        (("--set", "pes"), "is not NAME=VALUE"),
        (("--set", "pes=5"), "pes=5: is not one of 1, 2, 4"),
        (("--set", "size=5"), "there is no parameter 'size'"),
        (("--constraint", "area=10"), "is not NAME<=NUMBER"),
        (("--constraint", "aera<=10"), "there is no metric 'aera'"),
        (("--trials", "0"), "--trials"),
        (("--trials", "many"), "--trials"),
        (("--seed", "-1"), "--seed"),
        (("--executor", "clowd"), "there is no executor 'clowd'"),
        (("--store", "no/such/folder.db"), "cannot be opened"),
        (("-s", "evolutionary", "-o", "energy,latency"), "takes one objective"),
        (("-H", "toy:fault=odd"), "fault=odd: is not one of"),
    ],
)
def test_bad_input_is_one_message(terminal, change, said):
    result = terminal(*RUN, *change)
    assert result.code == 2
    assert said in result.err
    assert "Traceback" not in result.err


def test_an_unknown_workload_suggests_near_ones(terminal):
    result = terminal("run", "resnet81", "-H", "toy")
    assert result.code == 2
    assert "did you mean 'resnet18'" in result.err


def test_the_same_name_with_other_settings_is_refused(terminal):
    terminal(*RUN, "--trials", 4, "--study", "mine")
    result = terminal(*RUN, "--trials", 4, "--study", "mine", "--seed", 1)
    assert result.code == 2
    assert "the study 'mine' has other settings:\n  seed: 0, not 1" in result.err
    assert "cosearch resume mine" in result.err


def test_resume_takes_a_finished_study_further(terminal):
    terminal(*RUN, "--trials", 6, "--study", "part")
    longer = terminal("resume", "part", "--trials", 6, "--json").json()
    whole = terminal(*RUN, "--trials", 12, "--study", "whole", "--json").json()
    assert longer["trials"] == whole["trials"] == 12
    assert longer["best"] == whole["best"]


def test_resume_of_what_does_not_exist(terminal, tmp_path):
    assert "there is no store" in terminal("resume", "mine").err
    assert not (tmp_path / "cosearch.db").exists()
    terminal(*RUN, "--trials", 4, "--study", "mine")
    result = terminal("resume", "mien")
    assert result.code == 2
    assert "did you mean 'mine'" in result.err


SLOW = ("run", GEMM, "-H", "toy:fault=slow", "--mapper-trials", "40", "--study", "x")


@pytest.mark.parametrize(("kind", "workers"), [(signal.SIGINT, "1"), (signal.SIGTERM, "2")])
def test_an_interruption_keeps_the_best_and_says_how_to_go_on(
    terminal, toy, kind, workers, tmp_path
):
    command = [sys.executable, "-m", "cosearch", *SLOW, "--trials", "30", "--workers", workers]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        start_new_session=True,
    )
    wait_for_trials(tmp_path / "cosearch.db", 4, process)
    os.kill(process.pid, kind)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in err
    assert "best edp:" in out
    assert "continue: cosearch resume x" in out
    resumed = terminal("resume", "x", "--json").json()
    whole = terminal(*SLOW[:-1], "y", "--trials", 30, "--json").json()
    assert resumed["best"] == whole["best"]
    assert resumed["evaluations"] == whole["evaluations"]


def wait_for_trials(path, least, process):
    while process.poll() is None:
        with contextlib.suppress(CosearchError), Store(path, write=False) as store:
            if store.find("x") is not None and store.count("x") >= least:
                return
        time.sleep(0.02)
    raise AssertionError(process.communicate())


def test_a_broken_strategy_is_one_message_and_what_ended_is_stored(terminal, toy, tmp_path):
    result = terminal(
        "run", GEMM, "-H", "toy", "-s", "toy-grid:fault=tell", "--cold", "--study", "x"
    )
    assert result.code == 2
    told = "strategy 'toy-grid:fault=tell' of cosearch-toy 1.0 raised RuntimeError in tell: "
    assert f"{told}cannot learn" in result.err
    with Store(tmp_path / "cosearch.db", write=False) as store:
        assert len(load_study(store, toy, "x").trials) == 4


def test_a_study_starts_from_another_ones_trials(terminal, tmp_path):
    assert terminal(*RUN, "--trials", 6, "--study", "first").code == 0
    warm = (*RUN, "--trials", 4, "--seed", 1, "--study", "second", "--warm-start", "first")
    facts = terminal(*warm, "--json").json()
    assert facts["settings"]["warm_start"] == "first"
    with Store(tmp_path / "cosearch.db", write=False) as store:
        known, new = ({t.row for t in store.trials(name)} for name in ("first", "second"))
    assert not known & new - {()}


def test_a_warm_start_that_cannot_be_is_one_clear_message(terminal):
    terminal(*RUN, "--trials", 4, "--study", "first")
    unknown = terminal(*RUN, "--warm-start", "fisrt")
    assert unknown.code == 2
    assert "first" in unknown.err
    other = terminal(*RUN, "-o", "energy", "--warm-start", "first")
    assert other.code == 2
    assert "objectives: edp, not energy" in other.err
    assert "Traceback" not in unknown.err + other.err


def test_the_trials_a_study_started_from_may_not_change(terminal):
    terminal(*RUN, "--trials", 4, "--study", "first")
    terminal(*RUN, "--trials", 4, "--study", "second", "--seed", 1, "--warm-start", "first")
    terminal("resume", "first", "--trials", 2)
    again = terminal("resume", "second", "--trials", 2)
    assert again.code == 2
    assert "'first', which this one started from, has other trials since" in again.err


def test_cheap_judgements_are_counted_by_what_they_come_to(terminal):
    command = ("run", "alexnet", "-H", "toy", "-s", "hyperband", "--mapper-trials", 20)
    out = terminal(*command, "--trials", 8, "--study", "cheap").out
    judged, worth = re.search(
        r"(\d+) trials are done, worth ([\d.]+) of 8 whole ones", out
    ).groups()
    assert int(judged) > 8 >= float(worth) - 1
    assert re.search(rf"^cheap +finished +{worth}\d* +8 ", terminal("studies").out, re.MULTILINE)
    lines = terminal("export", "cheap").out.splitlines()
    assert lines[0].endswith(",fidelity")
    assert len({line.rpartition(",")[2] for line in lines[1:]}) == 3
    assert "is finished" in terminal(*command, "--trials", 8, "--study", "cheap").err


def test_hardware_and_mappings_in_one_loop(terminal):
    out = terminal(*RUN, "--trials", 12, "--scheme", "joint").out
    assert re.search(r"^  pes +\d+ +\d+", out, re.MULTILINE)
    assert ": tile" not in out
    assert (
        "kernel and reference model agree"
        in terminal("rescore", re.search(r"cosearch rescore (\S+)", out)[1]).out
    )


def test_a_semi_decoupled_study_says_what_its_validity_rests_on(terminal):
    command = ("run", GEMM, "-H", "systolic", "-s", "random", "--scheme", "semi-decoupled")
    assert "rank correlation" in terminal(*command, "--trials", 4).out
    facts = terminal(*command, "--trials", 4, "--json").json()["agreement"]
    assert facts["least"] <= facts["mean"] <= 1
