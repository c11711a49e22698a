"""What an ONNX file holds beside layers: each operator with its operations and the reason."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from cosearch.errors import CosearchError
from cosearch.workload.network import Unmodelled
from cosearch_plugins.readers import operations as count
from cosearch_plugins.readers.einsum_products import einsum_letters
from cosearch_plugins.readers.onnx.contributed import COUNTED_BY_ELEMENT, MOVES_DATA
from cosearch_plugins.readers.onnx.file import node_name
from cosearch_plugins.readers.onnx.layers import layers_of, maker_of
from cosearch_plugins.readers.onnx.node import Node, UnknownShape
from cosearch_plugins.readers.onnx.shapes import Shapes

STANDARD = ("", "ai.onnx")


def kind_of(node: Any) -> str:  # noqa: ANN401 - onnx.NodeProto
    """Return an operator's name, with its domain where it is not the standard's."""
    return str(node.op_type if node.domain in STANDARD else f"{node.domain}.{node.op_type}")


def left_out(node: Any, name: str, known: Shapes) -> Unmodelled:  # noqa: ANN401 - onnx.NodeProto
    """Return what is said of a node that made no layer."""
    kind = kind_of(node)
    graphs = [g for a in node.attribute for g in ((a.g,) if a.HasField("g") else a.graphs)]
    if graphs:
        operations, reason, sure = _control_flow(node, graphs, known)
        return Unmodelled(name, kind, operations, reason, sure)
    if node.op_type in count.MOVES_DATA | MOVES_DATA:
        return Unmodelled(name, kind, 0, count.MOVES_DATA_REASON)
    if not _is_known(node) or node.op_type in DEPENDS_ON_DATA:
        reason = count.DATA_REASON if _is_known(node) else count.UNKNOWN_OPERATOR_REASON
        return Unmodelled(name, kind, 0, reason, known=False)
    wrapped = Node.of(node, name, known)
    try:
        for counted, reason in _RULES:
            found = counted(wrapped)
            if found is not None:
                return Unmodelled(name, kind, found, reason)
    except UnknownShape:
        pass
    return Unmodelled(name, kind, 0, count.UNKNOWN_SHAPE_REASON, known=False)


DEPENDS_ON_DATA = frozenset(
    (
        "LinearAttention", "MaxRoiPool", "NonMaxSuppression", "SVMClassifier", "SVMRegressor",
        "TfIdfVectorizer", "TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor",
        "ImageDecoder", "RegexFullMatch", "StringNormalizer", "StringSplit",
    )
)  # fmt: skip
"""Operators whose operations do not follow from shapes, or whose rule is not read."""


def _is_known(node: Any) -> bool:  # noqa: ANN401 - onnx.NodeProto
    """Return whether an operator is one of the standard or a counted one of ONNX Runtime."""
    from onnx import defs

    if node.op_type in COUNTED_BY_ELEMENT or maker_of(node.domain, node.op_type) is not None:
        return True
    return bool(defs.has(node.op_type, domain="" if node.domain in STANDARD else node.domain))


def _products(node: Node) -> int | None:
    """Return the multiplications of a convolution or einsum that no layer describes, else None."""
    if node.kind == "Einsum" and len(node.inputs) > 1:
        shapes = tuple(node.shape(i) for i in range(len(node.inputs)))
        letters = einsum_letters(node.attrs.text("equation"), shapes)
        return None if letters is None else math.prod(letters[2].values())
    if node.kind == "Conv":
        return math.prod(node.result) * math.prod(node.shape(1)[1:])
    if node.kind == "ConvTranspose":
        return math.prod(node.shape(0)) * math.prod(node.shape(1)[1:])
    if node.kind in ("FusedMatMul", "TransposeMatMul", "FusedMatMulActivation"):
        inner: int = node.shape(0)[-2 if node.attrs.integer("transA", 0) else -1]
        return math.prod(node.result) * inner
    return None


def _most(node: Node) -> int | None:
    """Return the most operations of operators that read several elements into each, else None."""
    if node.kind in _SAMPLES:
        usual = "linear" if node.kind == "GridSample" else "nearest"
        mode = node.attrs.text("mode", usual)
        taps = {"cubic": 4, "bicubic": 4, "nearest": 1}.get(mode, 2)
        return math.prod(node.result) * math.prod([taps] * (len(node.result) - 2))
    if node.kind == "DFT":
        return 4 * math.prod(node.result) * max(node.shape(0))
    if node.kind == "STFT":
        return 4 * math.prod(node.result) * max(node.shape(0))
    if node.kind == "LRN":
        return math.prod(node.result) * node.attrs.integer("size", 1)
    if node.kind == "Det":
        return math.prod(node.shape(0)) * node.shape(0)[-1]
    if node.kind in ("LinearClassifier", "LinearRegressor"):
        return math.prod(node.shape(0)) * max(1, node.attrs.integer("targets", _classes(node)))
    return None


_SAMPLES = ("GridSample", "Resize", "Upsample")


def _classes(node: Node) -> int:
    """Return the classes of a linear classifier: its coefficients over its features."""
    weights = node.attrs.by_name.get("coefficients")
    return 1 if weights is None else int(len(weights.floats) // node.shape(0)[-1])


def _elementwise(node: Node) -> int | None:
    result = math.prod(node.result)
    if node.kind == "Einsum" or node.kind in count.READS_ALL:
        return max(result, math.prod(node.shape(0)))
    return result * math.prod(node.attrs.integers("kernel_shape", ()))


_RULES: tuple[tuple[Callable[[Node], int | None], str], ...] = (
    (_products, count.OTHER_FORM_REASON),
    (_most, count.MOST_REASON),
    (_elementwise, count.ELEMENTWISE_REASON),
)


def _control_flow(node: Any, graphs: list[Any], known: Shapes) -> tuple[int, str, bool]:  # noqa: ANN401
    """Return operations, the reason, and whether that is all of them."""
    bodies = [_operations(graph, known) for graph in graphs]
    sure = all(body[1] for body in bodies)
    if node.op_type == "If":
        return max(body[0] for body in bodies), count.BRANCH_REASON, sure
    once = sum(body[0] for body in bodies)
    steps = _steps(node, known)
    if steps is None:
        return once, count.OPEN_LOOP_REASON, False
    return once * steps, count.LOOP_REASON, sure


def _steps(node: Any, known: Shapes) -> int | None:  # noqa: ANN401 - onnx.NodeProto
    """Return how often a Loop or Scan runs its body, where that is known."""
    if node.op_type == "Loop" and node.input and node.input[0] in known.values:
        return int(known.values[node.input[0]].ravel()[0])
    if node.op_type == "Scan" and node.input and node.input[-1] in known.shapes:
        shape = known.shapes[node.input[-1]]
        return shape[0] if shape else None
    return None


def _operations(graph: Any, known: Shapes) -> tuple[int, bool]:  # noqa: ANN401 - onnx.GraphProto
    """Return the operations of a subgraph, its layers included, and whether these are all."""
    total, sure = 0, True
    for i, node in enumerate(graph.node):
        name = node_name(node, i)
        try:
            made = layers_of(node, name, known)
        except (UnknownShape, CosearchError, ValueError, IndexError, ZeroDivisionError):
            sure = False
            continue
        for item in (left_out(node, name, known),) if made is None else made:
            if isinstance(item, Unmodelled):
                total, sure = total + item.operations, sure and item.known
            else:
                total += item.einsum.macs * item.count
    return total, sure
