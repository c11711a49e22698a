"""Numbers that Timeloop's files write as arithmetic: `word_bits * 4`, `meshX // 2`, `2**16`.

Read by Python's own parser, worked out by hand: numbers, names of other attributes, and a few
operators and functions. Nothing else is understood, and nothing is ever run.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

Number = int | float

LONGEST = 200
"""Characters; anything longer is not a number."""

LARGEST_POWER = 64


def _power(base: Number, exponent: Number) -> Number:
    if abs(exponent) > LARGEST_POWER:
        raise ValueError("too large a power")
    return float(base) ** exponent if exponent < 0 else base**exponent


_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "ceil": math.ceil,
    "floor": math.floor,
    "round": round,
    "int": int,
    "abs": abs,
    "sqrt": math.sqrt,
    "log2": math.log2,
}


def number_of(text: str, names: Mapping[str, Any]) -> Number | None:
    """Return the number that a text stands for, whole where it can be; None where it is none.

    Args:
        text: such as `depth * 2`.
        names: attribute to value; values may be texts of this kind themselves.
    """
    if len(text) > LONGEST:
        return None
    try:
        found = _value(ast.parse(text.strip(), mode="eval").body, names, 0)
    except (SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError, KeyError):
        return None
    return int(found) if isinstance(found, float) and found.is_integer() else found


def _value(node: ast.expr, names: Mapping[str, Any], depth: int) -> Number:
    if depth > 20:
        raise ValueError("nested too deeply")
    if (
        isinstance(node, ast.Constant)
        and type(node.value) is not bool
        and isinstance(node.value, int | float)
    ):
        return node.value
    if isinstance(node, ast.Name):
        return _named(names[node.id], {k: v for k, v in names.items() if k != node.id}, depth)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, names, depth + 1)
    if isinstance(node, ast.BinOp):
        sides = (_value(side, names, depth + 1) for side in (node.left, node.right))
        return _bounded(_BINARY[type(node.op)](*sides))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _bounded(_FUNCTIONS[node.func.id](*(_value(a, names, depth + 1) for a in node.args)))
    raise ValueError("not arithmetic")


def _named(value: object, names: Mapping[str, Any], depth: int) -> Number:
    if isinstance(value, str):
        return _value(ast.parse(value.strip(), mode="eval").body, names, depth + 1)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError("not a number")


def _bounded(value: Number) -> Number:
    if not math.isfinite(value) or abs(value) > 2**63:
        raise ValueError("too large a number")
    return value
