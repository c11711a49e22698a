"""What no mapping of a layer can beat on a machine: each part at its least, on its own.

Every operation is done once, and fast at best on all multipliers. A multiplier's operands are read
from the innermost memory that holds them, one word serving at most the multipliers below one
instance of it. Whatever a memory must hold is filled into it once at least, and read from the
memory above. Inputs under a sliding window are left out of the latter: what counts as reused there
can be less than the words that exist.

No bound here is tight; it costs microseconds and rules out machines, not mappings.
"""

from __future__ import annotations

from cosearch.architecture import AccessEnergy, Architecture, Memory
from cosearch.einsum import Einsum, Tensor

ROUNDING = 1e-9
"""Taken off, relative, as the bound adds up in another order than a price does."""


def floor(architecture: Architecture, layer: Einsum) -> tuple[float, float]:
    """Return energy (pJ) and cycles that no mapping of the layer undercuts."""
    energy = layer.macs * architecture.compute.energy_pj
    energy += sum(_tensor(architecture, layer, tensor) for tensor in layer.tensors)
    cycles = max(layer.macs / architecture.compute.instances, _outermost(architecture, layer))
    return energy * (1 - ROUNDING), cycles * (1 - ROUNDING)


def _tensor(architecture: Architecture, layer: Einsum, tensor: Tensor) -> float:
    """Return the least energy that one tensor costs in all memories."""
    energy = _operands(architecture, layer, tensor)
    if not _whole(tensor):
        return energy
    held = [m for m in architecture.levels[:-1] if tensor.role in m.keeps]
    if not held:
        return energy
    outermost = architecture.levels[-1]
    if tensor.role == "Outputs":
        passed = sum(_word(m, tensor, "update") for m in (*held[1:], outermost))
    else:
        passed = sum(_word(m, tensor, "fill") for m in held)
        passed += sum(_word(m, tensor, "read") for m in (*held[1:], outermost))
    return energy + layer.words(tensor) * passed


def _operands(architecture: Architecture, layer: Einsum, tensor: Tensor) -> float:
    """Return the least energy of feeding every operation, from whichever memory may hold it."""
    kind = "update" if tensor.role == "Outputs" else "read"
    costs = []
    for memory in architecture.levels:
        if tensor.role in memory.keeps | memory.may_keep:
            served = max(1, architecture.compute.instances // memory.instances)
            costs.append(layer.macs / served * _word(memory, tensor, kind))
        if tensor.role in memory.keeps:
            break
    return min(costs, default=0.0)


def _outermost(architecture: Architecture, layer: Einsum) -> float:
    """Return the cycles in which the outermost memory can move what it must move once."""
    memory = architecture.levels[-1]
    words = sum(layer.words(t) for t in layer.tensors if _whole(t))
    bandwidth = memory.shared_bandwidth
    return 0.0 if bandwidth is None else words / (bandwidth * memory.instances)


def _whole(tensor: Tensor) -> bool:
    """Whether every word of the tensor has to be moved: it lies under no sliding window."""
    return all(len(axis.terms) == 1 and axis.terms[0][1] == 1 for axis in tensor.axes)


def _word(memory: Memory, tensor: Tensor, kind: str) -> float:
    """Return the energy of one word's access."""
    part = memory.partitions.get(tensor.role)
    energy: AccessEnergy = part.energy if part else memory.energy
    return float(getattr(energy, kind)) / memory.block_size
