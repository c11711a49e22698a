"""What the pages on the cost model, evaluation and validation say is true: their blocks are run."""

import re
import shlex
from pathlib import Path

import pytest

from cosearch.cli import main
from cosearch.machine.architecture import CostRules

ROOT = Path(__file__).parents[1]
PAGES = ("evaluate.md", "validation.md", "cost-model.md")


def blocks(page, language):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands():
    for page in PAGES:
        for block in blocks(page, "console"):
            for line in block.splitlines():
                if line.startswith("$ cosearch"):
                    yield pytest.param(shlex.split(line[2:])[1:], id=line[2:])


@pytest.mark.parametrize("arguments", list(commands()))
def test_commands_work(arguments, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert main(arguments) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_run_one_after_the_other(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    names = {"__name__": "page"}
    for block in blocks(page, "python"):
        exec(compile(block, f"docs/{page}", "exec"), names)


def test_every_setting_is_explained():
    text = (ROOT / "docs" / "cost-model.md").read_text(encoding="utf-8")
    for name in CostRules.__annotations__:
        assert f"| `{name}` |" in text
