"""What the page on workloads says is true: its blocks are run, its table is compared."""

import re
import shlex
from pathlib import Path

import pytest

from cosearch.cli import main
from cosearch.hooks.discovery import load_registry
from cosearch.workload.source import resolve

PAGE = (Path(__file__).parents[1] / "docs" / "workloads.md").read_text(encoding="utf-8")
REGISTRY = load_registry(third_party=False)
UNITS = {"M": 1e6, "G": 1e9}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def commands():
    for line in "".join(blocks("console")).splitlines():
        yield pytest.param(shlex.split(line.removeprefix("$ "))[1:], id=line)


def library():
    section = PAGE.partition("## The library")[2].partition("\n## ")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 5:
            yield cells


@pytest.mark.parametrize("arguments", list(commands()))
def test_commands_work(arguments, monkeypatch, capsys):
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")
    code = main(arguments)
    out, err = capsys.readouterr()
    assert code == 0, err
    assert out


@pytest.mark.parametrize("block", blocks("python"))
def test_python_blocks_run(block):
    exec(compile(block, "docs/workloads.md", "exec"), {"__name__": "page"})


def test_the_yaml_block_is_a_workload(tmp_path):
    (block,) = blocks("yaml")
    path = tmp_path / "net.yaml"
    path.write_text(block)
    network = resolve(str(path), REGISTRY)
    assert [(layer.name, layer.count) for layer in network.layers] == [
        ("conv1", 1),
        ("projection", 4),
        ("scores", 1),
        ("values", 1),
    ]
    assert [(link.producer, link.consumer) for link in network.links] == [(2, 3)]


@pytest.mark.parametrize("cells", list(library()), ids=lambda cells: cells[0])
def test_the_table_of_the_library_is_right(cells):
    first, options, macs, parameters, _ = cells
    names = re.findall(r"`([^`]+)`", first)
    stem = names[0].rpartition("-")[0] if names[-1].startswith("-") else ""
    for name in (stem + n if n.startswith("-") else n for n in names):
        network = resolve(name, REGISTRY)
        if parameters:
            assert f"{network.parameters:,}" == parameters
        if macs:
            number, unit = macs.split()
            places = len(number.partition(".")[2])
            assert f"{network.macs / UNITS[unit]:.{places}f}" == number
    declared = REGISTRY.find("workloads", names[0]).target.options
    for option, default in re.findall(r"`(\w+)`(?:, `\w+`)? \(`?([^`)]+)`?\)", options):
        if "for the last" not in options:
            assert str(declared[option].default) == default


def test_the_table_names_every_workload():
    named = set()
    for first, *_ in library():
        names = re.findall(r"`([^`]+)`", first)
        stem = names[0].rpartition("-")[0] if names[-1].startswith("-") else ""
        named |= {stem + n if n.startswith("-") else n for n in names}
    assert named == set(REGISTRY.names("workloads"))
