"""What no mapping of a layer can beat on a machine: each part at its least, on its own.

Every operation is done once, and fast at best on all multipliers that the factors of the layer can
fill: 96 channels leave a side of 128 a quarter empty. A multiplier's operands are read
from the innermost memory that holds them, one word serving at most the multipliers that one
instance of it can spread over. Whatever a memory must hold is filled into it once at least, and
read from the memory above. Inputs under a sliding window are left out of the latter: what counts as
reused there can be less than the words that exist.

No bound here is tight; it costs microseconds and rules out machines, not mappings.
"""

from __future__ import annotations

import math
from functools import cache

from cosearch.loopnest.mapping import Constraints, LevelConstraint
from cosearch.loopnest.model.window_floor import least_sent
from cosearch.machine.architecture import AccessEnergy, Architecture, Memory
from cosearch.machine.widths import mode, stored
from cosearch.quantities import added
from cosearch.workload.einsum import Einsum, Tensor

ROUNDING = 1e-9
"""Taken off, relative, as the bound adds up in another order than a price does."""


def floor(
    architecture: Architecture, layer: Einsum, constraints: Constraints | None = None
) -> tuple[float, float]:
    """Return energy (pJ) and cycles that no mapping of the layer undercuts.

    Args:
        architecture: the machine.
        layer: to be mapped with factors that divide its sizes.
        constraints: what a mapping may do, by level name.
    """
    works = mode(architecture, layer)
    energy = layer.macs * works.energy_pj
    energy += added(_tensor(architecture, layer, tensor) for tensor in layer.tensors)
    at_once = _most_at_once(architecture, layer, constraints or {})
    cycles = max(layer.macs / at_once * works.cycles, _outermost(architecture, layer))
    return energy * (1 - ROUNDING), cycles * (1 - ROUNDING)


def _most_at_once(architecture: Architecture, layer: Einsum, constraints: Constraints) -> int:
    """Return how many multipliers can work at once: each side filled by itself as far as it goes.

    Of a dimension, the factors at all levels together divide its size; it may serve both sides
    here, which a mapping could not let it.
    """
    at_once = 1
    for side in range(2):
        spreads = [i for i in range(len(architecture.levels)) if architecture.fanout(i)[side] > 1]
        rules = [constraints.get(architecture.levels[i].name, LevelConstraint()) for i in spreads]
        allowed = [rule.y_dims if side else rule.x_dims for rule in rules]
        sizes = tuple(
            n for dim, n in layer.bounds.items() if any(a is None or dim in a for a in allowed)
        )
        at_once *= _fullest(_reach(architecture, len(architecture.levels) - 1)[side], sizes)
    return at_once


def _reach(architecture: Architecture, level: int) -> tuple[int, int]:
    """Return over how many multipliers, along X and Y, one instance of a level can spread.

    Where there is any fanout at all these are all there are: a mapping may use more below one
    instance than stand there, as long as the whole array has room for them.
    """
    fans = [architecture.fanout(i) for i in range(level + 1)]
    meshes = architecture.compute.mesh_x, architecture.compute.mesh_y
    x, y = (mesh if any(f[i] > 1 for f in fans) else 1 for i, mesh in enumerate(meshes))
    return x, y


@cache
def _fullest(side: int, sizes: tuple[int, ...]) -> int:
    """Return the largest product, up to the side, of one divisor of each size."""
    products = {1}
    for size in sizes:
        divisors = [n for n in range(1, min(side, size) + 1) if size % n == 0]
        products = {p * n for p in products for n in divisors if p * n <= side}
    return max(products)


def _tensor(architecture: Architecture, layer: Einsum, tensor: Tensor) -> float:
    """Return the least energy that one tensor costs in all memories."""
    energy = _operands(architecture, layer, tensor)
    held = [m for m in architecture.levels[:-1] if tensor.role in m.keeps]
    if not held:
        return energy
    outermost = architecture.levels[-1]
    if not _whole(tensor):
        return energy + _window(architecture, layer, tensor) * (
            _element(architecture, held[-1], tensor, "fill")
            + _element(architecture, outermost, tensor, "read")
        )
    if tensor.role == "Outputs":
        passed = added(_element(architecture, m, tensor, "update") for m in (*held[1:], outermost))
    else:
        passed = added(_element(architecture, m, tensor, "fill") for m in held)
        passed += added(_element(architecture, m, tensor, "read") for m in (*held[1:], outermost))
    return energy + layer.words(tensor) * passed


def _operands(architecture: Architecture, layer: Einsum, tensor: Tensor) -> float:
    """Return the least energy of feeding every operation, from whichever memory may hold it."""
    kind = "update" if tensor.role == "Outputs" else "read"
    costs = []
    for level, memory in enumerate(architecture.levels):
        if tensor.role in memory.keeps | memory.may_keep:
            served = math.prod(_reach(architecture, level))
            costs.append(layer.macs / served * _element(architecture, memory, tensor, kind))
        if tensor.role in memory.keeps:
            break
    return min(costs, default=0.0)


def _outermost(architecture: Architecture, layer: Einsum) -> float:
    """Return the cycles in which the outermost memory can move what it must move once."""
    memory = architecture.levels[-1]
    words = added(
        (layer.words(t) if _whole(t) else _window(architecture, layer, t))
        * stored(architecture, memory, t).words
        for t in layer.tensors
    )
    bandwidth = memory.shared_bandwidth
    return 0.0 if bandwidth is None else words / (bandwidth * memory.instances)


def _window(architecture: Architecture, layer: Einsum, tensor: Tensor) -> int:
    """Return the least words of a tensor under a window that leave the outermost memory.

    Known where the memory below it must hold them and is one only, and overlaps are credited as
    Timeloop samples them.
    """
    below = architecture.levels[-2] if len(architecture.levels) > 1 else None
    alone = architecture.fanout(len(architecture.levels) - 1) == (1, 1)
    sampled = not (architecture.rules.geometric_halo or architecture.rules.link_transfers)
    sent = tensor.role != "Outputs" and below is not None and tensor.role in below.keeps
    known = sent and alone and sampled
    return least_sent(layer, tensor) if known else 0


def _whole(tensor: Tensor) -> bool:
    """Whether every word of the tensor has to be moved: it lies under no sliding window."""
    return all(len(axis.terms) == 1 and axis.terms[0][1] == 1 for axis in tensor.axes)


def _element(architecture: Architecture, memory: Memory, tensor: Tensor, kind: str) -> float:
    """Return the least energy of one element's access: instances may share one."""
    part = memory.partitions.get(tensor.role)
    energy: AccessEnergy = part.energy if part else memory.energy
    many, few = stored(architecture, memory, tensor).blocks
    return float(getattr(energy, kind)) * many / (few * memory.cluster_size)
