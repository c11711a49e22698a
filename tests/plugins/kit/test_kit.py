import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from cosearch.cli import main
from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry
from cosearch.mapping.mapper import Mapped, Mapper
from cosearch.testing import ConformanceError
from cosearch_plugins.kit.check import check_named, check_readers
from cosearch_plugins.kit.checks import machines, others
from cosearch_plugins.kit.scaffold import scaffold
from cosearch_plugins.kit.templates import KINDS

ROOT = Path(__file__).parents[3]


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Return a function that scaffolds a package and finds it as if it were installed."""

    def make(kind, name=None, change=lambda text: text):
        name = name or f"made-{kind}"
        module = name.replace("-", "_")
        scaffold(name, kind, tmp_path / name)
        source = tmp_path / name / "src"
        code = source / module / "__init__.py"
        code.write_text(change(code.read_text()))
        info = source / f"{module}-0.1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: cosearch-{name}\nVersion: 0\n"
        )
        (info / "entry_points.txt").write_text(f"[cosearch]\n{module} = {module}\n")
        monkeypatch.syspath_prepend(str(source))
        monkeypatch.setenv("PYTHONPATH", str(source))
        importlib.invalidate_caches()
        sys.modules.pop(module, None)
        return load_registry(third_party=True), name

    return make


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"reader"}))
def test_a_scaffold_conforms_as_it_is(made, kind):
    registry, name = made(kind)
    found = check_named(registry, name)
    assert found
    assert [(checked.check, checked.why) for checked in found if checked.why] == []


def test_a_readers_scaffold_reads_its_own_files_and_passes_on_others(made, tmp_path):
    registry, _ = made("reader")
    assert [each.why for each in check_readers(registry)] == [""]
    assert [each.why for each in check_named(registry, "made-reader")] == [""]
    path = tmp_path / "net.made_reader"
    path.write_text("a 2 3 4\nb 5 6 7\n")
    network = registry.manager.hook.cosearch_read_workload(path=path, sizes={})
    assert [layer.macs for layer in (x.einsum for x in network.layers)] == [24, 210]


DEF = "    def explain"
HUGE = "np.full(len(rows), 1e12), np.zeros(len(rows))"
REFUSED = """\
        if configuration.get("lanes") == 4:
            raise Infeasible("no", {"lanes": 0.5})
