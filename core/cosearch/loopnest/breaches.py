"""Which constraints a given mapping does not keep to, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from cosearch.loopnest.mapping import (
    UNCONSTRAINED,
    Constraints,
    LevelConstraint,
    LevelMapping,
    Loop,
)
from cosearch.loopnest.mapping import Mapping as LoopNest
from cosearch.machine.architecture import Architecture
from cosearch.workload.einsum import Einsum


def breaches(
    constraints: Constraints, architecture: Architecture, layer: Einsum, mapping: LoopNest
) -> Iterator[str]:
    """Yield every constraint that a mapping breaks.

    Args:
        constraints: by level; dimensions that the layer does not have are passed over.
        architecture: the machine.
        layer: mapped.
        mapping: one entry a level.
    """
    used = math.prod(loop.bound for entry in mapping.levels for loop in entry.spatial)
    for memory, entry in zip(architecture.levels, mapping.levels, strict=True):
        rule = constraints.get(memory.name, UNCONSTRAINED)
        for text in _of_level(rule, layer, entry):
            yield f"{memory.name}: {text}"
        if used < rule.least_multipliers:
            yield f"{used} multipliers are in use, {rule.least_multipliers} have to be"


def _of_level(rule: LevelConstraint, layer: Einsum, entry: LevelMapping) -> Iterator[str]:
    time, space = _factors(entry.temporal), _factors(entry.spatial)
    for what, given, fixed, most in (
        ("temporal", time, rule.temporal, rule.temporal_most),
        ("spatial", space, rule.spatial, rule.spatial_most),
    ):
        for dim in layer.dims:
            factor = given.get(dim, 1)
            if fixed.get(dim, factor) != factor:
                yield f"the {what} factor of {dim} is {factor}, constrained to {fixed[dim]}"
            if factor > most.get(dim, factor):
                yield f"the {what} factor of {dim} is {factor}, constrained to {most[dim]} at most"
    yield from _directions(rule, entry)
    yield from _order(rule, entry)
    for tensor in layer.tensors:
        names = {tensor.name, tensor.role}
        kept = tensor.name in entry.keep
        if not kept and rule.keep & names:
            yield f"{tensor.name} has to be kept"
        if kept and rule.bypass & names:
            yield f"{tensor.name} has to pass"


def _directions(rule: LevelConstraint, entry: LevelMapping) -> Iterator[str]:
    for what, loops, allowed in (
        ("X", entry.spatial_x, rule.x_dims),
        ("Y", entry.spatial_y, rule.y_dims),
    ):
        if allowed is not None:
            for dim in (loop.dim for loop in loops if loop.bound > 1 and loop.dim not in allowed):
                yield f"{dim} must not be spread along {what}"


def _order(rule: LevelConstraint, entry: LevelMapping) -> Iterator[str]:
    """Compare the loops that turn with the prescribed order; those it does not name stand outside.

    At the innermost level too, where no count depends on it.
    """
    if rule.order is None:
        return
    turning = [loop.dim for loop in entry.temporal if loop.bound > 1]
    named = [dim for dim in rule.order if dim in turning]
    if turning[: len(named)] != named:
        yield f"the loops {' '.join(turning)} stand in another order than {' '.join(rule.order)}"


def _factors(loops: tuple[Loop, ...]) -> Mapping[str, int]:
    out: dict[str, int] = {}
    for loop in loops:
        out[loop.dim] = out.get(loop.dim, 1) * loop.bound
    return out
