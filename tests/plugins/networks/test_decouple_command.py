from __future__ import annotations

import json

import numpy as np

from cosearch.cli import main
from cosearch_plugins.landscape import table as module
from cosearch_plugins.landscape.table import machines_of


def test_devices(capsys) -> None:
    names = ["--device", "eyeriss_ms", "--device", "fpga_ms"]
    assert main(["networks", "decouple", "nasbench201", *names, "--floor", "94", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [v["loss"] for v in found] == [0.0, 0.0]


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
