"""The PyTorch reader: programs that `torch.export.save` wrote (`.pt2`) as networks."""

from __future__ import annotations

import math
import warnings
import zipfile
from pathlib import Path
from typing import Any

from cosearch.errors import CosearchError, InputError, MissingExtraError
from cosearch.workload.network import Layer, Network, Unmodelled
from cosearch_plugins.readers import operations as count
from cosearch_plugins.readers.linking import Follower
from cosearch_plugins.readers.torch.layers import MAKERS, MOVES_DATA, READS_ALL, Call, OpenShape
from cosearch_plugins.readers.torch.linking import follow
from cosearch_plugins.readers.torch.safety import refuse_what_runs, tensors_only


def read_torch(path: Path) -> Network:
    """Return the network in a file that `torch.export.save` wrote.

    Raises:
        MissingExtraError: torch is not installed.
        InputError: not such a file, one that holds more than tensors and operators, or with open
            dimensions.
    """
    program = _load(path)
    _refuse_open_inputs(path, program)
    signature = program.graph_signature
    constants = {*signature.inputs_to_parameters, *signature.inputs_to_buffers}
    layers: list[Layer] = []
    others: list[Unmodelled] = []
    problems: list[str] = []
    follower = Follower(layers)
    for node in program.graph.nodes:
        if node.op != "call_function":
            continue
        if not hasattr(node.target, "_schema"):
            follower.unknown([x.name for x in node.all_input_nodes], [node.name])
            continue
        call = Call.of(node, frozenset(constants))
        first = len(layers)
        try:
            made = MAKERS[call.kind](call) if call.kind in MAKERS else None
            own = str(node.target).partition(".")[0] in _NAMESPACES
            for item in (_left_out(call, own=own),) if made is None else made:
                if isinstance(item, Layer):
                    layers.append(item)
                else:
                    others.append(item)
            follow(follower, call, first)
        except OpenShape as dimension:
            problems.append(f"{call.kind} {call.name!r}: a dimension is open ({dimension})")
        except (CosearchError, ValueError, IndexError, KeyError, TypeError) as error:
            problems.append(f"{call.kind} {call.name!r}: {error}")
    if problems:
        raise InputError(str(path), problems[:20], _CLOSE)
    parameters = sum(p.numel() for p in program.parameters())
    links = follower.links(_results(program))
    return Network(path.stem, tuple(layers), tuple(others), str(path), parameters, links=links)


def _results(program: Any) -> list[str]:  # noqa: ANN401 - torch.export.ExportedProgram
    """Return the names of what the program returns."""
    ends = [node for node in program.graph.nodes if node.op == "output"]
    return [value.name for node in ends for value in node.all_input_nodes]


def _load(path: Path) -> Any:  # noqa: ANN401 - torch.export.ExportedProgram
    try:
        import torch
    except ImportError:
        raise MissingExtraError("reading PyTorch programs", "torch") from None
    if not zipfile.is_zipfile(path):
        raise InputError(str(path), ["is not a program of torch.export, or is cut off"], _HINT)
    refuse_what_runs(path)
    try:
        with warnings.catch_warnings(), tensors_only():
            warnings.simplefilter("ignore")
            return torch.export.load(path)
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        raise InputError(
            str(path), [f"torch {torch.__version__} cannot load it: {text}"], _HINT
        ) from None


def _refuse_open_inputs(path: Path, program: Any) -> None:  # noqa: ANN401
    inputs = set(program.graph_signature.user_inputs)
    problems = [
        f"input {node.name!r}: dimension {axis} ({length}) is open"
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in inputs
        for axis, length in enumerate(getattr(node.meta.get("val"), "shape", ()))
        if not isinstance(length, int)
    ]
    if problems:
        raise InputError(str(path), problems, _CLOSE)


_CLOSE = "export the program again without dynamic shapes"
_HINT = "write it with: torch.export.save(torch.export.export(model, inputs), 'model.pt2')"


_NAMESPACES = ("aten", "prims")
"""Of PyTorch's own operators; what others do is not known."""


def _left_out(call: Call, *, own: bool) -> Unmodelled:
    if call.kind in MOVES_DATA:
        return Unmodelled(call.name, call.kind, 0, count.MOVES_DATA_REASON)
    if not own:
        return Unmodelled(call.name, call.kind, 0, count.UNKNOWN_OPERATOR_REASON, known=False)
    try:
        result = math.prod(call.result)
        if call.kind in READS_ALL and call.has_tensor("self", "input"):
            result = max(result, math.prod(call.shape("self", "input")))
        kernel = call.given.get("kernel_size")
    except OpenShape:
        return Unmodelled(call.name, call.kind, 0, count.UNKNOWN_SHAPE_REASON, known=False)
    window = math.prod(kernel) if isinstance(kernel, list | tuple) else 1
    return Unmodelled(call.name, call.kind, result * window, count.ELEMENTWISE_REASON)
