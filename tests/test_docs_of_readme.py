"""The README and the index: every command runs, every link leads somewhere."""

import re
import shlex
from pathlib import Path

import pytest

from cosearch.cli import main

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))


def commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            yield pytest.param(shlex.split(line.removeprefix("$ "))[1:], id=line)


def links():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                yield pytest.param(page.parent / target, id=f"{page.name}: {target}")


def targets():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"^make ([\w-]+)", text, re.MULTILINE)))


@pytest.mark.parametrize("arguments", list(commands()))
def test_commands_of_the_readme_work(arguments, capsys):
    assert main(arguments) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("target", list(links()))
def test_links_lead_somewhere(target):
    assert target.exists()


def test_what_the_readme_makes_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets() == ["demo", "test"]
    for target in targets():
        assert f"\n{target}: " in makefile


def test_every_page_is_in_the_index():
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        assert str(page.relative_to(ROOT / "docs")) in index or page.name == "README.md", page
