"""A chart of letters: several curves on one logarithmic axis, in text."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

LETTERS = "abcdefghijklmnopqrstuvwxyz"
HEIGHT = 10

Marks: TypeAlias = Sequence[tuple[int, float]]
"""Of one curve: columns, from 0, and the positive values there."""


def chart(
    curves: Sequence[Marks],
    width: int,
    label: Callable[[float], str],
    least: float | None = None,
) -> list[str]:
    """Return the lines of a chart, the greatest value on top, with an axis below.

    Where curves meet, their letters take turns from column to column, so that none hides another;
    where they meet in one column alone, they stand beside each other as far as there is room.

    Args:
        curves: a letter each, in order.
        width: of the chart without its labels.
        label: writes a value of the upright axis.
        least: where the axis begins; at the least value if None.
    """
    values = [v for marks in curves for _, v in marks if v > 0 and math.isfinite(v)]
    if not values:
        return []
    low, high = math.log(min(values) if least is None else least), math.log(max(values))
    high = max(high, low + math.log(1.05))
    cells: dict[tuple[int, int], list[str]] = {}
    for letter, marks in zip(LETTERS, curves, strict=False):
        for x, value in marks:
            if value > 0 and math.isfinite(value):
                y = round((math.log(value) - low) / (high - low) * (HEIGHT - 1))
                cells.setdefault((HEIGHT - 1 - y, x), []).append(letter)
    grid = _drawn(cells, width)
    marked = (0, HEIGHT // 2, HEIGHT - 1)
    axis = {
        row: label(math.exp(low + (high - low) * (HEIGHT - 1 - row) / (HEIGHT - 1)))
        for row in marked
    }
    room = max(map(len, axis.values()))
    lines = [f"{axis.get(i, ''):>{room}} |{''.join(row).rstrip()}" for i, row in enumerate(grid)]
    return [*lines, f"{'':>{room}} +{'-' * width}"]


def _drawn(cells: dict[tuple[int, int], list[str]], width: int) -> list[list[str]]:
    grid = [[" "] * width for _ in range(HEIGHT)]
    for (row, x), letters in sorted(cells.items()):
        grid[row][x] = letters[x % len(letters)]
    for (row, x), letters in sorted(cells.items()):
        shown = {grid[row][x]}
        for letter in letters:
            beside = x + len(shown)
            alone = not any((row, x + d) in cells and letter in cells[row, x + d] for d in (-1, 1))
            if letter not in shown and alone and beside < width and grid[row][beside] == " ":
                grid[row][beside] = letter
                shown.add(letter)
    return grid
