"""A layer as the matrix multiplication that an array of cells runs.

Every dimension belongs to one of four groups, told by which tensors it moves: M moves inputs and
outputs (pixels, batch), N moves weights and outputs (filters), K moves weights and inputs (the
reduction), and B moves all three (groups): the array runs one multiplication per B.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

from attrs import frozen

from cosearch.errors import Infeasible
from cosearch.workload.einsum import Einsum, Tensor

Group: TypeAlias = Literal["M", "N", "K", "B"]
GROUPS: tuple[Group, ...] = ("M", "N", "K", "B")

_GROUP_OF_ROLES: dict[frozenset[str], Group] = {
    frozenset({"Inputs", "Outputs"}): "M",
    frozenset({"Weights", "Outputs"}): "N",
    frozenset({"Weights", "Inputs"}): "K",
    frozenset({"Weights", "Inputs", "Outputs"}): "B",
}


@frozen
class GemmView:
    """Which group each dimension is in.

    Attributes:
        layer: the einsum.
        groups: group of each dimension, in the order of `layer.dims`.
    """

    layer: Einsum
    groups: tuple[Group, ...]

    def size(self, group: Group) -> int:
        """Return the product of the group's dimensions."""
        pairs = zip(self.groups, self.layer.sizes, strict=True)
        return math.prod(size for g, size in pairs if g == group)

    def tensor(self, role: str) -> Tensor:
        """Return the tensor of a role."""
        return next(t for t in self.layer.tensors if t.role == role)

    @property
    def windows(self) -> frozenset[str]:
        """Reduction dimensions that slide over the input (a filter's width and height)."""
        shared = [
            {dim for dim, _ in axis.terms}
            for axis in self.tensor("Inputs").axes
            if len(axis.terms) > 1
        ]
        reduction = {d for d, g in zip(self.layer.dims, self.groups, strict=True) if g == "K"}
        return frozenset(set().union(*shared) & reduction)


def gemm_view(layer: Einsum) -> GemmView:
    """Return the view, or raise Infeasible for a layer that is no matrix multiplication."""
    if sorted(t.role for t in layer.tensors) != ["Inputs", "Outputs", "Weights"]:
        names = ", ".join(t.name for t in layer.tensors)
        raise Infeasible(
            f"layer {layer.name!r} has the tensors {names}: a systolic array "
            "multiplies one input by one weight tensor"
        )
    groups: list[Group] = []
    for dim in layer.dims:
        roles = frozenset(t.role for t in layer.tensors if dim in t.dims)
        if roles not in _GROUP_OF_ROLES:
            raise Infeasible(
                f"layer {layer.name!r}: dimension {dim} moves only {', '.join(sorted(roles))}, "
                "which no matrix multiplication does"
            )
        groups.append(_GROUP_OF_ROLES[roles])
    return GemmView(layer, tuple(groups))
