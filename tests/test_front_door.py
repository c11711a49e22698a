"""`import cosearch`: its names, how fast they come, its page, its examples."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cosearch

ROOT = Path(__file__).parents[1]
EXAMPLES = ("first_codesign", "accelerator_of_ones_own", "two_optimizers")


def python(*arguments, cwd=ROOT):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=cwd
    )


def test_every_name_is_there_and_stands_once_for_people_and_once_for_types():
    assert sorted(cosearch.MODULE_OF) == sorted(cosearch.__all__)
    assert set(cosearch.__all__) <= set(dir(cosearch))
    source = ast.parse((ROOT / "core" / "cosearch" / "__init__.py").read_text())
    typed = {
        alias.name: node.module
        for node in ast.walk(source)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("cosearch.")
        for alias in node.names
    }
    assert typed == {n: f"cosearch.{home}" for n, home in cosearch.MODULE_OF.items()}
    for name in cosearch.__all__:
        assert getattr(cosearch, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        cosearch.runn  # noqa: B018


def test_it_costs_nothing_until_a_name_is_asked_for():
    told = python(
        "-c",
        "import sys, cosearch; a = set(sys.modules); cosearch.HardwareModel; "
        "print('numpy' in a, any(m in sys.modules for m in ('numba', 'scipy')))",
    )
    assert told.stdout.split() == ["False", "False"], told.stderr


def test_help_needs_neither_numba_nor_scipy():
    told = python(
        "-c",
        "import sys; from cosearch.cli.app import run; run(['run', '--help']); "
        "print([m for m in ('numba', 'scipy') if m in sys.modules])",
    )
    assert told.stdout.splitlines()[-1] == "[]", told.stderr


@pytest.mark.parametrize("first", ["cosearch.workload.network", "cosearch.compare.contest", "os"])
def test_a_function_with_the_name_of_a_wing_can_be_called_whatever_came_first(first):
    told = python(
        "-c",
        f"import {first}, cosearch; print(cosearch.workload('gemm').name); "
        "import cosearch.workload.network as n; print(n.Network.__name__); "
        "print(callable(cosearch.compare))",
    )
    assert told.stdout.split() == ["gemm", "Network", "True"], told.stderr


def test_the_page_is_made_from_the_docstrings():
    told = python("tools/api_docs.py", "--check")
    assert told.returncode == 0, "run: python tools/api_docs.py\n" + told.stderr
    page = (ROOT / "docs" / "api.md").read_text()
    assert all(f"### {name}\n" in page for name in cosearch.__all__)


def test_registries_are_loaded_at_the_front_doors_alone():
    doors = {
        "core/cosearch/api/names.py",
        "core/cosearch/cli/app.py",
        "core/cosearch/integrations/designs.py",
        "hardware_models/cosearch_hardware/drawing.py",
        "plugins/cosearch_plugins/executors/worker.py",
        "plugins/cosearch_plugins/kit/checks/others.py",
    }
    found = set()
    for folder in ("core", "plugins", "hardware_models"):
        for path in (ROOT / folder).rglob("*.py"):
            calls = (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call))
            if any(isinstance(c.func, ast.Name) and c.func.id == "load_registry" for c in calls):
                found.add(path.relative_to(ROOT).as_posix())
    assert found == doors


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_run(name, tmp_path):
    done = python(str(ROOT / "examples" / f"{name}.py"), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
    assert list(tmp_path.iterdir()) == []
