"""A node of an ONNX graph with what is known of its tensors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from attrs import frozen

from cosearch.quantities import added
from cosearch.workload.network import Layer, Unmodelled
from cosearch_plugins.readers.onnx.attributes import Attributes, attributes
from cosearch_plugins.readers.onnx.shapes import Shapes
from cosearch_plugins.readers.shapes_to_layers import Shape


class UnknownShape(Exception):  # noqa: N818 - caught where the node's name is known
    """A tensor whose shape is needed and not known."""


@frozen
class Node:
    """A node with what is known of its tensors.

    Attributes:
        name: unique in the graph.
        kind: the operator.
        inputs: names of the operands, empty where one is left out.
        outputs: names of the results.
        attrs: attributes.
        known: shapes and values of the graph.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Attributes
    known: Shapes

    @classmethod
    def of(cls, node: Any, name: str, known: Shapes) -> Node:  # noqa: ANN401 - onnx.NodeProto
        """Return a node of the file."""
        inputs, outputs = tuple(node.input), tuple(node.output)
        return cls(name, node.op_type, inputs, outputs, attributes(node), known)

    def has(self, i: int) -> bool:
        """Return whether operand i is given."""
        return i < len(self.inputs) and bool(self.inputs[i])

    def shape(self, i: int) -> Shape:
        """Return the shape of operand i, or raise UnknownShape."""
        if not self.has(i):
            raise UnknownShape(f"operand {i}")
        return self._shape(self.inputs[i])

    def maybe(self, i: int) -> Shape | None:
        """Return the shape of operand i, None where it is left out; raises UnknownShape."""
        return self.shape(i) if self.has(i) else None

    @property
    def result(self) -> Shape:
        """The shape of the first result; raises UnknownShape."""
        return self._shape(self.outputs[0] if self.outputs else "(no result)")

    def constant(self, i: int) -> bool:
        """Return whether operand i is part of the model."""
        return self.has(i) and self.inputs[i] in self.known.constants

    def _shape(self, name: str) -> Shape:
        if name not in self.known.shapes:
            raise UnknownShape(name)
        return self.known.shapes[name]


Layers: TypeAlias = tuple[Layer | Unmodelled, ...] | None
"""What a node comes to: layers, and what it does beside them."""


def beside(node: Node, made: Iterable[Layer], reason: str) -> Unmodelled:
    """Return what a node does to every element that some of its layers make, one operation each."""
    elements = added(x.einsum.words(x.einsum.output) * x.count for x in made)
    return Unmodelled(f"{node.name}.beside", node.kind, elements, reason)
