"""What the pages on hardware say is true: their commands run, what they name is there."""

import re
import shlex
from pathlib import Path

import pytest

from cosearch.cli import main
from cosearch.hooks.discovery import load_registry

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs/hardware").glob("*.md"))
REGISTRY = load_registry(third_party=False)
MACHINES = ("eyeriss", "gemmini", "nvdla", "simba", "systolic", "vta")


def commands(program):
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                words = shlex.split(line.removeprefix("$ "))
                if words[0] == program:
                    yield pytest.param(words[1:], id=f"{page.stem}: {line}")


@pytest.mark.parametrize("arguments", list(commands("cosearch")))
def test_commands_work(arguments, monkeypatch, capsys):
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")
    if arguments[0] not in {"show", "list"}:
        arguments = [*arguments, "--help"]
    code = main(arguments)
    out, err = capsys.readouterr()
    assert code == 0, err
    assert out


@pytest.mark.parametrize("arguments", list(commands("python")))
def test_scripts_are_there(arguments):
    assert all((ROOT / name).exists() for name in arguments if not name.startswith("-"))


@pytest.mark.parametrize("name", MACHINES)
def test_every_machine_has_a_page_with_its_drawing_and_parameters(name):
    page = (ROOT / f"docs/hardware/{name}.md").read_text(encoding="utf-8")
    assert f"({name}.svg)" in page
    model = REGISTRY.find("hardware_models", name).make()
    for parameter in model.space.names:
        assert f"`{parameter}`" in page


def test_every_technology_is_on_the_page():
    page = (ROOT / "docs/hardware/technologies.md").read_text(encoding="utf-8")
    for name in REGISTRY.names("technologies"):
        assert re.search(rf"^\| `{name}[`:]", page, re.MULTILINE), name
