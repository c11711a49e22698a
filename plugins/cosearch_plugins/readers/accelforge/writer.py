"""Networks as AccelForge's workloads."""

from __future__ import annotations

import re

from cosearch.errors import InputError
from cosearch.workload.einsum import Axis, Einsum, Tensor
from cosearch.workload.network import Network
from cosearch.workload.writer import WorkloadWriter, Written

BITS = 8


class AccelForgeWriter(WorkloadWriter):
    """AccelForge's workload YAML; every layer has ranks and tensors of its own."""

    def write(self, network: Network) -> Written:
        """Return one file."""
        problems = [
            f"{layer.name}: has not one weight, one input and one output tensor"
            for layer in network.layers
            if sorted(t.role for t in layer.einsum.tensors) != ["Inputs", "Outputs", "Weights"]
        ]
        if problems:
            raise InputError(f"{network.name} as an AccelForge workload", problems)
        sizes: list[str] = []
        einsums: list[str] = []
        for i, layer in enumerate(network.layers):
            sizes += [f"    {dim}{i}: {size}" for dim, size in layer.einsum.bounds.items()]
            einsums += _einsum(layer.einsum, i, layer.count)
        text = [
            "workload:",
            "  rank_sizes:",
            *sizes,
            f"  bits_per_value: {{All: {BITS}}}",
            "  einsums:",
            *einsums,
        ]
        notes = (
            f"where widths are not known here, {BITS} bits are assumed",
            "every layer stands alone: no tensor is another layer's output",
        )
        return Written({"workload.yaml": "\n".join(text) + "\n"}, notes)


def _einsum(einsum: Einsum, number: int, runs: int) -> list[str]:
    name = re.sub(r"\W", "_", einsum.name)
    return [
        f"  - name: {name}_{number}",
        *([f"    n_instances: {runs}"] if runs > 1 else []),
        "    tensor_accesses:",
        *(_access(tensor, number) for tensor in einsum.tensors),
        f"    renames: {{weight: W{number}, input: I{number}, output: O{number}}}",
    ]


def _access(tensor: Tensor, number: int) -> str:
    ranks = ", ".join(_index(tensor, i, axis, number) for i, axis in enumerate(tensor.axes))
    output = ", output: True" if tensor.role == "Outputs" else ""
    bits = "" if tensor.bits is None else f", bits_per_value: {tensor.bits}"
    return f"    - {{name: {tensor.role[0]}{number}, projection: {{{ranks}}}{output}{bits}}}"


def _index(tensor: Tensor, place: int, axis: Axis, number: int) -> str:
    """Return rank and index; an index of several terms has a rank without a size of its own."""
    terms = [
        f"{'' if factor == 1 else f'{factor}*'}{dim.lower()}{number}" for dim, factor in axis.terms
    ]
    alone = len(axis.terms) == 1 and axis.terms[0][1] == 1
    rank = f"{axis.terms[0][0]}{number}" if alone else f"{tensor.role[0]}axis{place}_{number}"
    return f"{rank}: {' + '.join(terms)}"
