"""What a mapping costs, in every detail: the results of the reference model."""

from __future__ import annotations

from fractions import Fraction

from attrs import frozen

from cosearch.quantities import added


@frozen
class TensorCounts:
    """What one tensor does at one level that keeps it.

    Attributes:
        tensor: its name.
        tile_size: elements held by one instance.
        partition_size: the tensor's elements that one instance is home to.
        instances: used instances of the level.
        reads, fills, updates: elements per used instance.
        temporal_reductions: additions of a result to a partial sum held here, per instance.
        energy_pj: of all used instances.
        width: words of the memory that an element takes.
    """

    tensor: str
    tile_size: int
    partition_size: int
    instances: int
    reads: int
    fills: int
    updates: int
    temporal_reductions: int
    energy_pj: float
    width: float = 1.0

    @property
    def moved(self) -> tuple[float, float]:
        """Words of the memory read and written by one instance."""
        return self.reads * self.width, (self.fills + self.updates) * self.width

    @property
    def address_generations(self) -> int:
        """Addresses made: operands on reads and fills, results on updates and fills."""
        return (self.updates or self.reads) + self.fills


@frozen
class LevelAnalysis:
    """What happens at one level.

    Attributes:
        tensors: those kept, in the layer's order.
        throttling: 1, or the share of full speed that the bandwidth allows.
        cycles: that the level alone would need.
        leakage_pj: of the used instances over the layer.
        energy_pj: accesses and leakage of all used instances.
    """

    name: str
    tensors: tuple[TensorCounts, ...]
    throttling: float
    cycles: int
    leakage_pj: float
    energy_pj: float


@frozen
class Scatter:
    """Words that one parent sends to groups of children, all groups of one size.

    Attributes:
        multicast: children in each group.
        groups: how many groups.
        words: injected, all groups together; not whole where link transfers meet a bypass.
        double_hops: twice the hops of all words (a word may start between two rows), as if the
            children kept the tensor.
        scaled: the words in Timeloop's double precision.
    """

    multicast: int
    groups: int
    words: Fraction
    double_hops: int
    scaled: float


@frozen
class TensorNetwork:
    """What one tensor does in the network below one instance of a level.

    Attributes:
        fanout: used children.
        scatters: words by size of the group they reach.
        spatial_reductions: additions on the way up (results only).
        link_transfers: words that children took from a neighbour instead.
        energy_pj: of the network below all used instances, link transfers left out.
        link_transfer_pj: of the link transfers below all used instances.
    """

    tensor: str
    fanout: int
    scatters: tuple[Scatter, ...]
    spatial_reductions: int
    link_transfers: int
    energy_pj: float
    link_transfer_pj: float

    @property
    def multicast(self) -> int:
        """The size of the largest group."""
        return max((s.multicast for s in self.scatters), default=0)

    @property
    def ingresses(self) -> Fraction:
        """Words injected per instance."""
        return added((s.words for s in self.scatters), Fraction(0))

    @property
    def average_hops(self) -> float:
        """Hops per word injected; 0 where there are no words or just one child."""
        if self.fanout == 1 or not self.ingresses:
            return 0.0
        return float(Fraction(added(s.double_hops for s in self.scatters), 2) / self.ingresses)


@frozen
class NetworkAnalysis:
    """The network between a level and the next inner one."""

    level: str
    tensors: tuple[TensorNetwork, ...]
    energy_pj: float


@frozen
class Analysis:
    """The full breakdown of one mapping.

    Attributes:
        steps: compute steps.
        busy: cycles if nothing ever waited: one a step, unless multiplying takes longer.
        cycles: those, or what the slowest level needs.
        computes: multiply-accumulates.
        macs_used: multipliers in use.
        utilization: computes over cycles times multipliers.
        compute_pj: energy of the multipliers.
        energy_pj: of everything.
        area_mm2: of the machine.
        levels: inner to outer.
        networks: below each level, same order.
    """

    steps: int
    busy: int
    cycles: int
    computes: int
    macs_used: int
    utilization: float
    compute_pj: float
    energy_pj: float
    area_mm2: float
    levels: tuple[LevelAnalysis, ...]
    networks: tuple[NetworkAnalysis, ...]
