"""Values of an ONNX graph's small tensors, as far as they do not depend on its inputs.

Exporters compute shapes inside the graph; evaluating those nodes with onnx's own reference
implementation tells what shape inference alone cannot.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from cosearch_plugins.readers.onnx.file import SMALL, Model
from cosearch_plugins.readers.shapes_to_layers import Shape

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


def stored_values(graph: Any) -> dict[str, np.ndarray]:  # noqa: ANN401 - onnx.GraphProto
    """Return the values of the small tensors that are stored in a graph."""
    values: dict[str, np.ndarray] = {}
    for tensor in graph.initializer:
        if math.prod(tensor.dims) <= SMALL:
            value = _array(tensor)
            if value is not None:
                values[tensor.name] = value
    return values


def _array(tensor: Any) -> np.ndarray | None:  # noqa: ANN401 - onnx.TensorProto
    """Return a tensor's values, or None where they are damaged, left out or in another file.

    Files beside the model are never opened: a path in it may lead anywhere.
    """
    from onnx import TensorProto, numpy_helper

    if tensor.data_location == TensorProto.EXTERNAL:
        return None
    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except Exception:
        return None


def fold(
    model: Model,
    node: Any,  # noqa: ANN401 - onnx.NodeProto
    shapes: Mapping[str, Shape],
    values: dict[str, np.ndarray],
) -> bool:
    """Evaluate a node that depends on known values alone, and make it a constant of the graph.

    Returns:
        Whether its results became known.
    """
    if node.output and node.output[0] in values:
        return False
    results = _evaluated(model, node, shapes, values)
    if results is None or any(r.size > SMALL or r.dtype.kind not in "biuf" for r in results):
        return False
    values.update(zip(node.output, results, strict=False))
    if len(results) == 1 and node.op_type != "Constant":
        _make_constant(node, results[0])
    return True


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
    if _promised(node, shapes) > SMALL or _reads_files(node):
        return None
    return _run(model, node, values)


def _reads_files(node: Any) -> bool:  # noqa: ANN401 - onnx.NodeProto
    """Return whether an attribute keeps its values in another file."""
    return any(a.HasField("t") and a.t.data_location == a.t.EXTERNAL for a in node.attribute)


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
    repeats = math.prod(abs(float(length)) for length in numbers[-1].ravel())
    return repeats * (numbers[0].size if len(numbers) > 1 else 1) > SMALL


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
