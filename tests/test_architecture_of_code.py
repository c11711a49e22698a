"""The floors of the house: who may import whom, found by reading the code and by importing it."""

import ast
import importlib
import pkgutil
from fnmatch import fnmatch
from pathlib import Path

import pytest

import cosearch
import cosearch_hardware
import cosearch_plugins

ROOT = Path(__file__).parents[1]
PACKAGES = (cosearch, cosearch_plugins, cosearch_hardware)

FLOORS = (
    ("errors", "typing", "quantities"),
    ("einsum", "einsum_language", "choice_space", "space", "unseen"),
    ("workload", "einsum_*", "architecture", "technology", "cost"),
    ("loopnest", "loopnest.*"),
    ("hardware",),
    ("strategy", "objective", "mapper"),
    ("hookspecs", "hooktrace", "registry", "plugins"),
    ("*",),
    ("__main__", "cli", "cli.*"),
)
"""From the ground up; what no other floor names is the one of studies, stores and reports."""


def floor_of(module):
    """Return the lowest floor that names a module; `*` names what is left."""
    name = module.removeprefix("cosearch").lstrip(".")
    exact = [i for i, floor in enumerate(FLOORS) for p in floor if p != "*" and fnmatch(name, p)]
    return exact[0] if exact else FLOORS.index(("*",))


def modules():
    for package in PACKAGES:
        yield package.__name__
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not found.name.endswith("__main__"):
                yield found.name


def imports(path):
    """Yield the modules that a file imports anywhere, also late and for type checking."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_at_once(path):
    """Yield the modules that a file imports when it is imported itself."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if is_module(inner) else node.module


def is_module(name):
    path = ROOT.joinpath("core", *name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def sources(*folders):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("name", sorted(modules()))
def test_every_module_can_be_imported(name):
    importlib.import_module(name)


def test_the_engine_imports_nothing_from_plugins_or_hardware_models():
    for path in sources("core"):
        for name in imports(path):
            assert not name.startswith(("cosearch_plugins", "cosearch_hardware")), path


def test_no_floor_of_the_engine_stands_on_a_higher_one():
    wrong = []
    for path in sources("core"):
        parts = path.relative_to(ROOT / "core").with_suffix("").parts
        module = ".".join(parts).removesuffix(".__init__")
        wrong += [
            f"{module} imports {other}"
            for other in imports_at_once(path)
            if other.startswith("cosearch.") and floor_of(other) > floor_of(module)
        ]
    assert not wrong, "\n".join(wrong)


def test_nobody_imports_click_which_typer_brings_in_its_own_copy():
    for path in sources("core", "plugins", "hardware_models", "tests", "examples", "benchmarks"):
        for name in imports(path):
            assert name.split(".")[0] != "click", path


def test_plugin_packages_register_paths_and_import_nothing_heavy():
    light = ("__future__", "collections", "cosearch.hooks.hookspecs", "pathlib", "typing")
    for path in sources("plugins", "hardware_models"):
        if path.name == "__init__.py" and "hookimpl" in path.read_text(encoding="utf-8"):
            assert [name for name in imports_at_once(path) if not name.startswith(light)] == [], (
                path
            )
