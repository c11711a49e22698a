"""Networks as ZigZag's workloads."""

from __future__ import annotations

from cosearch.errors import InputError
from cosearch.workload.einsum import Axis, Einsum, Tensor
from cosearch.workload.network import Network
from cosearch.workload.writer import WorkloadWriter, Written

USUAL = {"Weights": 8, "Inputs": 8, "Outputs": 16}
"""Bits of tensors whose width is not known, as in ZigZag's examples."""
LETTERS = {"Weights": "W", "Inputs": "I", "Outputs": "O"}
NAMES = {"N": "B", "P": "OX", "Q": "OY", "R": "FX", "S": "FY"}
"""ZigZag's usual names of a convolution's dimensions."""


class ZigZagWriter(WorkloadWriter):
    """ZigZag's workload YAML."""

    def write(self, network: Network) -> Written:
        """Return one file; a layer that runs several times stands in it as often."""
        problems: list[str] = []
        lines: list[str] = []
        number = 0
        for layer in network.layers:
            for again in range(layer.count):
                name = layer.name if again == 0 else f"{layer.name}#{again + 1}"
                try:
                    lines += _layer(layer.einsum, number, name)
                except ValueError as error:
                    problems.append(f"{layer.name}: {error}")
                    break
                number += 1
        if problems:
            raise InputError(f"{network.name} as a ZigZag workload", problems)
        open_widths = any(t.bits is None for x in network.layers for t in x.einsum.tensors)
        assumed = ", ".join(f"{LETTERS[role]}: {bits}" for role, bits in USUAL.items())
        notes = (
            *((f"widths that are not known here are assumed: {assumed}",) if open_widths else ()),
            "every layer stands alone: no operand is another layer's output",
        )
        return Written({"workload.yaml": "\n".join(lines) + "\n"}, notes)


def _layer(einsum: Einsum, number: int, name: str) -> list[str]:
    if sorted(tensor.role for tensor in einsum.tensors) != sorted(LETTERS):
        raise ValueError("ZigZag's layers have one weight and one input operand")
    relations: list[str] = []
    by_role = {t.role: _tensor(t, relations) for t in einsum.tensors}
    kind = "Conv" if relations else "Gemm"
    sizes = ", ".join(str(size) for size in einsum.sizes)
    return [
        f"- id: {number}",
        f'  name: "{_quoted(name)}"',
        f"  operator_type: {kind}",
        f"  equation: {by_role['Outputs']}+={by_role['Weights']}*{by_role['Inputs']}",
        f"  dimension_relations: [{', '.join(relations)}]",
        f"  loop_dims: [{', '.join(_dim(dim) for dim in einsum.dims)}]",
        f"  loop_sizes: [{sizes}]",
        f"  operand_precision: {_precision(einsum)}",
        f"  operand_source: {{I: {number}, W: {number}}}",
    ]


def _precision(einsum: Einsum) -> str:
    bits = {LETTERS[t.role]: t.bits or USUAL[t.role] for t in einsum.tensors}
    final = 8 if einsum.output.bits is None else einsum.output.bits
    return f"{{W: {bits['W']}, I: {bits['I']}, O: {bits['O']}, O_final: {final}}}"


def _tensor(tensor: Tensor, relations: list[str]) -> str:
    axes = "".join(f"[{_axis(axis, relations)}]" for axis in tensor.axes)
    return LETTERS[tensor.role] + axes


def _axis(axis: Axis, relations: list[str]) -> str:
    """Return an axis' name; one of several terms is a dimension of its own, with a relation."""
    if len(axis.terms) == 1 and axis.terms[0][1] == 1:
        return _dim(axis.terms[0][0]).lower()
    if len(axis.terms) != 2:
        raise ValueError("an index is not a dimension nor a sum of two, all that ZigZag knows")
    pixel = _dim(axis.terms[0][0]).lower()
    name = f"i{pixel[1:]}" if pixel in ("ox", "oy") else f"i{pixel}"
    terms = "+".join(f"{factor}*{_dim(dim).lower()}" for dim, factor in axis.terms)
    relations.append(f"{name}={terms}")
    return name


def _dim(dim: str) -> str:
    return NAMES.get(dim, dim)


def _quoted(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')
