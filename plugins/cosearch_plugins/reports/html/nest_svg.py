"""A mapping as a drawing: boxes inside boxes, one a loop, coloured by the memory they belong to."""

from __future__ import annotations

import html
from collections.abc import Sequence

PALETTE = ("#dbe9f6", "#e3f1dc", "#fdebd3", "#f3dff0", "#e4e4e4", "#fbf3c8")
LINE, STEP, WIDTH = 22, 14, 560


def nest_svg(lines: Sequence[str]) -> str:
    """Return the drawing of an indented loop nest, outermost loop first.

    A line without indentation, or one that is no loop, begins a new colour: the next memory.
    """
    depths = [len(line) - len(line.lstrip()) for line in lines]
    order = {depth: i for i, depth in enumerate(sorted(set(depths)))}
    height = LINE * len(lines) + 8
    shapes, colour = [], -1
    for i, (line, depth) in enumerate(zip(lines, depths, strict=True)):
        if not _is_loop(line) or colour < 0:
            colour += 1
        inset = STEP * order[depth]
        tall = LINE * _inside(depths, i) - 2
        fill = PALETTE[colour % len(PALETTE)]
        shapes.append(
            f'<rect x="{4 + inset}" y="{4 + LINE * i}" width="{WIDTH - 8 - 2 * inset}" '
            f'height="{tall}" rx="3" fill="{fill}" stroke="#8894a0" stroke-width=".6"/>'
            f'<text fill="#1b1f24" x="{10 + inset}" y="{19 + LINE * i}">'
            f"{html.escape(line.strip())}</text>"
        )
    return (
        f'<svg class="nest" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" font-family="ui-monospace, monospace" font-size="11.5">'
        f"<title>loop nest</title>{''.join(shapes)}</svg>"
    )


def _is_loop(line: str) -> bool:
    return line.lstrip().startswith(("for ", "parallel-for ", "par "))


def _inside(depths: Sequence[int], i: int) -> int:
    """Return how many lines a box spans: its own and those indented deeper below it."""
    span = 1
    for depth in depths[i + 1 :]:
        if depth <= depths[i]:
            break
        span += 1
    return span
