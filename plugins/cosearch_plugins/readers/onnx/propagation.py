"""Shapes node by node, from what is known of operands to results.

A node whose operands' values are known is evaluated. Else ONNX's own inference is asked about that
node alone; an operator that says nothing of its results in the file's version is read as in the
next version that does. What is left are operators of ONNX Runtime and those few of the standard
that keep a shape without saying so.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from cosearch_plugins.readers.onnx.attributes import attributes
from cosearch_plugins.readers.onnx.contributed import contributed_shapes
from cosearch_plugins.readers.onnx.file import Model
from cosearch_plugins.readers.onnx.folding import fold
from cosearch_plugins.readers.shapes_to_layers import Shape

STANDARD_DOMAINS = ("", "ai.onnx")

KEEPS_SHAPE = frozenset(
    ("GroupNormalization", "MeanVarianceNormalization", "Imputer", "Normalizer", "Scaler")
)
"""Standard operators (`ai.onnx`, `ai.onnx.ml`) without inference whose result is like operand 0."""


def propagate(model: Model, shapes: dict[str, Shape], values: dict[str, np.ndarray]) -> bool:
    """Learn what follows from known shapes and values, in the order of the nodes.

    Args:
        model: what is learned is noted in it too.
        shapes: known ones, by tensor; added to.
        values: of small constant tensors, by name; added to.

    Returns:
        Whether anything was learned.
    """
    types = _element_types(model.graph)
    before = len(shapes) + len(values)
    for node in model.graph.node:
        if fold(model, node, shapes, values):
            shapes.update({n: values[n].shape for n in node.output if n in values})
        if all(name in shapes for name in node.output if name):
            continue
        for name, (kind, shape) in _results(model, node, shapes, values, types).items():
            if name and name not in shapes:
                shapes[name], types[name] = shape, kind
                _note(model.graph, name, kind, shape)
    return len(shapes) + len(values) > before


def has_bodies(graph: Any) -> bool:  # noqa: ANN401 - onnx.GraphProto
    """Return whether a graph has branches or loops."""
    return any(a.HasField("g") or a.graphs for node in graph.node for a in node.attribute)


def shape_of(tensor: Any) -> Shape | None:  # noqa: ANN401 - onnx.ValueInfoProto
    """Return a tensor's shape where it is all numbers, else None."""
    kind = tensor.type.tensor_type
    if not tensor.type.HasField("tensor_type") or not kind.HasField("shape"):
        return None
    dims = kind.shape.dim
    if any(not d.HasField("dim_value") or d.dim_value < 0 for d in dims):
        return None
    return tuple(d.dim_value for d in dims)


def _element_types(graph: Any) -> dict[str, int]:  # noqa: ANN401 - onnx.GraphProto
    """Return the element types that a graph states."""
    types = {t.name: t.data_type for t in graph.initializer}
    for tensor in (*graph.input, *graph.value_info, *graph.output):
        types[tensor.name] = tensor.type.tensor_type.elem_type
    return {name: kind for name, kind in types.items() if kind}


def _results(
    model: Model,
    node: Any,  # noqa: ANN401 - onnx.NodeProto
    shapes: dict[str, Shape],
    values: dict[str, np.ndarray],
    types: dict[str, int],
) -> dict[str, tuple[int, Shape]]:
    """Return element type and shape of a node's results, as far as they follow."""
    from onnx import TensorProto

    own = types.get(node.input[0], TensorProto.FLOAT) if node.input else TensorProto.FLOAT
    if node.op_type in KEEPS_SHAPE and node.domain in (*STANDARD_DOMAINS, "ai.onnx.ml"):
        known = node.input[0] in shapes
        return {node.output[0]: (own, shapes[node.input[0]])} if known else {}
    version = _version(model, node)
    if version:
        return _asked(node, version, shapes, values, types)
    return {n: (own, shape) for n, shape in contributed_shapes(node, shapes).items()}


def _version(model: Model, node: Any) -> int:  # noqa: ANN401 - onnx.NodeProto
    """Return the version in which ONNX infers a node's results, the file's or a later; 0: none."""
    opsets = {o.domain or "ai.onnx": o.version for o in model.opset_import}
    return _inferring(node.op_type, node.domain, opsets.get(node.domain or "ai.onnx", 1))


@lru_cache(maxsize=1024)
def _inferring(kind: str, domain: str, version: int) -> int:
    from onnx import defs

    domain = "" if domain in STANDARD_DOMAINS else domain
    for later in range(version, max(version, defs.onnx_opset_version()) + 1):
        if not defs.has(kind, domain=domain, max_inclusive_version=later):
            continue
        if defs.get_schema(kind, later, domain).has_type_and_shape_inference_function:
            return later
    return 0


def _asked(
    node: Any,  # noqa: ANN401 - onnx.NodeProto
    version: int,
    shapes: dict[str, Shape],
    values: dict[str, np.ndarray],
    types: dict[str, int],
) -> dict[str, tuple[int, Shape]]:
    """Return what ONNX infers for a node alone; nothing where it stumbles."""
    from onnx import TensorProto, helper, numpy_helper, shape_inference

    if any(a.HasField("g") or a.graphs for a in node.attribute):
        return {}
    operands = [name for name in dict.fromkeys(node.input) if name in shapes]
    inputs = [
        helper.make_tensor_value_info(n, types.get(n, TensorProto.FLOAT), shapes[n])
        for n in operands
    ]
    stored = [numpy_helper.from_array(np.ascontiguousarray(values[n]).reshape(values[n].shape), n)
              for n in operands if n in values]  # fmt: skip
    graph = helper.make_graph([_modern(node, version)], "one", inputs, [], stored)
    opset = helper.make_opsetid(node.domain, version)
    single = helper.make_model(graph, opset_imports=[opset])
    try:
        found = shape_inference.infer_shapes(single, data_prop=True).graph.value_info
    except Exception:
        return {}
    made = ((t.name, t.type.tensor_type.elem_type, shape_of(t)) for t in found)
    return {name: (kind, shape) for name, kind, shape in made if shape is not None}


def _modern(node: Any, version: int) -> Any:  # noqa: ANN401 - onnx.NodeProto
    """Return a node of the first operator sets as a later one writes it."""
    from onnx import helper

    attrs = attributes(node)
    extra: dict[str, Any] = {}
    if node.op_type == "Concat" and version == 4 and "axis" not in attrs.by_name:
        extra["axis"] = 1
    if node.op_type == "Pad" and version == 2 and "paddings" in attrs.by_name:
        extra["pads"] = list(attrs.integers("paddings", ()))
    if not extra:
        return node
    copy = type(node).FromString(node.SerializeToString())
    copy.attribute.extend(helper.make_attribute(k, v) for k, v in extra.items())
    return copy


def _note(graph: Any, name: str, kind: int, shape: Shape) -> None:  # noqa: ANN401
    from onnx import helper

    graph.value_info.append(helper.make_tensor_value_info(name, kind, shape))
