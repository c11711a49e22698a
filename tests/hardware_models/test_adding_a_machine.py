"""The page on adding a machine is true: its code runs, and is as short as it says."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from cosearch.errors import Infeasible
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import conv
from cosearch_hardware.drawing import svg
from cosearch_plugins.mappers.exact.mapper import ExactMapper

PAGE = Path(__file__).parents[2] / "docs/hardware/adding-a-machine.md"


BOOK = Path(__file__).parents[2] / "examples/your_own_accelerator.ipynb"
RULES = re.MULTILINE | re.DOTALL


@pytest.fixture(scope="module")
def code() -> str:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return block


def run(blocks, where):
    names = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, str(where), "exec"), names)
    return names


def test_the_page_on_cost_models_of_ones_own_runs_and_its_machine_conforms(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    page = PAGE.with_name("own-cost-model.md")
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), RULES)
    assert {"Lanes", "Widths", "Best", "machines"} <= set(run(blocks, page))


def test_the_notebook_runs_and_ends_with_a_comparison(code, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    book = json.loads(BOOK.read_text(encoding="utf-8"))
    cells = ["".join(c["source"]) for c in book["cells"] if c["cell_type"] == "code"]
    assert cells[0].strip() == code.strip()
    names = run(cells, BOOK)
    assert capsys.readouterr().out.strip().endswith(str(names["versus"]))


@pytest.fixture(scope="module")
def grid(code):
    names: dict[str, type] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    return names["Grid"]()


def test_less_than_sixty_lines(code):
    assert len(code.splitlines()) < 60


def test_the_machine_is_mapped_exactly_and_drawn(grid):
    machine = grid.build(grid.baseline)
    layer = conv("layer", K=32, C=16, P=14, Q=14, R=3, S=3)
    found = ExactMapper().map(machine, layer, OBJECTIVES[0], Budget(), np.random.default_rng(0))
    assert found.proven
    assert machine.area_mm2 > 0
    assert "scratchpad" in svg(machine.architecture)


def test_its_rule_refuses_with_the_reason(grid):
    with pytest.raises(Infeasible, match="512 PEs"):
        grid.build({"rows": 32, "columns": 32})