"""
MUTATIONS = {
    "explain": ("energy, cycles = float(costs", "energy, cycles = 2 * float(costs"),
    "key": ("{self.lanes} {self.words}", ""),
    "batch": ("far = 3.0 * layer.macs / tile", "far = 3.0 * layer.macs / tile + len(rows)"),
    "state": ("np.where(ok, energy, np.inf)", "np.where(ok, energy * np.random.rand(), np.inf)"),
    "rows": ("needed = 3.0 * tile\n", "needed = 3.0 * tile\n        rows[:] = 0\n"),
    "excess": ("np.maximum(1.0, needed / self.words)", "np.ones(len(rows))"),
    "reason": ('"the tile does not fit the scratchpad"', '" "'),
    "area": ("self.area_mm2 = 0.002", "self.area_mm2 = -0.002"),
    "sources": ("self.sources = {", "self.sources = {} and {"),
    "clock": ("clock_mhz = 500.0", "clock_mhz = -1.0"),
    "cycles": ("np.where(ok, cycles, np.inf)", "np.where(ok, 0.0, np.inf)"),
    "utilization": ("min(1.0, used)", "1.5"),
    "levels": ("compute, levels,", "compute, (),"),
    "floor": (DEF, f"    def floor(self, layer):\n        return 1e12, 0.0\n\n{DEF}"),
    "floor of many": (
        "    def build",
        "    def floor_over(self, choices, layer):\n        return 1e12, 0.0\n\n    def build",
    ),
    "bounds": (DEF, f"    def bounds(self, layer, rows):\n        return {HUGE}\n\n{DEF}"),
    "margin": ("        return Machine(**", f"{REFUSED}        return Machine(**"),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_machine_that_breaks_its_contract_is_caught(made, mutation):
    old, new = MUTATIONS[mutation]

    def change(text):
        assert old in text
        return text.replace(old, new)

    registry, name = made("accelerator", f"broken-{mutation.replace(' ', '-')}", change)
    wrong = [checked for checked in check_named(registry, name) if checked.why]
    assert wrong
    assert all(len(checked.why) > 10 for checked in wrong)


def test_the_machines_that_ship_conform_on_a_sample():
    registry = load_registry(third_party=False)
    for name in ("tinycore", "vta"):
        if name in registry.entries["hardware_models"]:
            model = registry.find("hardware_models", name).make()
            machines.explanations_are_prices(model)
            machines.baseline_is_a_machine(model)
    machines.floors_of_many_are_of_each(registry.find("hardware_models", "systolic").make())


class First(Mapper):
    """Claims that the first mapping is the best."""

    uses_rng = False

    def __init__(self, **changes):
        self.changes = changes

    def map(self, accelerator, layer, *_):
        row = np.zeros(len(accelerator.mapspace(layer).cardinalities), dtype=np.int64)
        costs = accelerator.evaluate(layer, row[None])
        mapped = Mapped(row, float(costs.energy_pj[0]), float(costs.cycles[0]), proven=True)
        return evolve(mapped, **self.changes)


def test_a_false_proof_is_caught_by_trying_every_mapping(made):
    registry, name = made("accelerator")
    model = registry.find("hardware_models", name).make()
    machine = model.build(model.baseline)
    with pytest.raises(ConformanceError, match="is claimed to be proven best"):
        others.mappers_claim_what_is_so(First(), machine)
    others.mappers_claim_what_is_so(First(proven=False), machine)


def test_a_name_or_a_folder_that_cannot_be(tmp_path):
    with pytest.raises(CosearchError, match="cannot be a plugin's name"):
        scaffold("No Name", "strategy", tmp_path / "x")
    with pytest.raises(CosearchError, match="exists already"):
        scaffold("fine", "strategy", tmp_path)


def test_the_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")
    assert main(["plugin", "new", "my-work", "--kind", "workload"]) == 0
    assert "wrote cosearch-my-work/pyproject.toml" in capsys.readouterr().out
    assert main(["plugin", "check", "no-such"]) == 2
    assert "there is no plugin 'no-such'" in capsys.readouterr().err
    assert main(["plugin", "check", "resnet18", "--json"]) == 0
    assert [each["why"] for each in json.loads(capsys.readouterr().out)] == ["", ""]


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", KINDS)
def test_a_scaffold_passes_installed_from_its_wheel(tmp_path, kind):
    """As the README of the scaffold says, with cosearch itself from its wheel."""
    uv = ROOT / ".tools" / "uv"
    name = f"made-{kind}"
    scaffold(name, kind, tmp_path / name)
    python = tmp_path / "venv" / "bin" / "python"
    for words in (
        ("venv", "-q", "--python", sys.executable, tmp_path / "venv"),
        ("build", "-q", "--wheel", "-o", tmp_path / "dist", ROOT),
        ("pip", "install", "-q", "--python", python, "--find-links", tmp_path / "dist",
         "cosearch", tmp_path / name, "pytest"),
    ):  # fmt: skip
        subprocess.run([uv, *words], check=True)
    check = [python.with_name("cosearch"), "plugin", "check", "--json"]
    found = json.loads(subprocess.run(check, check=True, capture_output=True, text=True).stdout)
    assert found
    assert not [each for each in found if each["why"]]
    tested = subprocess.run([python, "-m", "pytest", "-q"], check=False, cwd=tmp_path / name,
                            capture_output=True, text=True)  # fmt: skip
    assert re.search(r"\d passed", tested.stdout), tested.stdout
