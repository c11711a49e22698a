from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from cosearch.cli import main
from cosearch_plugins.landscape import table as module
from cosearch_plugins.landscape.table import machines_of

DATA = Path(__file__).parents[2] / "data" / "networks"
CELLS = f"nasbench201:table={DATA / 'nasbench201.csv'}+{DATA / 'nasbench201_latency.csv'}"
"""89 networks with accuracies and latencies."""


def test_devices(capsys) -> None:
    names = ["--device", "eyeriss_ms", "--device", "fpga_ms"]
    assert main(["networks", "decouple", CELLS, *names, "--floor", "94", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [v["loss"] for v in found] == [0.0, 0.0]
    assert {v["networks"] for v in found} == {89}


def test_devices_that_only_a_table_knows(capsys) -> None:
    names = ["--device", "eyeriss_ms", "--device", "raspi4_ms"]
    assert main(["networks", "decouple", "nasbench201", *names]) == 2
    assert "nasbench201:table=FILE" in capsys.readouterr().err


def test_machines_of_a_family(capsys, monkeypatch) -> None:
    """Two machines of many: the baseline and the last."""

    def two(problem):
        rows = machines_of(problem)
        base = problem.hardware.space.index(problem.hardware.baseline)
        return np.array([base, rows[-1]])

    monkeypatch.setattr(module, "machines_of", two)
    arguments = ["networks", "decouple", "nasbench201", "-H", "roofline", "--floor", "94"]
    assert main([*arguments, "--json"]) == 0
    (verdict,) = json.loads(capsys.readouterr().out)
    assert verdict["floor"] == 94.0
    assert verdict["loss"] >= 0.0
    assert verdict["networks"] == 15_625
