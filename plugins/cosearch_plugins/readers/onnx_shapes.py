"""Shapes of every tensor of an ONNX graph.

ONNX infers shapes, but gives up where a shape is computed by the graph itself. Here such nodes are
evaluated (by onnx's own reference implementation, on tensors of at most a few thousand elements)
and inference runs again, until nothing new is learned.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from attrs import frozen

from cosearch.einsum_language import MAX_SIZE
from cosearch.errors import InputError
from cosearch_plugins.readers.onnx_contributed import contributed_shapes
from cosearch_plugins.readers.onnx_file import SMALL, Model
from cosearch_plugins.readers.shapes_to_layers import Shape

ROUNDS = 20
"""Of inference and evaluation; each learns at least one node's value."""

FOLDED = frozenset(
    (
        "Abs", "Add", "And", "Cast", "Ceil", "Concat", "ConstantOfShape", "Div", "Equal", "Expand",
        "Flatten", "Floor", "Gather", "GatherND", "Greater", "GreaterOrEqual", "Identity", "Less",
        "LessOrEqual", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Or", "Pow", "Range", "ReduceMax",
        "ReduceMin", "ReduceProd", "ReduceSum", "Reshape", "ScatterND", "Shape", "Size", "Slice",
        "Split", "Sqrt", "Squeeze", "Sub", "Tile", "Transpose", "Unsqueeze", "Where",
    )
)  # fmt: skip
"""Operators that exporters compute shapes with."""


@frozen
class Shapes:
    """What is known of a graph's tensors.

    Attributes:
        shapes: by tensor.
        constants: tensors whose values do not depend on the graph's inputs, by name.
        values: of the small ones among them.
    """

    shapes: Mapping[str, Shape]
    constants: frozenset[str]
    values: Mapping[str, np.ndarray]


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
    values = _initial_values(model.graph)
    shapes: dict[str, Shape] = {}
    for _ in range(ROUNDS):
        known = len(shapes) + len(values)
        shapes |= _inferred(model, source)
        _fold(model, shapes, values)
        _add_contributed(model.graph, shapes)
        if len(shapes) + len(values) == known:
            break
    return Shapes(shapes, _constants(model.graph), values)


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
    problems += [f"there is no open dimension {name!r}" for name in sizes if name not in used]
    if problems:
        raise InputError(source, problems, f"write sizes after the path: {source}:NAME=SIZE,...")


def _forget_open_shapes(graph: Any) -> None:  # noqa: ANN401 - onnx.GraphProto
    """Drop what the file says of inner shapes unless it is all numbers, so that it is inferred."""
    closed = [t for t in graph.value_info if _shape_of(t) is not None]
    del graph.value_info[:]
    graph.value_info.extend(closed)
    for tensor in graph.output:
        if _shape_of(tensor) is None and tensor.type.HasField("tensor_type"):
            tensor.type.tensor_type.ClearField("shape")


def _inferred(model: Model, source: str) -> dict[str, Shape]:
    """Return the shapes that ONNX infers."""
    from onnx import shape_inference

    try:
        inferred = shape_inference.infer_shapes(model, data_prop=True)
    except Exception as error:
        raise InputError(
            source, [f"its shapes cannot be inferred: {' '.join(str(error).split())[:300]}"]
        ) from None
    return _shapes_in(inferred.graph)


def _shapes_in(graph: Any) -> dict[str, Shape]:  # noqa: ANN401 - onnx.GraphProto
    """Return the shapes noted in a graph and in the graphs of its branches and loops."""
    shapes = {t.name: tuple(t.dims) for t in graph.initializer}
    shapes |= {t.values.name: tuple(t.dims) for t in graph.sparse_initializer}
    for tensor in (*graph.input, *graph.value_info, *graph.output):
        shape = _shape_of(tensor)
        if shape is not None:
            shapes[tensor.name] = shape
    for attribute in (a for node in graph.node for a in node.attribute):
        for inner in (attribute.g, *attribute.graphs):
            shapes = _shapes_in(inner) | shapes
    return shapes


def _shape_of(tensor: Any) -> Shape | None:  # noqa: ANN401 - onnx.ValueInfoProto
    kind = tensor.type.tensor_type
    if not tensor.type.HasField("tensor_type") or not kind.HasField("shape"):
        return None
    dims = kind.shape.dim
    if any(not d.HasField("dim_value") or d.dim_value < 0 for d in dims):
        return None
    return tuple(d.dim_value for d in dims)


def _initial_values(graph: Any) -> dict[str, np.ndarray]:  # noqa: ANN401 - onnx.GraphProto
    from onnx import TensorProto

    values: dict[str, np.ndarray] = {}
    for tensor in graph.initializer:
        inside = tensor.data_location != TensorProto.EXTERNAL
        if inside and math.prod(tensor.dims) <= SMALL:
            value = _array(tensor)
            if value is not None:
                values[tensor.name] = value
    return values


def _array(tensor: Any) -> np.ndarray | None:  # noqa: ANN401 - onnx.TensorProto
    """Return a tensor's values, or None where they are damaged or left out."""
    from onnx import numpy_helper

    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except Exception:
        return None


