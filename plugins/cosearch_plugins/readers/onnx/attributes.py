"""Attributes of an ONNX node as Python values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from cosearch_plugins.readers.shapes_to_layers import Shape


@frozen
class Attributes:
    """Attributes by name, with defaults where the operator has them."""

    by_name: Mapping[str, Any]

    def integer(self, name: str, default: int) -> int:
        """Return a whole number."""
        return int(self.by_name[name].i) if name in self.by_name else default

    def integers(self, name: str, default: Shape) -> Shape:
        """Return whole numbers."""
        return tuple(self.by_name[name].ints) if name in self.by_name else default

    def text(self, name: str, default: str = "") -> str:
        """Return a text."""
        return self.by_name[name].s.decode(errors="replace") if name in self.by_name else default


def attributes(node: Any) -> Attributes:  # noqa: ANN401 - onnx.NodeProto
    """Return the attributes of a node."""
    return Attributes({a.name: a for a in node.attribute})


def window_lengths(lengths: Shape, kernel: Shape, attrs: Attributes) -> Shape:
    """Return how many windows fit along each axis of a convolution or pooling.

    ONNX operator specification, Conv: with explicit pads, `floor((length + pads - dilation *
    (kernel - 1) - 1) / stride) + 1`; with `auto_pad` SAME, `ceil(length / stride)`.
    """
    axes = len(kernel)
    strides = attrs.integers("strides", (1,) * axes)
    dilations = attrs.integers("dilations", (1,) * axes)
    pads = attrs.integers("pads", (0,) * 2 * axes)
    if attrs.text("auto_pad").startswith("SAME"):
        return tuple(-(-length // s) for length, s in zip(lengths, strides, strict=True))
    if attrs.text("auto_pad") == "VALID":
        pads = (0,) * 2 * axes
    return tuple(
        (length + pads[i] + pads[i + axes] - dilations[i] * (kernel[i] - 1) - 1) // strides[i] + 1
        for i, length in enumerate(lengths)
    )
