"""What no mapping of a layer can beat on a machine: each part at its least, on its own.

Every operation is done once, and fast at best on all multipliers that the factors of the layer can
fill: 96 channels leave a side of 128 a quarter empty. A multiplier's operands are read
from the innermost memory that holds them, one word serving at most the multipliers that one
instance of it can spread over; a partial sum is read to be added to, all but the first of each
instance. Whatever a memory must hold is filled into it once at least, and again where the memory is
too small (see `refetch`), and read from the memory above. Inputs under a sliding window are left
out of the latter: what counts as reused there can be less than the words that exist.

It rules out machines, not mappings.
"""

from __future__ import annotations

import math
from functools import cache

from cosearch.loopnest.mapping import UNCONSTRAINED, Constraints
from cosearch.loopnest.model.refetch import Repeat, least_repeated
from cosearch.loopnest.model.window_floor import least_sent
from cosearch.machine.architecture import AccessEnergy, Architecture, Memory
from cosearch.machine.widths import mode, stored
from cosearch.quantities import added
from cosearch.workload.einsum import Einsum, Tensor

ROUNDING = 1e-9
"""Taken off, relative, as the bound adds up in another order than a price does."""


def floor(
    architecture: Architecture,
    layer: Einsum,
    constraints: Constraints | None = None,
    *,
    tight: bool = False,
) -> tuple[float, float]:
    """Return energy (pJ) and cycles that no mapping of the layer undercuts.

    Args:
        architecture: the machine.
        layer: to be mapped with factors that divide its sizes.
        constraints: what a mapping may do, by level name.
        tight: count partial sums that are read and what comes again too, which takes
            longer; mappers do without, and choose among equal mappings as ever.
    """
    works = mode(architecture, layer)
    energy = layer.macs * works.energy_pj
    energy += added(_tensor(architecture, layer, tensor, tight=tight) for tensor in layer.tensors)
    inner = range(len(architecture.levels) - 1)
    passing = [_between(architecture, layer, level, tight=tight) for level in inner]
    energy += added(pj for pj, _ in passing)
    at_once = _most_at_once(architecture, layer, constraints or {})
    waits = _outermost(architecture, layer, passing[-1][1] if passing else 0.0)
    cycles = max(layer.macs / at_once * works.cycles, waits)
    return energy * (1 - ROUNDING), cycles * (1 - ROUNDING)


def _most_at_once(architecture: Architecture, layer: Einsum, constraints: Constraints) -> int:
    """Return how many multipliers can work at once: each side filled by itself as far as it goes.

    Of a dimension, the factors at all levels together divide its size; it may serve both sides
    here, which a mapping could not let it.
    """
    at_once = 1
    for side in range(2):
        spreads = [i for i in range(len(architecture.levels)) if architecture.fanout(i)[side] > 1]
        rules = [constraints.get(architecture.levels[i].name, UNCONSTRAINED) for i in spreads]
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


def _tensor(architecture: Architecture, layer: Einsum, tensor: Tensor, *, tight: bool) -> float:
    """Return the least energy of feeding a tensor to the multipliers, and of one under a window."""
    energy = _operands(architecture, layer, tensor, tight=tight)
    held = [m for m in architecture.levels[:-1] if tensor.role in m.keeps]
    if _whole(tensor) or not held:
        return energy
    return energy + _window(architecture, layer, tensor) * (
        _element(architecture, held[-1], tensor, "fill")
        + _element(architecture, architecture.levels[-1], tensor, "read")
    )


def _between(
    architecture: Architecture, layer: Einsum, level: int, *, tight: bool
) -> tuple[float, float]:
    """Return the least energy of words that come from the memory above a level, or go there.

    And how many words of that memory they are; of tensors under no window.
    """
    energies, words = {}, {}
    others = [0.0, 0.0]
    for tensor in filter(_whole, layer.tensors):
        here = _holder(architecture, level, tensor)
        if here is None:
            continue
        energy = _energy(architecture, layer, tensor, here, level + 1)
        moved = _moved(architecture, layer, tensor, here, level + 1)
        if not tight or any(
            tensor.role in m.may_keep for m in architecture.levels[here + 1 : level + 1]
        ):
            others = [others[0] + energy.each, others[1] + moved.each]
        else:
            energies[tensor.name], words[tensor.name] = energy, moved
    least = least_repeated(architecture, layer, level, (energies, words))
    return others[0] + least[0], others[1] + least[1]


