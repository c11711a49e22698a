"""What the page on network spaces says is true: its blocks are run, its figures are compared."""

import json
import re
import shlex
from pathlib import Path

import pytest

from cosearch.cli import main
from cosearch.hooks.discovery import load_registry
from cosearch_plugins.workloads.fitted_accuracy import shipped
from cosearch_plugins.workloads.nasbench201_accuracy import predicted_accuracy

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "networks.md").read_text(encoding="utf-8")
MEMORY = (DOCS / "memory.md").read_text(encoding="utf-8")
REGISTRY = load_registry(third_party=False)


def blocks(language, page=PAGE):
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def commands():
    both = "".join(blocks("console") + blocks("console", MEMORY)).splitlines()
    for line in dict.fromkeys(both):
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


@pytest.mark.parametrize("block", blocks("python"))
def test_python_blocks_run(block):
    exec(compile(block, "docs/networks.md", "exec"), {"__name__": "page"})


def test_every_space_is_on_the_page():
    table = PAGE.partition("| --- |")[2].partition("\n\n")[0]
    named = set(re.findall(r"^\| `([a-z0-9-]+)`", table, re.MULTILINE))
    assert named == set(REGISTRY.names("network_spaces"))


def test_the_errors_on_the_page_are_those_of_the_shipped_models():
    ofa, accel = (json.loads(shipped(f)) for f in ("ofa_mobilenetv3", "accel_nasbench"))
    for key in ("held_out", "farthest_fifth"):
        rmse, tau = ofa[key]["rmse"], ofa[key]["kendall"]
        assert re.search(rf"\| {rmse:.3f} \| [-+]?\d\.\d\d \| {tau:.3f} \|", PAGE)
    held, far = accel["held_out"], accel["farthest_fifth"]
    assert f"by {held['rmse']:.2f} points" in PAGE
    assert f"tau {held['kendall']:.2f}; the farthest fifth" in PAGE
    assert f"fifth {far['rmse']:.2f} and {far['kendall']:.2f})" in PAGE
    assert f"top1 = {ofa['ceiling']} - exp" in PAGE
    for name, dataset in (("CIFAR-10", "cifar10"), ("CIFAR-100", "cifar100"),
                          ("ImageNet16-120", "imagenet16-120")):  # fmt: skip
        model = predicted_accuracy(dataset)
        row = f"| {name} | {model.rmse:.2f} | {model.top_rmse:.2f} | {model.kendall:.2f} |"
        assert row in PAGE
        assert f"{model.networks:,} networks" in PAGE
