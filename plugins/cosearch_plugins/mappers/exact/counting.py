"""A machine on which nothing but a word at the outermost memory costs anything."""

from __future__ import annotations

import copy

from attrs import evolve

from cosearch.lately import Lately
from cosearch.loopnest.accelerator import REMEMBERED_MAPSPACES, SpatialAccelerator
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Link, Memory
from cosearch.quantities import added
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.network import Network

ENERGY = next(objective for objective in OBJECTIVES if objective.name == "energy")

FREE = AccessEnergy.uniform(0.0)


def each_once(network: Network) -> int:
    """Return the words of every layer's tensors, each tensor once a run of its layer."""
    return added(
        layer.count * layer.einsum.words(tensor)
        for layer in network.unique
        for tensor in layer.einsum.tensors
    )


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