def _holder(architecture: Architecture, level: int, tensor: Tensor) -> int | None:
    """Return the level that is sent a tensor from the memory above a level; None if none is."""
    levels, last = architecture.levels, len(architecture.levels) - 1
    if level + 1 < last and tensor.role not in levels[level + 1].keeps:
        return None
    held = (i for i in range(level, -1, -1) if tensor.role in levels[i].keeps)
    return next(held, None)


def _energy(
    architecture: Architecture, layer: Einsum, tensor: Tensor, level: int, above: int
) -> Repeat:
    """Return what a tensor's words cost that pass between a memory and the next holder above.

    Partial sums go up, and all but the first of each instance come down again.
    """
    here, there = architecture.levels[level], architecture.levels[above]
    words = layer.words(tensor)
    fill = words * _element(architecture, here, tensor, "fill")
    read = words * _element(architecture, there, tensor, "read")
    if tensor.role != "Outputs":
        return Repeat(level, fill + read)
    update = words * _element(architecture, there, tensor, "update")
    copies = _copies(there, layer, tensor), _copies(here, layer, tensor)
    return Repeat(level, update, ((read, copies[0]), (fill, copies[1])))


def _moved(
    architecture: Architecture, layer: Einsum, tensor: Tensor, level: int, above: int
) -> Repeat:
    """Return how many words of the memory above a tensor takes; results are read to be added to."""
    there = architecture.levels[above]
    words = layer.words(tensor) * stored(architecture, there, tensor).words
    copies = _copies(there, layer, tensor)
    return Repeat(level, words, ((words, copies),) if tensor.role == "Outputs" else ())


def _operands(architecture: Architecture, layer: Einsum, tensor: Tensor, *, tight: bool) -> float:
    """Return the least energy of feeding every operation, from whichever memory may hold it."""
    kind = "update" if tensor.role == "Outputs" else "read"
    costs = []
    for level, memory in enumerate(architecture.levels):
        if tensor.role in memory.keeps | memory.may_keep:
            served = layer.macs / math.prod(_reach(architecture, level))
            energy = served * _element(architecture, memory, tensor, kind)
            if tight and tensor.role == "Outputs" and _whole(tensor):
                fresh = layer.words(tensor) * _copies(memory, layer, tensor)
                added_to = max(0.0, served - fresh)
                energy += added_to * _element(architecture, memory, tensor, "read")
            costs.append(energy)
        if tensor.role in memory.keeps:
            break
    return min(costs, default=0.0)


def _copies(memory: Memory, layer: Einsum, tensor: Tensor) -> int:
    """Return how many instances can hold partial sums of one result: each reads all but its first.

    A reduction may be spread over both sides here, which a mapping could not do twice.
    """
    sizes = tuple(n for dim, n in layer.bounds.items() if dim not in tensor.dims)
    return _fullest(memory.mesh_x, sizes) * _fullest(memory.mesh_y, sizes)


def _outermost(architecture: Architecture, layer: Einsum, words: float) -> float:
    """Return the cycles in which the outermost memory can move what it must.

    Args:
        architecture: the machine.
        layer: to be mapped.
        words: to and from memories that must hold a tensor under no window.
    """
    memory = architecture.levels[-1]
    if memory.shared_bandwidth is None:
        return 0.0
    for tensor in layer.tensors:
        held = any(tensor.role in m.keeps for m in architecture.levels[:-1])
        if not (_whole(tensor) and held):
            least = layer.words(tensor) if _whole(tensor) else _window(architecture, layer, tensor)
            words += least * stored(architecture, memory, tensor).words
    return words / (memory.shared_bandwidth * memory.instances)


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
    return float(getattr(energy, kind)) * many / few * memory.clusters / memory.instances
