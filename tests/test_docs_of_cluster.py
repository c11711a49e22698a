"""What the page on clusters says is true: its blocks are run, one after the other."""

import re
import shlex
from pathlib import Path

from cosearch.cli import main

PAGE = (Path(__file__).parents[1] / "docs" / "cluster.md").read_text(encoding="utf-8")


def test_the_commands_work_one_after_the_other(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) > 3
    for line in lines:
        assert main(shlex.split(line)[2:]) == 0, (line, capsys.readouterr().err)
    assert "20 trials are done" in capsys.readouterr().out
