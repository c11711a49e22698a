"""What the pages on the command line and on plugins say is true: their blocks are run."""

import re
import shlex
from pathlib import Path

import pytest

from cosearch.cli import main
from cosearch.testing import CHECKS

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ("cli.md", "plugins.md")


def blocks(page, language):
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands():
    for page in PAGES:
        for block in blocks(page, "console"):
            for line in block.splitlines():
                if line.startswith("$ cosearch"):
                    yield pytest.param(shlex.split(line[2:])[1:], id=line[2:])


@pytest.mark.parametrize("arguments", list(commands()))
def test_commands_work(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")
    code = main(arguments)
    out, err = capsys.readouterr()
    assert code == 0, err
    assert out


def test_the_python_blocks_of_the_plugin_page_run_one_after_the_other():
    names = {"__name__": "page"}
    for block in blocks("plugins.md", "python"):
        exec(compile(block, "docs/plugins.md", "exec"), names)
    assert {"Square", "Acme", "Uniform", "registry"} <= set(names)


def test_the_strategy_of_the_plugin_page_keeps_its_contract():
    names = {"__name__": "page"}
    for block in blocks("plugins.md", "python"):
        exec(compile(block, "docs/plugins.md", "exec"), names)
    importable_only = {"another_process_agrees", "a_pickle_continues"}
    for check in CHECKS:
        if check.__name__ not in importable_only:
            check(names["Uniform"], {})
