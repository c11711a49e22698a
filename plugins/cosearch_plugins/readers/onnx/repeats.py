"""How often the graph itself repeats an operand of a product along its batch.

Exporters write grouped-query attention as keys that are expanded to the heads of the queries, then
reshaped and turned. The copies are one operand that several products read.
"""

from __future__ import annotations

import math
from typing import Any

from cosearch_plugins.readers.onnx.attributes import attributes
from cosearch_plugins.readers.onnx.shapes import Shapes

LONGEST = 16
"""Operators between an expansion and the product that are looked through."""


def repeats(tensor: str, known: Shapes) -> int:
    """Return how many copies of its words a tensor holds along its batch axes; 1 for none known."""
    for _ in range(LONGEST):
        node = known.makers.get(tensor)
        if node is None or not node.input or node.input[0] not in known.shapes:
            return 1
        if node.op_type == "Expand":
            return _copies(node, known)
        if not _looks_through(node, known):
            return 1
        tensor = node.input[0]
    return 1


def _copies(node: Any, known: Shapes) -> int:  # noqa: ANN401 - onnx.NodeProto
    """Return the copies that an Expand makes along its leading axes, 1 where others grow too."""
    before, after = known.shapes[node.input[0]], known.shapes.get(node.output[0], ())
    if len(after) < 3 or before[-2:] != after[-2:]:
        return 1
    return math.prod(after) // max(1, math.prod(before))


def _looks_through(node: Any, known: Shapes) -> bool:  # noqa: ANN401 - onnx.NodeProto
    """Return whether a node keeps every matrix of its last two axes, turned at most."""
    before, after = known.shapes[node.input[0]], known.shapes.get(node.output[0])
    if after is None or len(after) < 2 or len(before) < 2:
        return False
    if node.op_type == "Transpose":
        order = attributes(node).integers("perm", tuple(reversed(range(len(before)))))
        return order[:-2] == tuple(range(len(before) - 2))
    if node.op_type in ("Reshape", "Unsqueeze", "Squeeze"):
        return before[-2:] == after[-2:]
    if node.op_type in ("Mul", "Div"):
        return all(math.prod(known.shapes.get(name, (2,))) == 1 for name in node.input[1:])
    return node.op_type in ("Cast", "Identity")
