"""Every system of the field as a user meets it: listed, run, compared, reported, and checked."""

import pytest

from cosearch.cli import main
from cosearch.hooks.discovery import load_registry
from cosearch_plugins.kit.check import check_named
from cosearch_plugins.workloads import analog_nasbench

REGISTRY = load_registry(third_party=False)
SMALL = "gemm:M=4,N=8,K=8"
SYSTEMS = {
    "crossbar": (SMALL, "crossbar", "random", "latency"),
    "roofline": (SMALL, "roofline", "grid", "latency"),
    "split": (SMALL, "split:cuts=1,mbps=5/20", "random", "latency"),
    "arm-cpu": (SMALL, "arm-cpu", "random", "latency"),
    "tabular-q": (SMALL, "arm-cpu:choice=tabular-q,episodes=9", "random", "latency"),
    "spiking": ("spiking-mlp:sizes=9-7-5,steps=3", "spiking", "random", "latency,energy"),
    "slots": (SMALL, "vta:slots=LLCS", "evolutionary", "latency"),
    "early-exits": ("early-exits", "split:cuts=11", "discrete-sac", "latency"),
    "peak-memory": ("nasbench201", "roofline", "nsga2", "error,peak_memory"),
}


QUICK = {"spiking", "early-exits"}
"""Each takes a second; the others are as fast, and many."""


@pytest.mark.parametrize(
    "system",
    [s if s in QUICK else pytest.param(s, marks=pytest.mark.exhaustive) for s in SYSTEMS],
)
def test_a_system_runs_compares_and_reports(system, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    workload, hardware, strategy, objective = SYSTEMS[system]
    common = ["-H", hardware, "-s", strategy, "-o", objective, "--workers", "1", "--store", "s.db"]
    trials = "8" if strategy == "evolutionary" else "2"
    assert main(["run", workload, *common, "--study", "one", "--trials", trials]) == 0
    assert main(["report", "one", "--store", "s.db", "--html", "one.html"]) == 0
    compared = ["compare", workload, *common, "-s", "sobol", "--trials", trials, "--seeds", "1"]
    assert main([*compared, "--report", "two.html"]) == 0
    assert capsys.readouterr().out
    for page in ("one.html", "two.html"):
        assert strategy in (tmp_path / page).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["crossbar", "roofline", "split", "arm-cpu", "spiking", "spiking-mlp", "early-exits"]
)
def test_a_system_passes_its_check(name):
    assert not [found.why for found in check_named(REGISTRY, name) if found.why]


def test_all_are_listed(capsys):
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    named = ("crossbar", "roofline", "split", "arm-cpu", "spiking", "vta", "early-exits")
    named += ("analog-nasbench", "discrete-sac", "spiking-mlp", "peak_memory", "anytime")
    assert all(f"\n  {name} " in listed for name in named)


def test_network_and_crossbar_are_searched_by_the_error_after_drift(tmp_path, monkeypatch, capsys):
    """On accuracies made up here, as the package that measured them may not be installed."""
    monkeypatch.chdir(tmp_path)
    table = {state: analog_nasbench.np.linspace(10, 90, 15_625) for state in analog_nasbench.STATES}
    monkeypatch.setattr(analog_nasbench, "data_file", lambda: tmp_path / "none")
    monkeypatch.setattr(analog_nasbench, "accuracies", lambda _: table)
    arguments = ["run", "analog-nasbench:state=analog-30days", "-H", "crossbar", "-s", "random"]
    arguments += ["-o", "error,latency", "--workers", "1", "--trials", "2", "--store", "s.db"]
    assert main(arguments) == 0
    assert "state analog-30days" in " ".join(capsys.readouterr().out.split())
