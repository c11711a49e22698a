"""A group of layers as a drawing: what is in the memory they share, moment by moment.

Time goes from left to right: one iteration of the prefix, each member as wide as its share of the
cycles. Stacked in each moment are the tiles that are live: held ones, rows that later parts read
again, what one member hands to the next, and what is streamed through. A line marks the end of the
memory.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from attrs import frozen

from cosearch.loopnest.group import FusedGroup
from cosearch.loopnest.model.fused import GroupCost, group_cost
from cosearch.machine.architecture import Architecture
from cosearch.quantities import added
from cosearch.workload.einsum import Einsum
from cosearch.workload.link import operand_of

COLOURS = {"held": "#9cc3e6", "kept rows": "#c9b6e4", "handed on": "#a8d5a2", "streamed": "#f3c99f"}
WIDTH, HEIGHT, LEFT, TOP, NARROWEST = 640, 220, 70, 26, 24


@frozen
class Occupant:
    """A tile, or rows of one, in the shared memory.

    Attributes:
        kind: one of COLOURS.
        label: whose it is.
        words: of it.
    """

    kind: str
    label: str
    words: int


def occupants(
    group: FusedGroup, cost: GroupCost, names: Sequence[str], member: int
) -> list[Occupant]:
    """Return what is live while a member runs; the words add up to the model's room.

    Args:
        group: with mappings.
        cost: of it, by the model.
        names: of its members.
        member: that runs.
    """
    found = [
        Occupant(
            "held",
            f"{held.tensor} of {names[held.member]}",
            group.tensor(held).footprint(group.inside(held.member, held.depth)),
        )
        for held in group.held
    ]
    for link in group.links:
        window, label = group.window(link), f"{names[link.producer]} to {names[link.consumer]}"
        here = member in (link.producer, link.consumer)
        if here:
            found.append(Occupant("handed on", label, _tile(group, link.producer, link.operand)))
        kept = window.words * (window.inside - here)
        found.append(Occupant("kept rows", f"rows of {label}", kept))
    rest = cost.members[member].room - added(x.words for x in found)
    streamed = _streamed(group, member)
    found.append(Occupant("streamed", f"{', '.join(streamed)} of {names[member]}", rest))
    order = list(COLOURS)
    return sorted((x for x in found if x.words), key=lambda x: order.index(x.kind))


def _tile(group: FusedGroup, producer: int, operand: str) -> int:
    """Return the words of an intermediate: as many as are written, or read, whichever is more."""
    written = group.layers[producer].output.footprint(group.inside(producer))
    consumer: Einsum = group.layers[producer + 1]
    return max(written, operand_of(consumer, operand).footprint(group.inside(producer + 1)))


def _streamed(group: FusedGroup, member: int) -> list[str]:
    home, kept = group.at_home(member), group.mappings[member].levels[-2].keep
    return [t.name for t in group.layers[member].tensors if t.name in kept - home]


def schedule_svg(architecture: Architecture, group: FusedGroup, names: Sequence[str]) -> str:
    """Return the drawing of one iteration of a group's prefix.

    Args:
        architecture: the machine; its second outermost memory is shared.
        group: with mappings.
        names: of its members.
    """
    cost, level = group_cost(architecture, group), architecture.levels[-2]
    room = level.usable_entries
    top = max(cost.room, room or 0)
    cycles = [member.cycles / group.bodies for member in cost.members]
    share = (WIDTH - LEFT - NARROWEST * len(cycles)) / max(1.0, added(cycles))
    shapes, x = [], float(LEFT)
    for j, (name, took) in enumerate(zip(names, cycles, strict=True)):
        wide, y = NARROWEST + took * share, float(TOP + HEIGHT)
        for tile in occupants(group, cost, names, j):
            tall = HEIGHT * tile.words / top
            y -= tall
            told = html.escape(f"{tile.kind}: {tile.label}, {tile.words:,} words")
            shapes.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" '
                f'fill="{COLOURS[tile.kind]}" stroke="#fff"><title>{told}</title></rect>'
            )
        shapes.append(
            f'<text x="{x + 3:.1f}" y="{TOP + HEIGHT + 14}">{html.escape(name)}</text>'
            f'<text x="{x + 3:.1f}" y="{TOP + HEIGHT + 27}">{took:,.0f} cycles</text>'
        )
        x += wide
    return _framed(shapes, f"{group.bodies:,} times, in {level.name}", top, room)


def _framed(shapes: list[str], about: str, top: int, room: int | None) -> str:
    """Return shapes with a scale, the memory's end and a legend."""
    legend = "".join(
        f'<rect x="{LEFT + 130 * i}" y="{TOP + HEIGHT + 36}" width="10" height="10" '
        f'fill="{colour}"/><text x="{LEFT + 14 + 130 * i}" y="{TOP + HEIGHT + 45}">{kind}</text>'
        for i, (kind, colour) in enumerate(COLOURS.items())
    )
    end = ""
    if room is not None:
        y = TOP + HEIGHT * (1 - room / top)
        end = (
            f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#b03030" '
            f'stroke-dasharray="4 3"/><text x="2" y="{y + 4:.1f}">{room:,}</text>'
        )
    tall = TOP + HEIGHT + 54
    return (
        f'<svg class="schedule" viewBox="0 0 {WIDTH} {tall}" width="{WIDTH}" height="{tall}" '
        'role="img" font-family="ui-monospace, monospace" font-size="11">'
        f"<title>what is live in the shared memory</title>"
        f'<text x="{LEFT}" y="14">{html.escape(about)}</text>{"".join(shapes)}{end}{legend}</svg>'
    )
