"""The fewest words that pass the outermost memory: a line that no mapping of a machine undercuts.

The exact search and the search for groups answer this too, once nothing costs anything but a word
at the outermost memory. Over buffer sizes that is a curve that no mapper of the machine gets below,
whatever it minimizes; inner memories and dataflow are the machine's own.
"""

from __future__ import annotations

import copy

from attrs import evolve, frozen

from cosearch.lately import Lately
from cosearch.loopnest.accelerator import REMEMBERED_MAPSPACES, SpatialAccelerator
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Link, Memory
from cosearch.mapping.mapper import Budget
from cosearch.quantities import added
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.network import Network
from cosearch_plugins.mappers.fused.mapper import FusedMapper

ENERGY = next(objective for objective in OBJECTIVES if objective.name == "energy")

FREE = AccessEnergy.uniform(0.0)


@frozen
class LeastTraffic:
    """The fewest words at the outermost memory for one run of a network.

    Attributes:
        words: of the buffer; None where it has no end.
        alone: layer by layer.
        together: in groups.
        once: each tensor once, layer by layer: with no buffer fewer.
        gap: how far below `together` the fewest can be at most, relative.
    """

    words: int | None
    alone: int
    together: int
    once: int
    gap: float


def least_traffic(
    machine: SpatialAccelerator, network: Network, words: int | None, most: int
) -> LeastTraffic:
    """Return the fewest words that any mapping moves, with a buffer of some size.

    Args:
        machine: all but the size of its second outermost memory.
        network: mapped.
        words: that this memory holds; None is without end.
        most: layers in a group.

    Raises:
        Infeasible: a layer fits nowhere.
    """
    counting = counting_words(machine, words)
    found = FusedMapper(nodes=0).fuse(counting, network, ENERGY, Budget(), most)
    once = added(
        layer.count * layer.einsum.words(tensor)
        for layer in network.unique
        for tensor in layer.einsum.tensors
    )
    alone, together = round(found.unfused[0]), round(found.energy_pj)
    return LeastTraffic(words, alone, together, once, found.gap)


def counting_words(machine: SpatialAccelerator, words: int | None) -> SpatialAccelerator:
    """Return a machine on which a word at the outermost memory costs 1 pJ, and all else nothing."""
    old = machine.architecture
    inner = [_free(level) for level in old.levels[:-1]]
    inner[-1] = evolve(inner[-1], entries=words)
    outermost = evolve(_free(old.levels[-1]), energy=AccessEnergy.uniform(1.0))
    architecture = Architecture(
        old.name,
        (*inner, outermost),
        Compute(0.0, old.compute.mesh_x, old.compute.mesh_y, old.compute.word_bits),
        rules=old.rules,
    )
    counting = copy.copy(machine)
    vars(counting).pop("_digest", None)
    vars(counting).update(architecture=architecture, _mapspaces=Lately(REMEMBERED_MAPSPACES))
    return counting


def _free(level: Memory) -> Memory:
    """Return a memory whose accesses cost neither energy nor time."""
    partitions = {role: evolve(part, energy=FREE) for role, part in level.partitions.items()}
    return evolve(
        level,
        energy=FREE,
        block_size=1,
        read_bandwidth=None,
        write_bandwidth=None,
        shared_bandwidth=None,
        leak_pj_per_cycle=0.0,
        partitions=partitions,
        network_below=Link(),
    )
