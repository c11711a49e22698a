"""The wings of the house: who may import whom, read from the code in all three kinds of import."""

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import cosearch
import cosearch_hardware
import cosearch_plugins

ROOT = Path(__file__).parents[1]
PACKAGES = (cosearch, cosearch_plugins, cosearch_hardware)

WINGS = (
    "origin",
    "errors",
    "typing",
    "quantities",
    "lately",
    "answers",
    "compiling",
    "search",
    "registry",
    "workload",
    "machine",
    "loopnest",
    "loopnest.model",
    "loopnest.kernel",
    "loopnest.space",
    "loopnest.accelerator",
    "mapping",
    "formats",
    "trials",
    "store",
    "study",
    "compare",
    "validate",
    "reporting",
    "hooks",
    "testing",
    "integrations",
    "api",
    "cli",
    "__main__",
)
"""The engine from the ground up: a wing imports itself and those before it, nothing else.

A module belongs to the longest name that it begins with. `cosearch` itself, the front door, imports
nothing until it is asked for a name.
"""

GROUND = {"origin", "errors", "typing", "quantities", "lately", "answers", "__main__"}
"""Modules that are a wing each."""

GROUND_FLOOR_AT_MOST = 8
LINES_AT_MOST = 36_100
"""Of `core/`. The engine of 0.1.0 without its exact mapper had 25,100; since then it has got the
front door for scripts, the home of compiled code, fused groups, element-wise layers, bounds of
spaces too large to go through, a first figure on the screen, and checks of what plugins of every
kind answer.
"""

FUNCTION_AT_MOST = 80
NINE_OF_TEN_FUNCTIONS = 21


def name_of(path, top):
    return ".".join(path.relative_to(ROOT / top).with_suffix("").parts).removesuffix(".__init__")


def sources(*folders):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


OURS = {
    name_of(path, top): path
    for top in ("core", "plugins", "hardware_models")
    for path in sources(top)
}


def wing_of(module):
    """Return the number of a module's wing; LookupError where no wing is its home."""
    name = module.removeprefix("cosearch.")
    homes = [i for i, wing in enumerate(WINGS) if name == wing or name.startswith(wing + ".")]
    if not homes:
        raise LookupError(f"{module} is in no wing")
    return max(homes, key=lambda i: len(WINGS[i]))


def imports(path):
    """Yield the modules that a file imports anywhere: at once, late or for type checking."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in OURS else node.module


def arrows():
    """Return for every module of ours those of ours that it imports."""
    return {
        name: {other for other in imports(path) if other in OURS and other != name}
        for name, path in OURS.items()
    }


def circles(graph):
    """Return the sets of two or more modules that reach each other."""

    def reached(start):
        seen, todo = set(), [start]
        while todo:
            for other in graph[todo.pop()] - seen:
                seen.add(other)
                todo.append(other)
        return seen

    reach = {name: reached(name) for name in graph}
    return {frozenset(o for o in reach[n] if n in reach[o]) for n in graph if n in reach[n]}


def modules():
    for package in PACKAGES:
        yield package.__name__
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not found.name.endswith("__main__"):
                yield found.name


@pytest.mark.parametrize("name", sorted(modules()))
def test_every_module_can_be_imported(name):
    importlib.import_module(name)


def test_every_module_of_the_engine_is_in_a_wing():
    for name in OURS:
        if name.startswith("cosearch."):
            wing_of(name)


def test_every_wing_has_a_module():
    homes = {wing_of(name) for name in OURS if name.startswith("cosearch.")}
    assert [WINGS[i] for i in range(len(WINGS)) if i not in homes] == []


def test_no_wing_stands_on_a_higher_one():
    wrong = [
        f"{module} imports {other}"
        for module, others in arrows().items()
        for other in others
        if module.startswith("cosearch.")
        and other.startswith("cosearch.")
        and wing_of(other) > wing_of(module)
    ]
    assert not wrong, "\n".join(sorted(wrong))


def test_there_are_no_circles():
    assert circles(arrows()) == set()


def test_circles_are_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert circles(graph) == {frozenset("abc")}


def test_the_engine_imports_nothing_from_plugins_or_hardware_models():
    for path in sources("core"):
        for name in imports(path):
            assert not name.startswith(("cosearch_plugins", "cosearch_hardware")), path


def test_the_ground_floor_is_small():
    floor = [p.stem for p in (ROOT / "core" / "cosearch").glob("*.py")]
    assert len(floor) <= GROUND_FLOOR_AT_MOST, floor


def test_the_engine_is_small():
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in sources("core"))
    assert lines <= LINES_AT_MOST


def lengths():
    """Yield each function with its lines, docstring left out."""
    for path in sources("core", "plugins", "hardware_models"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                said = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
                about = first.end_lineno - first.lineno + 1 if said else 0
                yield f"{path.name}:{node.name}", node.end_lineno - node.lineno + 1 - about


def test_functions_are_small():
    found = sorted(lengths(), key=lambda pair: pair[1])
    assert found[int(0.9 * len(found))][1] <= NINE_OF_TEN_FUNCTIONS
    assert [pair for pair in found if pair[1] > FUNCTION_AT_MOST] == []


def test_nobody_imports_click_which_typer_brings_in_its_own_copy():
    for path in sources("core", "plugins", "hardware_models", "tests", "examples", "benchmarks"):
        for name in imports(path):
            assert name.split(".")[0] != "click", path


def test_plugin_packages_register_paths_and_import_nothing_heavy():
    light = ("__future__", "collections", "cosearch.registry.registration", "pathlib", "typing")
    for path in sources("plugins", "hardware_models"):
        if path.name == "__init__.py" and "hookimpl" in path.read_text(encoding="utf-8"):
            at_once = [
                node.module
                for node in ast.parse(path.read_text(encoding="utf-8")).body
                if isinstance(node, ast.ImportFrom)
            ]
            assert [name for name in at_once if not name.startswith(light)] == [], path


def test_the_page_of_the_architecture_draws_the_wings_and_names_files_that_exist():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawing = page.split("```")[1]
    drawn = [line.split()[0] for line in drawing.splitlines() if line[:1].isalpha()]
    rooms = {wing.partition(".")[0] for wing in WINGS} - GROUND
    assert drawn == [wing for wing in reversed(WINGS) if wing in rooms]
    for path in re.findall(r"`([\w/]+(?:\.py|/))[:`]", page):
        assert any((root / path).exists() for root in (ROOT, ROOT / "core" / "cosearch")), path
