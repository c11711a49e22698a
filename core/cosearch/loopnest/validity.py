"""Whether a mapping can run at all; which rule it breaks first, and by how much."""

from __future__ import annotations

import math
from collections.abc import Iterator
from enum import Enum

from cosearch.errors import CosearchError, Infeasible
from cosearch.loopnest.mapping import Mapping
from cosearch.loopnest.nest import MAC, Nest
from cosearch.machine.architecture import Architecture
from cosearch.machine.widths import rooms
from cosearch.quantities import added
from cosearch.workload.einsum import Einsum


class Rule(Enum):
    """What makes a mapping invalid, in the order in which Timeloop looks."""

    FACTORS = "factors do not multiply up to the dimension"
    KEPT_NOWHERE = "a tensor is kept nowhere"
    INSTANCES = "more instances than there are"
    SPATIAL_X = "spread too far along X"
    SPATIAL_Y = "spread too far along Y"
    CAPACITY = "tiles exceed the capacity"


class InvalidMapping(Infeasible):
    """A mapping that breaks a rule.

    Attributes:
        rule: which.
        place: the level (or `MAC`), dimension or tensor where.
        used: what the mapping asks for.
        allowed: what there is.
    """

    def __init__(
        self, rule: Rule, place: str, used: int, allowed: int, text: str, hint: str
    ) -> None:
        self.rule, self.place, self.used, self.allowed = rule, place, used, allowed
        super().__init__(text, {rule.value: used / allowed if allowed else math.inf}, hint)


def check(architecture: Architecture, layer: Einsum, mapping: Mapping) -> None:
    """Raise InvalidMapping with the first broken rule, or CosearchError for a misfit of names."""
    for broken in violations(architecture, layer, mapping):
        raise broken


def refuse_misfits(architecture: Architecture, layer: Einsum, mapping: Mapping) -> None:
    """Raise CosearchError where a mapping names levels, dimensions or tensors that do not exist."""
    names = [level.name for level in architecture.levels]
    mapped = [entry.level for entry in mapping.levels]
    if mapped != names:
        raise CosearchError(
            f"the mapping describes the levels {' '.join(mapped) or '(none)'}, "
            f"the architecture has {' '.join(names)} (inner to outer)"
        )
    tensors = {tensor.name for tensor in layer.tensors}
    for entry in mapping.levels:
        if strange := entry.keep - tensors:
            raise CosearchError(
                f"the mapping keeps {' '.join(sorted(strange))} at {entry.level}, "
                f"layer {layer.name!r} has the tensors {' '.join(sorted(tensors))}"
            )
        for loop in entry.spatial + entry.temporal:
            if loop.dim not in layer.dims or loop.bound < 1:
                raise CosearchError(
                    f"the mapping has the loop {loop.dim}={loop.bound} at {entry.level}, "
                    f"layer {layer.name!r} has the dimensions {' '.join(layer.dims)}"
                )


def violations(
    architecture: Architecture, layer: Einsum, mapping: Mapping
) -> Iterator[InvalidMapping]:
    """Yield every broken rule: factors, tensors kept nowhere, the multipliers, then the levels.

    Raises:
        CosearchError: the mapping names levels, dimensions or tensors that do not exist.
    """
    refuse_misfits(architecture, layer, mapping)
    yield from _factors(layer, mapping)
    yield from _kept_nowhere(layer, mapping)
    nest = Nest.of(layer, mapping)
    yield from _spatial(architecture, mapping, MAC)
    for level, entry in enumerate(mapping.levels):
        yield from _capacity(architecture, entry.keep, nest, level)
        yield from _spatial(architecture, mapping, level)


def _factors(layer: Einsum, mapping: Mapping) -> Iterator[InvalidMapping]:
    extent = mapping.tile(len(mapping.levels) - 1, layer.dims)
    for dim, size in layer.bounds.items():
        if extent[dim] != size:
            yield InvalidMapping(
                Rule.FACTORS,
                dim,
                extent[dim],
                size,
                f"the factors of {dim} multiply up to {extent[dim]}, its size is {size}",
                f"choose factors of {dim} whose product is {size}",
            )


def _kept_nowhere(layer: Einsum, mapping: Mapping) -> Iterator[InvalidMapping]:
    for tensor in layer.tensors:
        if not any(tensor.name in entry.keep for entry in mapping.levels):
            yield InvalidMapping(
                Rule.KEPT_NOWHERE,
                tensor.name,
                0,
                1,
                f"{tensor.name} bypasses every level",
                f"keep {tensor.name} at the outermost level",
            )


def _spatial(architecture: Architecture, mapping: Mapping, level: int) -> Iterator[InvalidMapping]:
    """Compare used instances with those there are, over all levels above; Timeloop's order."""
    there = architecture.compute if level == MAC else architecture.levels[level]
    above = mapping.levels[level + 1 :]
    used_x = math.prod(loop.bound for entry in above for loop in entry.spatial_x)
    used_y = math.prod(loop.bound for entry in above for loop in entry.spatial_y)
    for rule, used, allowed, what in (
        (Rule.INSTANCES, used_x * used_y, there.instances, "instances"),
        (Rule.SPATIAL_X, used_x, there.mesh_x, "instances along X"),
        (Rule.SPATIAL_Y, used_y, there.mesh_y, "instances along Y"),
    ):
        if used > allowed:
            yield InvalidMapping(
                rule,
                there.name,
                used,
                allowed,
                f"the mapping uses {used} {what} of {there.name}, there are {allowed}",
                f"lower the spatial factors of the levels above {there.name}",
            )


def _capacity(
    architecture: Architecture, kept: frozenset[str], nest: Nest, level: int
) -> Iterator[InvalidMapping]:
    """Compare tiles with the room for them: of each partition, and of the memory they share."""
    memory, tensors = architecture.levels[level], nest.layer.tensors
    for room in rooms(architecture, memory, nest.layer):
        name = memory.name if room.role is None else f"{memory.name} ({room.role})"
        tiles = {
            t.name: math.prod(nest.box(t, level)) * takes
            for t, takes in zip(tensors, room.takes, strict=True)
            if takes and t.name in kept
        }
        used = added(tiles.values())
        if used > room.limit:
            listed = " + ".join(f"{t} {n}" for t, n in tiles.items())
            yield InvalidMapping(
                Rule.CAPACITY,
                memory.name,
                used,
                room.limit,
                f"tiles of {used} {room.unit} ({listed}) exceed the {room.limit} {room.unit} of "
                f"{name}",
                f"move factors from {memory.name} or below it to outer levels, or bypass it",
            )
