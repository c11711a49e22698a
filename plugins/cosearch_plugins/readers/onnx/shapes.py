"""Shapes of every tensor of an ONNX graph.

ONNX infers shapes of the whole graph, but gives up where a shape is computed by the graph itself or
an operator says nothing of its results. From there on it goes node by node, see `propagation`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from attrs import field, frozen

from cosearch.errors import InputError
from cosearch.workload.language import MAX_SIZE
from cosearch_plugins.readers.onnx.file import Model
from cosearch_plugins.readers.onnx.folding import stored_values
from cosearch_plugins.readers.onnx.propagation import has_bodies, propagate, shape_of
from cosearch_plugins.readers.shapes_to_layers import Shape

ROUNDS = 20
"""Of inference of the whole graph: bodies of branches and loops are learned from outside in."""


@frozen
class Shapes:
    """What is known of a graph's tensors.

    Attributes:
        shapes: by tensor.
        constants: tensors whose values do not depend on the graph's inputs, by name.
        values: of the small ones among them.
        makers: tensor to the node of the graph that makes it.
        types: by tensor, numbers of `TensorProto.DataType`.
    """

    shapes: Mapping[str, Shape]
    constants: frozenset[str]
    values: Mapping[str, np.ndarray]
    makers: Mapping[str, Any] = field(factory=dict)
    types: Mapping[str, int] = field(factory=dict)


def infer(model: Model, sizes: Mapping[str, int], source: str) -> Shapes:
    """Return the shapes of a model's tensors.

    Args:
        model: as `load_model` returns it; its inputs' open dimensions are filled in.
        sizes: for open dimensions, by name, or `input.axis` where they have none.
        source: the file, for messages.

    Raises:
        InputError: an input's dimension is open and no size is given for it, or inference finds
            the shapes contradictory.
    """
    _close_inputs(model.graph, sizes, source)
    _forget_open_shapes(model.graph)
    values = stored_values(model.graph)
    shapes, types = _inferred(model, source)
    for _ in range(ROUNDS):
        if not propagate(model, shapes, values) or not has_bodies(model.graph):
            break
        shapes |= _inferred_again(model)
    makers = {name: node for node in model.graph.node for name in node.output if name}
    return Shapes(shapes, _constants(model.graph), values, makers, types)


def _close_inputs(graph: Any, sizes: Mapping[str, int], source: str) -> None:  # noqa: ANN401
    stored = {t.name for t in graph.initializer}
    problems = [
        f"stored tensor {t.name!r} has the impossible shape {list(t.dims)}"
        for t in graph.initializer
        if not all(0 <= length <= MAX_SIZE for length in t.dims)
    ]
    used: set[str] = set()
    for tensor in graph.input:
        if tensor.name in stored or not tensor.type.HasField("tensor_type"):
            continue
        if not tensor.type.tensor_type.HasField("shape"):
            problems.append(f"input {tensor.name!r} has no shape at all")
            continue
        for axis, dim in enumerate(tensor.type.tensor_type.shape.dim):
            if dim.HasField("dim_value") and dim.dim_value > 0:
                if dim.dim_value > MAX_SIZE:
                    problems.append(f"input {tensor.name!r}: {dim.dim_value} is no size")
                continue
            name = dim.dim_param or f"{tensor.name}.{axis}"
            if name in sizes:
                dim.dim_value = sizes[name]
                used.add(name)
            else:
                problems.append(f"input {tensor.name!r}: dimension {axis} ({name}) is open")
    used |= _close_inner(graph, sizes)
    problems += [f"there is no open dimension {name!r}" for name in sizes if name not in used]
    if problems:
        raise InputError(source, problems, f"write sizes after the path: {source}:NAME=SIZE,...")


def _close_inner(graph: Any, sizes: Mapping[str, int]) -> set[str]:  # noqa: ANN401
    """Give sizes to named dimensions of inner tensors and results; return the names."""
    tensors = [t.type.tensor_type.shape.dim for t in (*graph.value_info, *graph.output)]
    dims = [dim for tensor in tensors for dim in tensor if dim.dim_param in sizes]
    names = {dim.dim_param for dim in dims}
    for dim in dims:
        dim.dim_value = sizes[dim.dim_param]
    return names


def _forget_open_shapes(graph: Any) -> None:  # noqa: ANN401 - onnx.GraphProto
    """Drop what the file says of inner shapes unless it is all numbers, so that it is inferred."""
    closed = [t for t in graph.value_info if shape_of(t) is not None]
    del graph.value_info[:]
    graph.value_info.extend(closed)
    for tensor in graph.output:
        if shape_of(tensor) is None and tensor.type.HasField("tensor_type"):
            tensor.type.tensor_type.ClearField("shape")


def _inferred(model: Model, source: str) -> tuple[dict[str, Shape], dict[str, int]]:
    """Return the shapes and the types that ONNX infers."""
    from onnx import shape_inference

    try:
        inferred = shape_inference.infer_shapes(model, data_prop=True)
    except Exception as error:
        raise InputError(
            source, [f"its shapes cannot be inferred: {' '.join(str(error).split())[:300]}"]
        ) from None
    return _shapes_in(inferred.graph), _types_in(inferred.graph)


def _types_in(graph: Any) -> dict[str, int]:  # noqa: ANN401 - onnx.GraphProto
    types = {t.name: int(t.data_type) for t in graph.initializer}
    for tensor in (*graph.input, *graph.value_info, *graph.output):
        if tensor.type.HasField("tensor_type"):
            types[tensor.name] = int(tensor.type.tensor_type.elem_type)
    return types


def _inferred_again(model: Model) -> dict[str, Shape]:
    """Return the shapes that ONNX infers from what was learned; none where it stumbles."""
    from onnx import shape_inference

    try:
        return _shapes_in(shape_inference.infer_shapes(model, data_prop=True).graph)
    except Exception:
        return {}


def _shapes_in(graph: Any) -> dict[str, Shape]:  # noqa: ANN401 - onnx.GraphProto
    """Return the shapes noted in a graph and in the graphs of its branches and loops."""
    shapes = {t.name: tuple(t.dims) for t in graph.initializer}
    shapes |= {t.values.name: tuple(t.dims) for t in graph.sparse_initializer}
    for tensor in (*graph.input, *graph.value_info, *graph.output):
        shape = shape_of(tensor)
        if shape is not None:
            shapes[tensor.name] = shape
    for attribute in (a for node in graph.node for a in node.attribute):
        for inner in (attribute.g, *attribute.graphs):
            shapes = _shapes_in(inner) | shapes
    return shapes


def _constants(graph: Any) -> frozenset[str]:  # noqa: ANN401 - onnx.GraphProto
    """Return the tensors that do not depend on the graph's inputs."""
    constant = {t.name for t in graph.initializer}
    constant |= {t.values.name for t in graph.sparse_initializer}
    for node in graph.node:
        if all(name in constant for name in node.input if name):
            constant.update(node.output)
    return frozenset(constant)
