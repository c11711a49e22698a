"""Networks as Timeloop's problem files, one different layer a file."""

from __future__ import annotations

import re

from cosearch.errors import InputError
from cosearch.workload.einsum import Axis, Einsum
from cosearch.workload.network import Network
from cosearch.workload.writer import WorkloadWriter, Written


class TimeloopWriter(WorkloadWriter):
    """Timeloop's problem YAML, version 0.4."""

    def write(self, network: Network) -> Written:
        """Return a file for each different layer; how often it runs is in a note."""
        files: dict[str, str] = {}
        notes: list[str] = []
        problems: list[str] = []
        for layer in network.unique:
            if sorted(t.role for t in layer.einsum.tensors) != ["Inputs", "Outputs", "Weights"]:
                problems.append(
                    f"{layer.name}: has not one weight, one input and one output tensor"
                )
                continue
            file = _file_name(layer.name, files)
            files[file] = _problem(layer.einsum, layer.count)
            if layer.count > 1:
                notes.append(f"{file} runs {layer.count} times")
        if problems:
            raise InputError(f"{network.name} as Timeloop's problems", problems)
        return Written(files, tuple(notes))


def _file_name(layer: str, taken: dict[str, str]) -> str:
    stem = re.sub(r"[^\w.-]", "_", layer).lstrip(".") or "layer"
    names = (f"{stem}{'' if i == 1 else f'-{i}'}.yaml" for i in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _problem(einsum: Einsum, runs: int) -> str:
    names = {t.role: f"{t.role}" for t in einsum.tensors}
    factors = sorted({f for t in einsum.tensors for axis in t.axes for _, f in axis.terms} - {1})
    lines = [
        *([f"# runs {runs} times"] if runs > 1 else []),
        "problem:",
        '  version: "0.4"',
        "  shape:",
        "    name: layer",
        f"    dimensions: [{', '.join(einsum.dims)}]",
    ]
    if factors:
        listed = ", ".join(f"{{name: {_factor(f)}, default: {f}}}" for f in factors)
        lines.append(f"    coefficients: [{listed}]")
    lines.append("    data_spaces:")
    for tensor in einsum.tensors:
        lines.append(f"    - name: {names[tensor.role]}")
        lines.append(f"      projection: [{', '.join(map(_axis, tensor.axes))}]")
        if tensor.role == "Outputs":
            lines.append("      read_write: true")
    sizes = ", ".join(f"{dim}: {size}" for dim, size in einsum.bounds.items())
    bits = ", ".join(f"{names[t.role]}: {t.bits}" for t in einsum.tensors if t.bits is not None)
    widths = [f"bitwidths: {{{bits}}}"] if bits else []
    told = [sizes, *(f"{_factor(f)}: {f}" for f in factors), *widths]
    lines.append(f"  instance: {{{', '.join(told)}}}")
    return "\n".join(lines) + "\n"


def _axis(axis: Axis) -> str:
    terms = (f"[{dim}]" if f == 1 else f"[{dim}, {_factor(f)}]" for dim, f in axis.terms)
    return f"[{', '.join(terms)}]"


def _factor(value: int) -> str:
    return f"times{value}"
