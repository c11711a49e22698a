"""The cost model, readable: what every number means is defined here.

Exact whole numbers, plain Python. Floating point enters only where energies and bandwidths do,
and always in the order written here, so that a compiled kernel can reproduce every bit.
"""

from __future__ import annotations

import math
from fractions import Fraction

from attrs import frozen

from cosearch.architecture import AccessEnergy, Architecture, Memory
from cosearch.einsum import Einsum, Tensor
from cosearch.loopnest.analysis import (
    Analysis,
    LevelAnalysis,
    NetworkAnalysis,
    Scatter,
    TensorCounts,
    TensorNetwork,
)
from cosearch.loopnest.delivery import delivered
from cosearch.loopnest.links import exchange
from cosearch.loopnest.mapping import Mapping
from cosearch.loopnest.nest import MAC, Nest
from cosearch.loopnest.network import Grid, groups, offsets
from cosearch.loopnest.validity import check


@frozen
class Flow:
    """One tensor's words through one level, per used instance of it.

    Attributes:
        served: words that pass between the level and its children.
        scatters: the same by group; hops are those of words to children that keep the tensor.
        handed_on: words that children took from their neighbours.
        received: words that one child receives from this level.
    """

    served: int
    scatters: tuple[Scatter, ...]
    handed_on: int
    received: Fraction


def analyse(architecture: Architecture, layer: Einsum, mapping: Mapping) -> Analysis:
    """Return the full breakdown of one mapping.

    Raises:
        InvalidMapping: which rule the mapping breaks first and by how much.
        CosearchError: the mapping names levels, dimensions or tensors that do not exist.
    """
    check(architecture, layer, mapping)
    return _Model(architecture, layer, mapping).analysis()


