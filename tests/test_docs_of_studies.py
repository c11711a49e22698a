"""What the page on studies says is true: its blocks are run, one after the other."""

import re
import shlex
from pathlib import Path

import pytest

from cosearch.cli import main
from cosearch.store.schema import APPLICATION, TABLES, VERSION

PAGE = (Path(__file__).parents[1] / "docs" / "studies.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")


def test_the_commands_work_one_after_the_other(capsys, tmp_path):
    lines = [line for block in blocks("console") for line in block.splitlines()]
    assert len(lines) > 5
    for line in lines:
        code = main(shlex.split(line)[2:])
        assert code == 0, (line, capsys.readouterr().err)
    assert (tmp_path / "first.csv").read_text().count("\n") == 1 + 1 + 20


def test_the_python_blocks_work():
    names = {"__name__": "page"}
    for block in blocks("python"):
        exec(compile(block, "docs/studies.md", "exec"), names)
    assert len(names["study"].trials) == 8
    executor = names["Reversed"](lambda design: -design, 1, None)
    assert list(executor.run([1, 2])) == [(2, -2), (1, -1)]


def test_every_table_and_column_is_described():
    assert f"{APPLICATION:#x}" in PAGE
    assert f"version of the tables, {VERSION};" in PAGE
    names = re.findall(
        r"^CREATE TABLE (\w+)|^    ([a-z_]+) (?:TEXT|REAL|INTEGER)", TABLES, re.MULTILINE
    )
    for table, column in names:
        name = table or column
        assert name in ("id", "position") or f"`{name}`" in PAGE, name
