"""The page of fused mapping: its commands run, on shorter sequences, and what it names is there."""

import re
import shlex
from pathlib import Path

import pytest

from cosearch.cli import main

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/fusion.md").read_text(encoding="utf-8")
COMMANDS = [line for line in PAGE.splitlines() if line.startswith("cosearch ")]


@pytest.mark.parametrize("kind", ["map", pytest.param("run", marks=pytest.mark.exhaustive)])
def test_its_commands_run(kind, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")
    given = [shlex.split(line)[1:] for line in COMMANDS if "machine.yaml" not in line]
    chosen = [arguments for arguments in given if arguments[0] == kind]
    assert chosen
    for _, network, *rest in chosen:
        few = ["--trials", "1"] if kind == "run" else []
        short = f"{network.partition(':')[0]}:sequence=16"
        assert main([kind, short, *rest, *few]) == 0
        assert "together" in capsys.readouterr().out


def test_what_it_names_is_there():
    paths = re.findall(r"`(?:python )?((?:tests|benchmarks)/[\w/.]+)`", PAGE)
    assert len(paths) >= 3
    for path in paths:
        assert (ROOT / path).exists()
