"""ONNX files: from bytes to a model whose nodes are in order and whose graph is whole.

Weights are never needed, only their shapes, so files that keep them outside are read without them.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from cosearch.errors import InputError, MissingExtraError

LARGEST = 2**31 - 1
"""Bytes that a protobuf message may have."""

SMALL = 4096
"""Elements of a tensor whose values may matter for shapes; the values of others are dropped."""

Model = Any
"""`onnx.ModelProto`; ONNX has no types to check against."""


def load_model(path: Path) -> Model:
    """Return the model in a file, functions inlined, nodes sorted, large values dropped.

    Raises:
        MissingExtraError: onnx is not installed.
        InputError: not an ONNX file, truncated, cyclic, or with a tensor that nothing makes.
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("reading ONNX files", "onnx") from None
    model = _parsed(path, onnx)
    _refuse_hollow(path, model)
    model = _inlined(path, model)
    _drop_large_values(model)
    _import_all(model)
    _sort(path, model.graph)
    return model


def _parsed(path: Path, onnx: Any) -> Model:  # noqa: ANN401 - the imported module
    from google.protobuf.message import DecodeError

    size = path.stat().st_size
    if size > LARGEST:
        raise InputError(
            str(path),
            [f"has {size:,} bytes; an ONNX file ends at {LARGEST:,}"],
            "save the model with its weights as external data; cosearch does not need them",
        )
    if size == 0:
        raise InputError(str(path), ["is empty"])
    try:
        return onnx.load_model_from_string(path.read_bytes())
    except DecodeError:
        raise InputError(
            str(path), ["is not an ONNX model, or is cut off"], "export or copy the file again"
        ) from None


def _refuse_hollow(path: Path, model: Model) -> None:
    if not model.ir_version or not model.HasField("graph"):
        raise InputError(str(path), ["is not an ONNX model: it has no graph"])
    if not model.opset_import:
        raise InputError(
            str(path),
            ["names no operator set; the file is damaged or cut off"],
            "export or copy the file again",
        )
    if not model.graph.node:
        raise InputError(str(path), ["holds a graph without operators"])
    names = [n for node in model.graph.node for n in (*node.input, *node.output, node.name)]
    names += [n for node in model.graph.node for n in (node.op_type, node.domain)]
    if not all(isinstance(name, str) for name in names):
        raise InputError(str(path), ["is damaged: a name in it is not text"])


def _inlined(path: Path, model: Model) -> Model:
    """Return the model with its own functions replaced by what they are made of."""
    if not model.functions:
        return model
    from onnx import inliner

    try:
        return inliner.inline_local_functions(model)
    except Exception as error:
        raise InputError(
            str(path), [f"its functions cannot be inlined: {' '.join(str(error).split())[:200]}"]
        ) from None


def _import_all(model: Model) -> None:
    """Import the domains of nodes that the file forgot to: inference refuses those it misses."""
    known = {opset.domain or "ai.onnx" for opset in model.opset_import}
    for domain in sorted({node.domain or "ai.onnx" for node in model.graph.node} - known):
        model.opset_import.add(domain=domain, version=1)


def _drop_large_values(model: Model) -> None:
    for tensor in model.graph.initializer:
        elements = 1
        for length in tensor.dims:
            elements *= length
        if elements > SMALL:
            for field in ("raw_data", "float_data", "int32_data", "int64_data", "double_data"):
                tensor.ClearField(field)


def _sort(path: Path, graph: Any) -> None:  # noqa: ANN401 - onnx.GraphProto
    """Put every node behind those whose results it reads; refuse what nothing makes."""
    maker: dict[str, int] = {}
    for i, node in enumerate(graph.node):
        for output in filter(None, node.output):
            if output in maker:
                raise InputError(str(path), [f"two nodes make the tensor {output!r}"])
            maker[output] = i
    known = {t.name for t in graph.input} | {t.name for t in graph.initializer}
    known |= {t.values.name for t in graph.sparse_initializer}
    needs = [_reads(node) for node in graph.node]
    missing = sorted({n for read in needs for n in read if n not in maker and n not in known})
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise InputError(
            str(path),
            [f"nothing makes the tensors {', '.join(map(repr, missing[:5]))}{more}"],
            "the file is damaged or cut off; export it again",
        )
    before = [{maker[name] for name in read if name in maker} for read in needs]
    if any(max(earlier, default=-1) >= i for i, earlier in enumerate(before)):
        _reorder(path, graph, before)


def _reorder(path: Path, graph: Any, before: list[set[int]]) -> None:  # noqa: ANN401
    try:
        order = list(TopologicalSorter(dict(enumerate(before))).static_order())
    except CycleError as error:
        names = ", ".join(repr(node_name(graph.node[i], i)) for i in error.args[1][:5])
        raise InputError(str(path), [f"the graph is cyclic: {names} wait for each other"]) from None
    copies = [type(graph.node[i]).FromString(graph.node[i].SerializeToString()) for i in order]
    del graph.node[:]
    graph.node.extend(copies)


def _reads(node: Any) -> set[str]:  # noqa: ANN401 - onnx.NodeProto
    """Return the tensors that a node reads, those read from outside by its subgraphs included."""
    read = set(filter(None, node.input))
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            inner = {name for n in graph.node for name in _reads(n)}
            made = {name for n in graph.node for name in n.output}
            made |= {t.name for t in (*graph.input, *graph.initializer)}
            read |= inner - made
            read |= {t.name for t in graph.output} - made - {""}
    return read


def node_name(node: Any, position: int) -> str:  # noqa: ANN401 - onnx.NodeProto
    """Return a node's name, or one made of its operator and position."""
    return str(node.name) or f"{node.op_type}_{position}"
