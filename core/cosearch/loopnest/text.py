"""A mapping as the indented loop nest that an architect would draw on a whiteboard.

```text
DRAM: Weights 9,216, Inputs 14,848, Outputs 50,176 words
  for k in 0..4
    Buffer: Inputs 14,848, Outputs 12,544 words
      for c in 0..16
        for p in 0..56
          parallel-for y: r in 0..3
            parallel-for x: q in 0..14
              Scratchpad: Weights 48, Inputs 3, Outputs 16 words
                for k in 0..16
                  for s in 0..3
                    MAC: Outputs[k,p,q] += Weights[k,c,r,s] * Inputs[c,p+r,q+s]
```

Outermost first. A memory's line says what one instance of it holds: the tensors that the mapping
keeps there, in words. The loops below it cut that tile into the tiles of the next memory, or
spread it over the instances there: loops spread over one axis of the mesh share a line, the outer
first. `0..4` runs from 0 to 3.
"""

from __future__ import annotations

from collections.abc import Iterator

from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.machine.architecture import Architecture
from cosearch.workload.einsum import Axis, Einsum, Tensor

INDENT = "  "


def loop_nest(architecture: Architecture, layer: Einsum, mapping: Mapping) -> tuple[str, ...]:
    """Return the lines of the indented loop nest, outermost first.

    Args:
        architecture: names the levels and the compute units.
        layer: what is computed.
        mapping: one entry a level, inner to outer.
    """
    lines: list[str] = []
    depth = 0
    for level in reversed(range(len(mapping.levels))):
        entry = mapping.levels[level]
        lines.append(INDENT * depth + _memory(layer, entry, mapping.tile(level, layer.dims)))
        for text in _loops(entry):
            depth += 1
            lines.append(INDENT * depth + text)
        depth += 1
    lines.append(f"{INDENT * depth}{architecture.compute.name}: {statement(layer)}")
    return tuple(lines)


def statement(layer: Einsum) -> str:
    """Return the loop body, such as `Outputs[k,p,q] += Weights[k,c] * Inputs[c,p,q]`."""
    operands = " * ".join(_indexed(layer, tensor) for tensor in layer.operands)
    return f"{_indexed(layer, layer.output)} += {operands}"


def _memory(layer: Einsum, entry: LevelMapping, tile: dict[str, int]) -> str:
    kept = [
        f"{tensor.name} {tensor.footprint(tile):,}"
        for tensor in layer.tensors
        if tensor.name in entry.keep
    ]
    return f"{entry.level}: {', '.join(kept)} words" if kept else f"{entry.level}: bypassed"


def _loops(entry: LevelMapping) -> Iterator[str]:
    """Yield the loops of a level, outer to inner: those in time around those in space."""
    for loop in reversed(entry.temporal):
        if loop.bound > 1:
            yield f"for {_range(loop)}"
    for axis, loops in (("y", entry.spatial_y), ("x", entry.spatial_x)):
        spread = ", ".join(_range(loop) for loop in reversed(loops) if loop.bound > 1)
        if spread:
            yield f"parallel-for {axis}: {spread}"


def _range(loop: Loop) -> str:
    return f"{loop.dim.lower()} in 0..{loop.bound}"


def _indexed(layer: Einsum, tensor: Tensor) -> str:
    indices = [_index(layer, axis) for axis in tensor.axes]
    return f"{tensor.name}[{','.join(index for index in indices if index)}]"


def _index(layer: Einsum, axis: Axis) -> str:
    """Return the index expression of an axis; dimensions of size 1 are left out."""
    bounds = layer.bounds
    terms = [
        f"{coefficient if coefficient > 1 else ''}{dim.lower()}"
        for dim, coefficient in axis.terms
        if bounds[dim] > 1
    ]
    return "+".join(terms)
