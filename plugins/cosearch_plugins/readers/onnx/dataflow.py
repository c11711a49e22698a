"""What every operator of an ONNX graph reads and writes.

Operators that give a tensor another shape hand on the tensor itself. Those that work number by
number on one tensor, and softmax, write where they read when nobody else reads that; every other
operator writes new tensors, and all it reads is there while it does.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from attrs import define, field

from cosearch.workload.dataflow import Dataflow, Step
from cosearch_plugins.readers.onnx.linking import ONE_TO_ONE
from cosearch_plugins.readers.onnx.shapes import Shapes

VIEWS = frozenset(("Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"))
IN_PLACE = ONE_TO_ONE | {"Softmax"}


def dataflow_of(
    nodes: Sequence[tuple[str, Any]], results: Sequence[str], known: Shapes
) -> Dataflow | None:
    """Return the dataflow of a graph; None where a branch, a loop or an unknown shape is in it.

    Args:
        nodes: that run, with names, in an order in which they can.
        results: what the graph returns.
        known: shapes and constants.
    """
    named = [(name, node) for name, node in nodes if _moves(node, known)]
    moving = [node for _, node in named]
    names = {name for node in moving for name in (*node.input, *node.output)}
    if any(_has_body(node) for node in moving) or not _sized(names, known):
        return None
    graph = _Graph(known, _views(moving), set(results))
    graph.count(moving)
    for name, node in named:
        graph.add(name, node)
    return graph.dataflow(results)


def _moves(node: Any, known: Shapes) -> bool:  # noqa: ANN401 - onnx.NodeProto
    """Return whether a node makes anything at run time that is not computed beforehand."""
    return any(name and not _fixed(name, known) for name in node.output)


def _fixed(name: str, known: Shapes) -> bool:
    return name in known.constants or name in known.values


def _has_body(node: Any) -> bool:  # noqa: ANN401 - onnx.NodeProto
    return any(a.HasField("g") or a.graphs for a in node.attribute)


def _sized(names: set[str], known: Shapes) -> bool:
    return all(name in known.shapes or _fixed(name, known) for name in names if name)


def _views(nodes: Sequence[Any]) -> dict[str, str]:
    """Return, of each tensor that is another one in another shape, that one."""
    same: dict[str, str] = {}
    for node in nodes:
        if node.op_type in VIEWS:
            same[node.output[0]] = same.get(node.input[0], node.input[0])
    return same


@define
class _Graph:
    """Collects the steps.

    Attributes:
        known: shapes and constants.
        same: what is another tensor in another shape.
        results: of the graph.
    """

    known: Shapes
    same: dict[str, str]
    results: set[str]
    _readers: Counter[str] = field(init=False, factory=Counter)
    _numbers: dict[str, int] = field(init=False, factory=dict)
    _words: list[int] = field(init=False, factory=list)
    _steps: list[Step] = field(init=False, factory=list)

    def read(self, node: Any) -> list[str]:  # noqa: ANN401 - onnx.NodeProto
        """Return the tensors that a node reads and that are no constants, each once."""
        names = [self.same.get(x, x) for x in node.input if x and not _fixed(x, self.known)]
        return list(dict.fromkeys(names))

    def count(self, nodes: Sequence[Any]) -> None:
        """Count the readers of every tensor; the outside is one of its results."""
        for node in nodes:
            if node.op_type not in VIEWS:
                self._readers.update(self.read(node))
        self._readers.update(self.same.get(x, x) for x in self.results)

    def add(self, name: str, node: Any) -> None:  # noqa: ANN401 - onnx.NodeProto
        """Add a node's step; nothing where it hands on what it reads, or works in place."""
        if node.op_type in VIEWS:
            return
        read = self.read(node)
        numbers = tuple(dict.fromkeys(self._number(x) for x in read))
        if self._in_place(node, read):
            self._numbers[node.output[0]] = numbers[0]
            return
        wanted = [x for x in node.output if x and self._readers[x]] or list(node.output[:1])
        written = tuple(self._number(x) for x in wanted)
        self._steps.append(Step(name, numbers, written))

    def _in_place(self, node: Any, read: list[str]) -> bool:  # noqa: ANN401 - onnx.NodeProto
        return (
            node.op_type in IN_PLACE
            and len(read) == 1
            and self._readers[read[0]] == 1
            and self._size(read[0]) == self._size(node.output[0])
        )

    def _size(self, name: str) -> int:
        return math.prod(self.known.shapes[name])

    def _number(self, name: str) -> int:
        """Return a tensor's number; a new one's where nobody has written or read it before."""
        if name not in self._numbers:
            self._numbers[name] = len(self._words)
            self._words.append(self._size(name))
        return self._numbers[name]

    def dataflow(self, results: Sequence[str]) -> Dataflow:
        """Return what was collected."""
        names = (self.same.get(name, name) for name in results)
        kept = {self._number(x) for x in names if not _fixed(x, self.known)}
        return Dataflow(tuple(self._words), tuple(self._steps), frozenset(kept))
