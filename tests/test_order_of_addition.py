"""Figures are added in one order on every Python; from 3.12 on, `sum` compensates floats."""

import ast
import math
import random
from pathlib import Path

import pytest

from cosearch.quantities import added

ROOT = Path(__file__).parents[1]
WHOLE_NUMBERS_ONLY = ("formats", "readers", "strategies", "workloads")
"""Folders of plugins where no cost is added up; strategies add losses with numpy."""


def sources():
    for folder in ("core", "plugins", "hardware_models"):
        for path in (ROOT / folder).rglob("*.py"):
            if not {*path.relative_to(ROOT / folder).parts[1:2]} & {*WHOLE_NUMBERS_ONLY} or (
                folder == "core"
            ):
                yield path


def whole(node):
    """Tell whether an expression can only be a whole number."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("len", "int", "bool")
    shifted = isinstance(node, ast.BinOp) and isinstance(node.op, ast.LShift)
    counted = isinstance(node, ast.Constant) and isinstance(node.value, int)
    return shifted or counted or isinstance(node, ast.Compare)


def floats_summed(tree):
    """Yield the line of each mention of the built-in `sum` but sums of whole numbers."""
    fine = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            terms = node.args[0]
            if isinstance(terms, ast.GeneratorExp | ast.ListComp) and whole(terms.elt):
                fine.add(node.func)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "sum" and node not in fine:
            yield node.lineno


def test_no_figure_hangs_on_the_built_in_sum():
    found = {
        str(path.relative_to(ROOT)): lines
        for path in sources()
        if (lines := list(floats_summed(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert not found, "use cosearch.quantities.added"


@pytest.mark.parametrize("text", ["sum(x.energy_pj for x in xs)", "sum(xs)", "map(sum, xs)"])
def test_the_rule_sees(text):
    assert list(floats_summed(ast.parse(text))) == [1]


@pytest.mark.parametrize("text", ["sum(x > 1 for x in xs)", "sum(len(x) for x in xs)", "added(xs)"])
def test_the_rule_passes(text):
    assert not list(floats_summed(ast.parse(text)))


def test_each_addition_is_rounded_in_turn():
    assert added([0.1] * 10) == 0.9999999999999999  # what Python 3.11 gives; 1.0 is compensated
    draw = random.Random(0)
    for _ in range(100):
        values = [draw.uniform(0, 1) * 10 ** draw.randint(-8, 8) for _ in range(30)]
        total = 0.0
        for value in values:
            total += value
        assert added(values) == total
        assert math.isclose(added(values), math.fsum(values))


def test_whole_numbers_stay_whole():
    assert added([2**70, 1]) == 2**70 + 1
    assert type(added([])) is int
