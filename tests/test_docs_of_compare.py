"""What the page on comparisons says is true: its commands run, and the options it names exist."""

import re
import shlex
from pathlib import Path

import pytest

from cosearch.cli import main
from cosearch.compare.scores import WITHIN
from cosearch.compare.tuning import SEEDS
from cosearch.search.hypervolume import MARGIN

PAGE = (Path(__file__).parents[1] / "docs" / "compare.md").read_text(encoding="utf-8")


def commands(language):
    found = []
    for block in re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        found += [shlex.split(line.removeprefix("$ "))[1:] for line in block.splitlines()]
    return found


@pytest.mark.parametrize("words", commands("console"), ids=" ".join)
def test_its_commands_work(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")
    assert main([*words, "--workers", "1"]) == 0
    assert "tuned first" in capsys.readouterr().out


@pytest.mark.parametrize("words", commands("sh"), ids=" ".join)
def test_its_options_exist(words, capsys):
    assert main([words[0], "--help"]) == 0
    known = set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", capsys.readouterr().out))
    assert {word for word in words if word.startswith("-")} <= known


def test_its_numbers_are_the_codes():
    assert f"within {100 * WITHIN:.0f} % of the best known" in PAGE
    assert f"with {SEEDS} seeds and the budget of the comparison" in PAGE
    assert PAGE.count(f"{100 * (MARGIN - 1):.0f} % beyond the worst") == 2