class _Model:
    def __init__(self, architecture: Architecture, layer: Einsum, mapping: Mapping) -> None:
        self.architecture, self.layer, self.mapping = architecture, layer, mapping
        self.rules = architecture.rules
        self.nest = Nest.of(layer, mapping)
        self.flows = {t.name: self._flows(t) for t in layer.tensors}
        self.homes = {t.name: self._partitions(t) for t in layer.tensors}

    def keeps(self, tensor: Tensor, level: int) -> bool:
        return tensor.name in self.mapping.levels[level].keep

    def _outermost(self, tensor: Tensor) -> int:
        return max(i for i in range(self.nest.depth) if self.keeps(tensor, i))

    def _flows(self, tensor: Tensor) -> list[Flow]:
        """Walk outward. Words for a child that lets the tensor pass are those its own children want."""
        flows: list[Flow] = []
        for level in range(self.nest.depth):
            if level > self._outermost(tensor):
                flows.append(Flow(0, (), 0, Fraction(0)))
            elif level == 0 or self.keeps(tensor, level - 1):
                flows.append(self._flow(tensor, level))
            else:
                flows.append(self._flow_past(tensor, level, flows[-1].served))
        return flows

    def grid(self, level: int) -> Grid:
        entry = self.mapping.levels[level]
        used_x = math.prod(loop.bound for loop in entry.spatial_x)
        used_y = math.prod(loop.bound for loop in entry.spatial_y)
        return Grid.below(self.architecture, (used_x, used_y), level)

    def _flow(self, tensor: Tensor, level: int) -> Flow:
        places = offsets(self.nest, tensor, level)
        grid = self.grid(level)
        if self.rules.link_transfers:
            served, handed_on = exchange(self.nest, tensor, level, grid, places, self.rules)
        else:
            words = delivered(self.nest, tensor, level - 1, self.rules)
            served, handed_on = {tuple(map(tuple, groups(places))): words}, 0
        return _flow_of(served, grid, len(places), handed_on)

    def _flow_past(self, tensor: Tensor, level: int, wanted: int) -> Flow:
        """Return the flow to children that let the tensor pass: spread as if they kept it."""
        near = self._flow(tensor, level)
        served = wanted * len(groups(offsets(self.nest, tensor, level)))
        scatters = tuple(
            Scatter(s.multicast, s.groups, Fraction(s.words * served, near.served), s.double_hops)
            for s in near.scatters
        )
        return Flow(served, scatters, 0, near.received)

    def _partitions(self, tensor: Tensor) -> list[int]:
        nest = self.nest
        home = [self.layer.words(tensor)]
        for level in reversed(range(nest.depth - 1)):
            tile = math.prod(nest.box(tensor, level))
            spread = math.prod(nest.box_of_children(tensor, level + 1))
            home.insert(0, home[0] * tile // (spread if nest.fanout(level + 1) > 1 else tile))
        return home

    # -- counts

    def counts(self, tensor: Tensor, level: int) -> TensorCounts:
        flow = self.flows[tensor.name][level]
        home = self.homes[tensor.name][level]
        fills = Fraction(0)
        taken = Fraction(0)
        if level < self._outermost(tensor):
            above = self.flows[tensor.name][level + 1]
            if not self.rules.link_transfers:
                fills = Fraction(delivered(self.nest, tensor, level, self.rules))
            else:
                fills = above.received
            taken = Fraction(above.handed_on, self.nest.instances(level))
        if tensor is self.layer.output:
            updates, reads = flow.served, flow.served - home
            reductions = reads
            if level < self._outermost(tensor):
                fills -= 0 if self.rules.first_fill_is_counted else home
            filled = round(fills + taken)
        else:
            updates, reads, reductions = 0, flow.served, 0
            filled = int(fills + taken)
        reads = round(reads + taken)
        energy = energy_of(self.architecture.levels[level], tensor)
        block = self.architecture.levels[level].block_size
        instances = self.nest.instances(level)
        pj = instances * (
            -(-reads // block) * energy.read
            + -(-filled // block) * energy.fill
            + -(-updates // block) * energy.update
        )
        return TensorCounts(
            tensor.name, math.prod(self.nest.box(tensor, level)), home, instances,
            reads, filled, updates, reductions, pj,
        )

    def network(self, tensor: Tensor, level: int) -> TensorNetwork:
        flow = self.flows[tensor.name][level]
        memory = self.architecture.levels[level]
        link = memory.network_below
        scatters = flow.scatters
        output = tensor is self.layer.output
        if output and memory.is_dram:
            home = self.homes[tensor.name][level]
            scatters = tuple(Scatter(s.multicast, s.groups, 2 * s.words - home, s.double_hops) for s in scatters)
        hops = sum(s.double_hops for s in scatters) if self.nest.fanout(level) > 1 else 0
        routed = sum((1 + s.double_hops // (2 * s.words)) * s.words for s in scatters if s.words)
        pj = self.nest.instances(level) * (hops / 2 * link.hop_pj + routed * link.router_pj)
        linkpj = self.nest.instances(level)*flow.handed_on * (link.hop_pj + 2 * link.router_pj)
        reds = sum((s.multicast - 1) * s.words for s in scatters) if output else 0
        return TensorNetwork(tensor.name, self.nest.fanout(level), scatters, reds, flow.handed_on, pj, linkpj)

    def analysis(self) -> Analysis:
        steps = self.nest.steps
        kept = [[self.counts(t, i) for t in self.layer.tensors if self.keeps(t, i)] for i in range(self.nest.depth)]
        speed = [throttling(m, k, steps) for m, k in zip(self.architecture.levels, kept, strict=True)]
        cyc = [math.ceil(steps / s) for s in speed]
        cycles = max(steps, *cyc)
        levels = []
        networks = []
        macs = self.nest.instances(MAC)
        computes = steps * macs
        compute = computes * self.architecture.compute.energy_pj
        total = compute
        for i, m in enumerate(self.architecture.levels):
            leak = m.leak_pj_per_cycle * cycles * self.nest.instances(i)
            e = 0.0
            for k in kept[i]:
                e += k.energy_pj
            levels.append(LevelAnalysis(m.name, tuple(kept[i]), speed[i], cyc[i], leak, e + leak))
            ns = tuple(self.network(t, i) for t in self.layer.tensors)
            ne = 0.0
            for n in ns:
                ne += n.energy_pj + n.link_transfer_pj
            networks.append(NetworkAnalysis(m.name, ns, ne))
            total += e + leak
            total += ne
        util = computes / (cycles * self.architecture.compute.instances)
        return Analysis(steps, cycles, computes, macs, util, compute, total, self.architecture.area_mm2, tuple(levels), tuple(networks))


def throttling(memory: Memory, kept: list[TensorCounts], steps: int) -> float:
    read = write = 0.0
    for k in kept:
        read += k.reads / steps
        write += (k.fills + k.updates) / steps
    speed = 1.0
    for bw, demand in ((memory.read_bandwidth, read), (memory.write_bandwidth, write), (memory.shared_bandwidth, read + write)):
        if bw is not None and bw < demand:
            speed = min(speed, bw / demand)
    return speed


def energy_of(memory: Memory, tensor: Tensor) -> AccessEnergy:
    if tensor.role in memory.partitions:
        return memory.partitions[tensor.role].energy
    return memory.energy


def _flow_of(served, grid: Grid, children: int, handed_on: int) -> Flow:
    tally: dict[tuple[int, int], list[int]] = {}
    received = 0
    for together, words in served.items():
        for size in sorted({len(g) for g in together}):
            of_size = [g for g in together if len(g) == size]
            entry = tally.setdefault((size, len(of_size)), [0, 0])
            entry[0] += words * len(of_size)
            entry[1] += words * sum(grid.hops_times_two(list(g)) for g in of_size)
            received += words * len(of_size) * size
    scatters = tuple(Scatter(m, n, w, h) for (m, n), (w, h) in sorted(tally.items()))
    return Flow(sum(s.words for s in scatters), scatters, handed_on, Fraction(received, children))
