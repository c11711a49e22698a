"""The cost model, readable: what every number means is defined here.

Counts are exact whole numbers. Floating point enters only with energies and bandwidths, and then
in the order written here, so that a compiled kernel reproduces every bit:

- tensor at a level: `instances * ((read blocks * e_read + fill blocks * e_fill) + update blocks *
  e_update)`;
- level: the tensors it keeps, in the layer's order, added up from 0, then the leakage
  `leak * cycles * instances`;
- network below a level: all tensors in the layer's order, added up from 0;
- total: compute, then level 0, the network below it, level 1, ...
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from attrs import evolve

from cosearch.loopnest.mapping import Mapping
from cosearch.loopnest.model.analysis import (
    Analysis,
    LevelAnalysis,
    NetworkAnalysis,
    Scatter,
    TensorCounts,
    TensorNetwork,
)
from cosearch.loopnest.model.traffic import Flow, flows, partitions
from cosearch.loopnest.nest import MAC, Nest
from cosearch.loopnest.text import loop_nest
from cosearch.loopnest.validity import check
from cosearch.machine.architecture import Architecture, Memory, Mode
from cosearch.machine.cost import Cost, LevelCost, TensorCost
from cosearch.machine.widths import Stored, mode, stored
from cosearch.quantities import added
from cosearch.workload.einsum import Einsum, Tensor


def analyse(architecture: Architecture, layer: Einsum, mapping: Mapping) -> Analysis:
    """Return the full breakdown of one mapping.

    Raises:
        InvalidMapping: which rule the mapping breaks first, and by how much.
        CosearchError: the mapping names levels, dimensions or tensors that do not exist.
    """
    check(architecture, layer, mapping)
    nest = Nest.of(layer, mapping)
    traffic = {t: flows(architecture, nest, mapping, t) for t in layer.tensors}
    shares = {t: partitions(nest, t) for t in layer.tensors}
    counts = [
        tuple(
            _counts(architecture, nest, t, level, traffic[t], shares[t][level])
            for t in layer.tensors
            if t.name in entry.keep
        )
        for level, entry in enumerate(mapping.levels)
    ]
    networks = tuple(
        _network_of(
            memory.name,
            [
                _network(
                    memory,
                    nest,
                    t,
                    level,
                    traffic[t][level],
                    shares[t][level],
                    stored(architecture, memory, t).words,
                )
                for t in layer.tensors
            ],
        )
        for level, memory in enumerate(architecture.levels)
    )
    return _total(architecture, nest, counts, networks, mode(architecture, layer))


def cost(architecture: Architecture, layer: Einsum, mapping: Mapping) -> Cost:
    """Return the breakdown of one mapping in the shape that every hardware model shares.

    Raises:
        InvalidMapping: which rule the mapping breaks first, and by how much.
        CosearchError: the mapping names levels, dimensions or tensors that do not exist.
    """
    found = analyse(architecture, layer, mapping)
    slowest = max(found.levels, key=lambda level: level.cycles)
    return Cost(
        energy_pj=found.energy_pj,
        cycles=float(found.cycles),
        macs=found.computes,
        compute_pj=found.compute_pj,
        levels=tuple(
            _level_cost(memory, level, network.energy_pj)
            for memory, level, network in zip(
                architecture.levels, found.levels, found.networks, strict=True
            )
        ),
        utilization=found.utilization,
        bound_by=slowest.name if slowest.cycles > found.busy else "compute",
        loops=loop_nest(architecture, layer, mapping),
    )


def _level_cost(memory: Memory, level: LevelAnalysis, network_pj: float) -> LevelCost:
    rooms = [p.entries for p in memory.partitions.values()]
    if memory.entries is not None:
        rooms.append(memory.entries)
    tiles = added(tensor.tile_size * tensor.width for tensor in level.tensors)
    return LevelCost(
        level.name,
        float(level.cycles),
        level.energy_pj,
        level.leakage_pj,
        network_pj,
        tiles * memory.multiple_buffering / added(rooms) if added(rooms) else None,
        tuple(
            TensorCost(t.tensor, t.tile_size, t.instances, t.reads, t.fills, t.updates, t.energy_pj)
            for t in level.tensors
        ),
    )


def _counts(
    architecture: Architecture,
    nest: Nest,
    tensor: Tensor,
    level: int,
    traffic: tuple[Flow, ...],
    share: int,
) -> TensorCounts:
    """Return what a tensor does at a level that keeps it.

    An operand is read for the children and filled from above. A result is updated by the children
    and read to be added to, and filled with what was there before, all but the first visit to
    each element of the instance's share: then there is nothing to add to.
    """
    memory, instances = architecture.levels[level], nest.instances(level)
    served, element = traffic[level].served, stored(architecture, memory, tensor)
    received, taken = _received(nest, level, traffic)
    if tensor is nest.layer.output:
        unread = share if received and not architecture.rules.first_fill_is_counted else 0
        updates = _rounded(served)
        reductions = _rounded(served - share)
        reads, fills = _rounded(served - share + taken), _rounded(received - unread + taken)
    else:
        updates = reductions = 0
        reads, fills = _rounded(served + taken), int(received + taken)
    return TensorCounts(
        tensor.name,
        math.prod(nest.box(tensor, level)),
        share,
        instances,
        reads,
        fills,
        updates,
        reductions,
        access_energy(memory, tensor, instances, (reads, fills, updates), element),
        element.words,
    )


def _rounded(words: Fraction) -> int:
    """Return the nearest whole number, halves upwards, as C++ rounds."""
    return math.floor(words + Fraction(1, 2))


def _received(nest: Nest, level: int, traffic: tuple[Flow, ...]) -> tuple[Fraction, Fraction]:
    """Return the words that one instance of a level gets from above, and from its neighbours.

    Timeloop spreads the latter over all instances of the level, not over those of one parent.
    """
    if level + 1 == nest.depth:
        return Fraction(0), Fraction(0)
    above = traffic[level + 1]
    received = Fraction(above.received, nest.fanout(level + 1))
    return received, Fraction(above.handed_on, nest.instances(level))


def access_energy(
    memory: Memory,
    tensor: Tensor,
    instances: int,
    counts: tuple[int, int, int],
    element: Stored,
) -> float:
    """Return the energy of all used instances for so many elements read, filled and updated.

    Those that share a physical memory share each of its accesses, and used instances are taken to
    be spread evenly over the memories (Timeloop, `BufferLevel::Evaluate`).
    """
    partition = memory.partitions.get(tensor.role)
    energy = partition.energy if partition else memory.energy
    reads, fills, updates = (element.accesses(count) for count in counts)
    accessed = min(instances, memory.clusters)
    return accessed * (reads * energy.read + fills * energy.fill + updates * energy.update)


def _network(
    memory: Memory,
    nest: Nest,
    tensor: Tensor,
    level: int,
    flow: Flow,
    share: int,
    words: float,
) -> TensorNetwork:
    """Return what a tensor does in the network below a level, `words` wide an element.

    A DRAM has no adder: but for the first visits, a result's word goes down and comes up again.
    """
    fanout, instances, link = nest.fanout(level), nest.instances(level), memory.network_below
    is_output = tensor is nest.layer.output
    scatters = flow.scatters
    if is_output and memory.is_dram:
        scatters = tuple(_both_ways(scatter, share) for scatter in scatters)
    hops = added(s.double_hops for s in scatters) / 2 if fanout > 1 else 0.0
    hop_pj, router_pj = words * link.hop_pj, words * link.router_pj
    energy = instances * (hops * hop_pj + _routed(scatters, fanout) * router_pj)
    reductions = added((s.multicast - 1) * s.words for s in scatters) if is_output else 0
    return TensorNetwork(
        tensor.name,
        fanout,
        scatters,
        int(reductions),
        flow.handed_on,
        energy,
        instances * flow.handed_on * (hop_pj + 2 * router_pj),
    )


def _network_of(level: str, tensors: list[TensorNetwork]) -> NetworkAnalysis:
    energy = 0.0
    for tensor in tensors:
        energy += tensor.energy_pj + tensor.link_transfer_pj
    return NetworkAnalysis(level, tuple(tensors), energy)


def _both_ways(scatter: Scatter, share: int) -> Scatter:
    return evolve(scatter, words=2 * scatter.words - share, scaled=2 * scatter.scaled - share)


def _routed(scatters: tuple[Scatter, ...], fanout: int) -> int:
    """Return the routers passed by all words: one more than whole hops, for each word.

    Timeloop's counter is a whole number that double-precision products are added to.
    """
    routed = 0
    for scatter in scatters:
        if scatter.scaled > 0:
            hops = scatter.double_hops / 2 / scatter.scaled if fanout > 1 else 0.0
            routed = int(routed + (1 + math.floor(hops)) * scatter.scaled)
    return routed


def throttling(memory: Memory, demands: Iterable[tuple[float, float]], steps: int) -> float:
    """Return 1, or the share of full speed at which a memory's bandwidth keeps up.

    Demand is in words per cycle of computing of one instance. The order of operations is
    Timeloop's.

    Args:
        memory: which.
        demands: words read and written by one instance, for each tensor in order.
        steps: cycles of computing.
    """
    read = write = 0.0
    for reads, writes in demands:
        read += float(reads) / float(steps)
        write += float(writes) / float(steps)
    speed = 1.0
    for bandwidth, demand in (
        (memory.read_bandwidth, read),
        (memory.write_bandwidth, write),
        (memory.shared_bandwidth, read + write),
    ):
        if bandwidth is not None and bandwidth < demand:
            speed = min(speed, bandwidth / demand)
    return speed


def _total(
    architecture: Architecture,
    nest: Nest,
    counts: list[tuple[TensorCounts, ...]],
    networks: tuple[NetworkAnalysis, ...],
    works: Mode,
) -> Analysis:
    """Return the cycles, and the energies added up in the order that the module states."""
    steps, busy = nest.steps, nest.steps * works.cycles
    speeds = [
        throttling(m, [t.moved for t in kept], busy)
        for m, kept in zip(architecture.levels, counts, strict=True)
    ]
    waits = [math.ceil(busy / speed) for speed in speeds]
    cycles = max(busy, *waits)
    compute = steps * nest.instances(MAC) * works.energy_pj
    energy, levels = compute, []
    for level, memory in enumerate(architecture.levels):
        leakage = memory.leak_pj_per_cycle * cycles * nest.instances(level)
        accesses = 0.0
        for tensor in counts[level]:
            accesses += tensor.energy_pj
        here = accesses + leakage
        levels.append(
            LevelAnalysis(memory.name, counts[level], speeds[level], waits[level], leakage, here)
        )
        energy += here
        energy += networks[level].energy_pj
    computes = steps * nest.instances(MAC)
    return Analysis(
        steps,
        busy,
        cycles,
        computes,
        nest.instances(MAC),
        computes / (cycles * architecture.compute.instances),
        compute,
        energy,
        architecture.area_mm2,
        tuple(levels),
        networks,
    )
