"""A fused group as one indented loop nest: the prefix outside, the bodies one after the other.

```text
for P in 0..4
  held in Buffer: Weights of mlp.down 9,216 words
  mlp.up
    DRAM: Weights 589,824, Inputs 24,576 words
    ...
  mlp.down, its Inputs in Buffer
    ...
```
"""

from __future__ import annotations

from collections.abc import Sequence

from cosearch.loopnest.group import FusedGroup, Held
from cosearch.loopnest.text import INDENT, loop_nest
from cosearch.machine.architecture import Architecture


def group_nest(
    architecture: Architecture, group: FusedGroup, names: Sequence[str]
) -> tuple[str, ...]:
    """Return the lines of a group's nest, outermost first.

    Args:
        architecture: names the levels and the compute units.
        group: with mappings.
        names: of its members.
    """
    lines: list[str] = []
    level = architecture.levels[-2].name
    for depth in range(len(group.prefix) + 1):
        lines += [
            f"{INDENT * depth}held in {level}: {_held(group, held, names)}"
            for held in group.held
            if held.depth == depth
        ]
        if depth < len(group.prefix):
            lines.append(f"{INDENT * depth}for {prefix_loop(group, depth)}")
    indent = INDENT * len(group.prefix)
    for j, (name, mapping) in enumerate(zip(names, group.mappings, strict=True)):
        home = sorted(group.at_home(j))
        where = f", {' and '.join(home)} in {level}" if home else ""
        lines.append(f"{indent}{name}{where}")
        nest = loop_nest(architecture, group.cut(j), mapping)
        lines += [f"{indent}{INDENT}{line}" for line in nest]
    return tuple(lines)


def prefix_loop(group: FusedGroup, place: int) -> str:
    """Return a loop of the prefix, by the dimensions of its members: `p in 0..4`."""
    loop = group.prefix[place]
    dims = [dim.lower() for i, dim in enumerate(loop.dims) if dim not in loop.dims[:i]]
    return f"{'='.join(dims)} in 0..{loop.bound}"


def _held(group: FusedGroup, held: Held, names: Sequence[str]) -> str:
    words = group.tensor(held).footprint(group.cut(held.member, held.depth).bounds)
    return f"{held.tensor} of {names[held.member]}, {words:,} words"
