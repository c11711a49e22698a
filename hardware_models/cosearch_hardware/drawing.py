"""Drawings of machines, as SVG for the docs.

python -m cosearch_hardware.drawing docs/hardware     # one file a machine
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.architecture import Architecture, Memory
from cosearch.machine.hardware import HardwareModel

WIDTH, BOX_HEIGHT, GAP, MARGIN, LINE = 640, 64, 34, 16, 18
"""Pixels."""

FILLS = ("#dbe9f6", "#e3f1dc", "#fbeed5", "#f3e1ee", "#e9e9e9")


def svg(architecture: Architecture) -> str:
    """Return a drawing: memories from the outermost down to the multipliers, sizes in words."""
    memories = list(reversed(architecture.levels))
    height = 2 * MARGIN + (len(memories) + 1) * BOX_HEIGHT + len(memories) * GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}">',
        f"<title>{escape(architecture.name)}</title>",
    ]
    parts.append('<g font-family="sans-serif" font-size="13">')
    top = MARGIN
    for index, memory in enumerate(memories):
        parts += _box(top, FILLS[index % len(FILLS)], _caption(memory))
        level = len(memories) - 1 - index
        parts += _wire(top + BOX_HEIGHT, *architecture.fanout(level))
        top += BOX_HEIGHT + GAP
    unit = architecture.compute
    lines = (
        f"{unit.name}: {unit.mesh_x} x {unit.mesh_y} of {unit.word_bits} bits",
        f"{unit.energy_pj:.3g} pJ each",
    )
    parts += _box(top, FILLS[-1], lines)
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _caption(memory: Memory) -> tuple[str, str, str]:
    """Return a memory's name and mesh, what it holds, and what an access costs."""
    mesh = "" if memory.instances == 1 else f"  ({memory.mesh_x} x {memory.mesh_y} of them)"
    if memory.partitions:
        holds = ", ".join(f"{part.entries} {role}" for role, part in memory.partitions.items())
    else:
        roles = memory.keeps | memory.may_keep
        size = "unlimited" if memory.entries is None else f"{memory.entries} words"
        holds = f"{size}: {', '.join(sorted(roles))}"
    row = "" if memory.block_size == 1 else f" of {memory.block_size} words"
    cost = f"{memory.energy.read:.3g} pJ an access{row}, words of {memory.word_bits} bits"
    return f"{memory.name}{mesh}", holds, cost


def _box(top: float, fill: str, lines: tuple[str, ...]) -> Iterator[str]:
    yield (
        f'<rect x="{MARGIN}" y="{top}" width="{WIDTH - 2 * MARGIN}" height="{BOX_HEIGHT}" rx="6" '
        f'fill="{fill}" stroke="#444"/>'
    )
    for number, line in enumerate(lines):
        weight = ' font-weight="bold"' if number == 0 else ""
        y = top + LINE * (number + 1)
        yield f'<text x="{WIDTH / 2}" y="{y}" text-anchor="middle"{weight}>{escape(line)}</text>'


def _wire(top: float, fan_x: int, fan_y: int) -> Iterator[str]:
    """Draw the network below a level, with its fanout."""
    x = WIDTH / 2
    yield f'<line x1="{x}" y1="{top}" x2="{x}" y2="{top + GAP}" stroke="#444" stroke-width="2"/>'
    if fan_x * fan_y > 1:
        yield f'<text x="{x + 10}" y="{top + GAP / 2 + 5}">to {fan_x} x {fan_y}</text>'


def sketch_svg(title: str, lines: tuple[str, ...]) -> str:
    """Return the lines of a sketch as a drawing."""
    height = 2 * MARGIN + LINE * len(lines)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}">',
        f"<title>{escape(title)}</title>",
        '<g font-family="monospace" font-size="13" xml:space="preserve">',
    ]
    for number, line in enumerate(lines, 1):
        parts.append(f'<text x="{MARGIN}" y="{MARGIN + LINE * number - 5}">{escape(line)}</text>')
    return "\n".join([*parts, "</g>", "</svg>"]) + "\n"


def main(folder: Path) -> None:
    """Write a drawing of every machine's baseline."""
    registry = load_registry(third_party=False)
    for name in registry.names("hardware_models"):
        model: HardwareModel = registry.find("hardware_models", name).make()
        machine = model.build(model.baseline)
        if isinstance(machine, SpatialAccelerator):
            drawn = svg(machine.architecture)
        else:
            drawn = sketch_svg(machine.name, machine.sketch)
        (folder / f"{name}.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m cosearch_hardware.drawing FOLDER")
    try:
        main(Path(sys.argv[1]))
    except CosearchError as error:
        raise SystemExit(str(error)) from None
