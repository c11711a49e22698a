"""The ONNX reader: any ONNX file as a network, and a list of what the cost model leaves out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cosearch.errors import CosearchError, InputError
from cosearch.workload import Layer, Network, Unmodelled
from cosearch_plugins.readers.onnx_file import Model, load_model, node_name
from cosearch_plugins.readers.onnx_layers import UnknownShape, layers_of
from cosearch_plugins.readers.onnx_left_out import left_out
from cosearch_plugins.readers.onnx_shapes import Shapes, infer


def read_onnx(path: Path, sizes: Mapping[str, int]) -> Network:
    """Return the network in an ONNX file.

    Args:
        path: the file.
        sizes: for dimensions that the file leaves open, by name.

    Raises:
        MissingExtraError: onnx is not installed.
        InputError: the file cannot be understood; every problem is named.
    """
    source = str(path)
    model = load_model(path)
    known = infer(model, sizes, source)
    layers: list[Layer] = []
    others: list[Unmodelled] = []
    problems: list[str] = []
    for name, node in _named(model):
        if not _runs(node, known):
            continue
        try:
            made = layers_of(node, name, known)
        except UnknownShape as tensor:
            problems.append(f"{node.op_type} {name!r}: the shape of {str(tensor)!r} is not known")
            continue
        except (CosearchError, ValueError, IndexError, ZeroDivisionError) as error:
            problems.append(f"{node.op_type} {name!r}: {error}")
            continue
        if made is None:
            others.append(left_out(node, name, known))
        else:
            layers += made
    if problems:
        raise InputError(
            source, problems[:20],
            "shapes are known where inputs are of fixed size and nothing depends on data",
        )  # fmt: skip
    parameters = _parameters(model)
    return Network(path.stem, tuple(layers), tuple(others), source, parameters)


def _named(model: Model) -> list[tuple[str, Any]]:
    """Return the nodes with names that are unique."""
    seen: dict[str, int] = {}
    named: list[tuple[str, Any]] = []
    for i, node in enumerate(model.graph.node):
        name = node_name(node, i)
        seen[name] = seen.get(name, 0) + 1
        named.append((name if seen[name] == 1 else f"{name}#{seen[name]}", node))
    return named


def _runs(node: Any, known: Shapes) -> bool:  # noqa: ANN401 - onnx.NodeProto
    """Return whether a node does anything at run time: what is constant is computed beforehand."""
    return not node.output or any(name not in known.constants for name in node.output)


def _parameters(model: Model) -> int:
    """Return the numbers stored in the model, but for running statistics, shapes and scalars."""
    nodes = model.graph.node
    norms = [node for node in nodes if node.op_type == "BatchNormalization"]
    statistics = {name for node in norms for name in node.input[3:5]}
    inline = [
        a.t for n in nodes if n.op_type == "Constant" for a in n.attribute if a.name == "value"
    ]
    stored = [t for t in model.graph.initializer if t.name not in statistics]
    numbers = [t for t in (*stored, *inline) if t.dims and t.data_type not in _INDICES]
    return sum(math.prod(t.dims) for t in numbers)


_INDICES = (6, 7, 9)
"""`TensorProto.INT32`, `INT64` and `BOOL`: shapes, axes and masks rather than weights."""
