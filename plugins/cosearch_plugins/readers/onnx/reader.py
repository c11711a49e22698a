"""The ONNX reader: any ONNX file as a network, and a list of what the cost model leaves out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve

from cosearch.errors import CosearchError, InputError
from cosearch.workload.network import Layer, Network, Unmodelled
from cosearch_plugins.readers.linking import Follower
from cosearch_plugins.readers.onnx.dataflow import dataflow_of
from cosearch_plugins.readers.onnx.file import Model, load_model, node_name
from cosearch_plugins.readers.onnx.layers import layers_of
from cosearch_plugins.readers.onnx.left_out import kind_of, left_out
from cosearch_plugins.readers.onnx.linking import follow
from cosearch_plugins.readers.onnx.node import UnknownShape
from cosearch_plugins.readers.onnx.shapes import Shapes, infer


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
    follower = Follower(layers)
    running = [(name, node) for name, node in _named(model) if _runs(node, known)]
    for name, node in running:
        try:
            made = layers_of(node, name, known)
        except UnknownShape as tensor:
            told = _origin(model, known, str(tensor))
            problems.append(f"{node.op_type} {name!r}: the shape of {str(tensor)!r} {told}")
            continue
        except (CosearchError, ValueError, IndexError, ZeroDivisionError) as error:
            problems.append(f"{node.op_type} {name!r}: {error}")
            continue
        first = len(layers)
        for item in (left_out(node, name, known),) if made is None else made:
            if isinstance(item, Layer):
                layers.append(item)
            else:
                others.append(evolve(item, kind=kind_of(node)))
        follow(follower, node, first, known)
    if problems:
        raise InputError(
            source,
            problems[:20],
            "shapes are known where inputs are of fixed size and nothing depends on data; a shape "
            "that the file states itself (value_info) is believed",
        )
    results = [tensor.name for tensor in model.graph.output]
    links, flow = follower.links(results), dataflow_of(running, results, known)
    parameters = _parameters(model, known)
    return Network(
        path.stem, tuple(layers), tuple(others), source, parameters, links=links, dataflow=flow
    )


def _named(model: Model) -> list[tuple[str, Any]]:
    """Return the nodes with names that are unique."""
    seen: dict[str, int] = {}
    named: list[tuple[str, Any]] = []
    for i, node in enumerate(model.graph.node):
        name = node_name(node, i)
        seen[name] = seen.get(name, 0) + 1
        named.append((name if seen[name] == 1 else f"{name}#{seen[name]}", node))
    return named


def _origin(model: Model, known: Shapes, tensor: str) -> str:
    """Return that a shape is not known, with the operator where knowledge ends."""
    makers = {name: node for node in model.graph.node for name in node.output}
    first, seen = tensor, {""}
    while first in makers and first not in seen:
        seen.add(first)
        unknown = [name for name in makers[first].input if name and name not in known.shapes]
        if not unknown:
            break
        first = unknown[0]
    if first not in makers:
        return "is not known"
    node = makers[first]
    return f"is not known: {kind_of(node)} makes {first!r}, and its shape does not follow"


def _runs(node: Any, known: Shapes) -> bool:  # noqa: ANN401 - onnx.NodeProto
    """Return whether a node does anything at run time: what is constant is computed beforehand."""
    return not node.output or any(name not in known.constants for name in node.output)


def _parameters(model: Model, known: Shapes) -> int:
    """Return the numbers that nodes read from the model, but for statistics, shapes and scalars.

    Statistics are the running means and variances of batch norms.
    """
    running = [node for node in model.graph.node if _runs(node, known)]
    norms = [node for node in running if node.op_type == "BatchNormalization"]
    statistics = {name for node in norms for name in node.input[3:5]}
    read = {name for node in running for name in node.input if name in known.constants}
    indices = {t.name for t in model.graph.initializer if t.data_type in _INDICES}
    indices |= {name for name, value in known.values.items() if value.dtype.kind in "bUSO"}
    indices |= {n for n, v in known.values.items() if v.dtype.kind == "i" and v.dtype.itemsize > 2}
    counted = read - statistics - indices
    return sum(math.prod(known.shapes[name]) for name in counted if known.shapes.get(name))


_INDICES = (6, 7, 9)
"""`TensorProto.INT32`, `INT64` and `BOOL`: shapes, axes and masks rather than weights."""
