"""Code in docstrings is code: it compiles, and the names it imports exist."""

import ast
import importlib
import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    p for top in ("core", "plugins", "hardware_models") for p in (ROOT / top).rglob("*.py")
)

PYTHON = re.compile(r"((import|class|def|with) |from [\w.]+ import|@|>>>) ?\w|\w+ = \w+\(.*\)$")
"""How an indented block of a docstring begins that is Python and no table, formula or command."""

STATEMENT = re.compile(
    r"import \w+(\.\w+)*$|from [\w.]+ import |(class|def) \w+\(|\w+ = \w+\(.*\)$"
)
"""A line that stands at the margin and is Python."""


def docstrings(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "name", "module"), text


def blocks(text):
    """Yield the blocks of a docstring that are indented, or fenced, without their indentation."""
    lines, block = text.splitlines(), []
    for line in [*lines, "end"]:
        if line.startswith("    ") or (not line.strip() and block):
            block.append(line)
            continue
        if block:
            yield textwrap.dedent("\n".join(block)).strip()
        block = []


def examples():
    for path in SOURCES:
        for name, text in docstrings(path):
            for block in blocks(text):
                if PYTHON.match(block.split("\n")[0]):
                    yield pytest.param(block, id=f"{path.stem}.{name}")
            unfenced = [line for line in text.splitlines() if STATEMENT.match(line)]
            assert not unfenced, f"{path}: code of {name} that is not indented: {unfenced}"


@pytest.mark.parametrize("block", list(examples()))
def test_code_in_a_docstring_compiles_and_imports_what_there_is(block):
    tree = ast.parse(block.replace(">>> ", ""))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "cosearch":
            module = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name), f"{node.module}.{alias.name}"