def _fold(model: Model, shapes: Mapping[str, Shape], values: dict[str, np.ndarray]) -> None:
    """Evaluate what depends on known values alone, and write it into the graph as constants."""
    for node in model.graph.node:
        if node.output and node.output[0] in values:
            continue
        results = _evaluated(model, node, shapes, values)
        if results is None or any(r.size > SMALL or r.dtype.kind not in "biuf" for r in results):
            continue
        values.update(zip(node.output, results, strict=False))
        if len(results) == 1 and node.op_type != "Constant":
            _make_constant(node, results[0])


def _evaluated(
    model: Model,
    node: Any,  # noqa: ANN401 - onnx.NodeProto
    shapes: Mapping[str, Shape],
    values: Mapping[str, np.ndarray],
) -> list[np.ndarray] | None:
    """Return the results of a node, or None where they are not known."""
    if node.op_type == "Constant":
        return _constant_value(node)
    if node.op_type not in FOLDED or node.domain not in ("", "ai.onnx") or not node.input:
        return None
    if node.op_type in ("Shape", "Size") and node.input[0] in shapes:
        shape = shapes[node.input[0]]
        if node.op_type == "Size":
            return [np.array(math.prod(shape), dtype=np.int64)]
        bounds = {a.name: a.i for a in node.attribute}
        return [np.array(shape[bounds.get("start", 0) : bounds.get("end")], dtype=np.int64)]
    if any(name and name not in values for name in node.input):
        return None
    if _promised(node, shapes) > SMALL:
        return None
    return _run(model, node, values)


def _promised(node: Any, shapes: Mapping[str, Shape]) -> int:  # noqa: ANN401 - onnx.NodeProto
    """Return the elements of a node's largest result where its shape is known, else 0."""
    return max((math.prod(shapes[name]) for name in node.output if name in shapes), default=0)


def _run(
    model: Model,
    node: Any,  # noqa: ANN401 - onnx.NodeProto
    values: Mapping[str, np.ndarray],
) -> list[np.ndarray] | None:
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    if node.op_type in ("ConstantOfShape", "Expand", "Tile", "Range") and _too_large(node, values):
        return None
    given = {name: values[name] for name in node.input if name}
    inputs = [helper.make_tensor_value_info(name, 1, None) for name in given]
    outputs = [helper.make_tensor_value_info(name, 1, None) for name in node.output]
    graph = helper.make_graph([node], "one", inputs, outputs)
    single = helper.make_model(graph, opset_imports=list(model.opset_import))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [np.asarray(r) for r in ReferenceEvaluator(single).run(None, given)]
    except Exception:
        return None


def _too_large(node: Any, values: Mapping[str, np.ndarray]) -> bool:  # noqa: ANN401
    """Return whether a node would make a large tensor out of a few numbers."""
    numbers = [values[name].astype(np.float64) for name in node.input if name]
    if node.op_type == "Range":
        if [n.size for n in numbers] != [1, 1, 1]:
            return True
        start, limit, step = (float(n.ravel()[0]) for n in numbers)
        return step == 0 or (limit - start) / step > SMALL
    if not numbers:
        return True
    sizes = numbers[-1]
    return float(np.prod(np.abs(sizes))) * (numbers[0].size if len(numbers) > 1 else 1) > SMALL


def _constant_value(node: Any) -> list[np.ndarray] | None:  # noqa: ANN401 - onnx.NodeProto
    if not node.attribute:
        return None
    attribute = node.attribute[0]
    if attribute.name == "value":
        value = _array(attribute.t) if math.prod(attribute.t.dims) <= SMALL else None
        return None if value is None else [value]
    if attribute.name in ("value_int", "value_ints"):
        numbers = attribute.i if attribute.name == "value_int" else list(attribute.ints)
        return [np.array(numbers, dtype=np.int64)]
    if attribute.name in ("value_float", "value_floats"):
        floats = attribute.f if attribute.name == "value_float" else list(attribute.floats)
        return [np.array(floats, dtype=np.float32)]
    return None


def _make_constant(node: Any, value: np.ndarray) -> None:  # noqa: ANN401 - onnx.NodeProto
    from onnx import helper, numpy_helper

    tensor = numpy_helper.from_array(np.ascontiguousarray(value).reshape(value.shape))
    constant = helper.make_node("Constant", [], [node.output[0]], name=node.name, value=tensor)
    node.CopyFrom(constant)


def _add_contributed(graph: Any, shapes: dict[str, Shape]) -> None:  # noqa: ANN401
    """Add the shapes that operators outside the ONNX standard make, for the next round."""
    from onnx import TensorProto, helper

    for node in graph.node:
        for name, shape in contributed_shapes(node, shapes).items():
            if name and name not in shapes:
                shapes[name] = shape
                info = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                graph.value_info.append(info)


def _constants(graph: Any) -> frozenset[str]:  # noqa: ANN401 - onnx.GraphProto
    """Return the tensors that do not depend on the graph's inputs."""
    constant = {t.name for t in graph.initializer}
    constant |= {t.values.name for t in graph.sparse_initializer}
    for node in graph.node:
        if all(name in constant for name in node.input if name):
            constant.update(node.output)
    return frozenset(constant)
