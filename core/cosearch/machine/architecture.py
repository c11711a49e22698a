"""Machines as a loop nest sees them: memories, the fanout between them, and compute.

Levels are ordered inner to outer: level 0 feeds the multipliers, the last level is outermost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property

from attrs import field, frozen

from cosearch.errors import CosearchError, UnknownNameError
from cosearch.quantities import added
from cosearch.workload.einsum import ROLES, Role


@frozen
class AccessEnergy:
    """Energy of one access of a whole block, pJ.

    Attributes:
        read: leaving the memory.
        fill: arriving from the level above.
        update: a result arriving from below.
    """

    read: float
    fill: float
    update: float

    @classmethod
    def uniform(cls, pj: float) -> AccessEnergy:
        """Return the same energy for every kind of access."""
        return cls(pj, pj, pj)


def _roles(items: Iterable[Role]) -> frozenset[Role]:
    return frozenset(items)


def _widths(items: Iterable[int]) -> tuple[int, ...]:
    return tuple(items)


@frozen
class Link:
    """The network between a level and the next inner one.

    Attributes:
        hop_pj: energy of one word over one hop.
        router_pj: energy of one word through one router.
    """

    hop_pj: float = 0.0
    router_pj: float = 0.0


@frozen
class Partition:
    """A part of a memory that only tensors of one role use, with its own size and energy.

    Attributes:
        entries: capacity in words of one instance.
        energy: per access of a block.
        word_bits: width of a word; the memory's if None.
        packs: as of a memory; the memory's where nothing is listed.
    """

    entries: int
    energy: AccessEnergy
    word_bits: int | None = None
    packs: tuple[int, ...] = field(default=(), converter=_widths, repr=False)


@frozen
class Memory:
    """One storage level.

    Attributes:
        name: unique in the architecture.
        entries: capacity in words per instance, shared by all tensors kept; None is unlimited.
        energy: of one access of `block_size` words.
        word_bits: width of a word. Room, accesses and bandwidths are counted in words of so many
            bits, whatever the width of a tensor; see `cosearch.machine.widths`.
        block_size: words per access; counts are rounded up to whole blocks, per tensor and kind
            of access.
        mesh_x, mesh_y: instances along X and Y; there are `mesh_x * mesh_y` of them.
        read_bandwidth, write_bandwidth, shared_bandwidth: words per cycle per instance; None is
            unlimited; shared counts reads and writes together.
        multiple_buffering: copies of every tile held at once; usable entries are
            `floor(entries / multiple_buffering)`.
        leak_pj_per_cycle: leakage of one instance.
        area_um2: of one instance.
        is_dram: has no adder of its own, so a partial sum is read, added below and written back.
        keeps: roles that are stored here.
        may_keep: roles that a mapping may store here or let pass (in addition to `keeps`).
        partitions: per-role parts; an empty mapping means one shared memory.
        network_below: between this level and the next inner one.
        cluster_size: instances that stand side by side in one physical memory and share its
            accesses, as Timeloop counts them (`utilized_clusters` of its buffer model).
        packs: widths in bits in which it stores an element, each in the least that holds it;
            nothing listed is any width, element after element without gaps.
        whole_words: no element narrower than a word stands in two words: a word holds as many as
            fit, and what is left of it stays empty.
    """

    name: str
    entries: int | None
    energy: AccessEnergy
    word_bits: int = 16
    block_size: int = 1
    mesh_x: int = 1
    mesh_y: int = 1
    read_bandwidth: float | None = None
    write_bandwidth: float | None = None
    shared_bandwidth: float | None = None
    multiple_buffering: float = 1.0
    leak_pj_per_cycle: float = 0.0
    area_um2: float = 0.0
    is_dram: bool = False
    keeps: frozenset[Role] = field(default=frozenset(ROLES), converter=_roles)
    may_keep: frozenset[Role] = field(default=frozenset(), converter=_roles)
    partitions: Mapping[Role, Partition] = field(factory=dict, hash=False)
    network_below: Link = Link()
    cluster_size: int = 1
    packs: tuple[int, ...] = field(default=(), converter=_widths)
    whole_words: bool = False

    @property
    def instances(self) -> int:
        """How many there are."""
        return self.mesh_x * self.mesh_y

    @property
    def clusters(self) -> int:
        """How many physical memories the instances make up."""
        return max(1, self.instances // self.cluster_size)

    @property
    def usable_entries(self) -> int | None:
        """Words of one instance that a mapping may fill."""
        return None if self.entries is None else int(self.entries / self.multiple_buffering)


@frozen
class Mode:
    """A way in which a multiplier works.

    Attributes:
        weights, inputs: bits of its operands at most.
        energy_pj: of one multiply-accumulate.
        cycles: of one.
    """

    weights: int
    inputs: int
    energy_pj: float
    cycles: int = 1


def _modes(items: Iterable[Mode]) -> tuple[Mode, ...]:
    return tuple(items)


@frozen
class Compute:
    """The multipliers below level 0.

    Attributes:
        energy_pj: of one multiply-accumulate.
        word_bits: of operands whose width nothing states, and of the widest where no `modes` are.
        area_um2: of one unit.
        modes: how it multiplies operands of which widths; nothing listed is one way for all up to
            `word_bits`, in one cycle.
    """

    energy_pj: float
    mesh_x: int = 1
    mesh_y: int = 1
    word_bits: int = 16
    area_um2: float = 0.0
    name: str = "MAC"
    modes: tuple[Mode, ...] = field(default=(), converter=_modes, repr=False)

    @property
    def instances(self) -> int:
        """How many there are."""
        return self.mesh_x * self.mesh_y


@frozen
class CostRules:
    """Where tools and their versions count differently. The defaults are Timeloop's of 2025.

    Attributes:
        first_fill_is_counted: the first visit to a partial sum counts as a fill although nothing
            is read for it (Timeloop of 2022, DOSA's data).
        only_innermost_loop_slides: an overlap with the tile before is credited only when the tile
            moves as it does in the innermost loop outside it, even where that loop leaves it in
            place (Timeloop before January 2025), instead of in the innermost loop that moves it.
        geometric_halo: credit the true overlap of consecutive input tiles at every loop, instead
            of what Timeloop extrapolates from iterations 0 and 1 of each loop.
        link_transfers: neighbours pass words on to each other (Timeloop's own default).
    """

    first_fill_is_counted: bool = False
    only_innermost_loop_slides: bool = False
    geometric_halo: bool = False
    link_transfers: bool = False

    def __attrs_post_init__(self) -> None:
        if self.link_transfers and self.geometric_halo:
            raise CosearchError(
                "link_transfers and geometric_halo exclude each other",
                "link transfers are defined on the two iterations of a loop that Timeloop samples",
            )

    @classmethod
    def timeloop_2022(cls) -> CostRules:
        """Return the rules behind the Timeloop points that DOSA published (MICRO 2023)."""
        return cls(first_fill_is_counted=True, only_innermost_loop_slides=True)


def _memories(items: Iterable[Memory]) -> tuple[Memory, ...]:
    return tuple(items)


@frozen
class Architecture:
    """A concrete machine.

    Attributes:
        name: for people.
        levels: inner to outer, two or more; the outermost keeps every tensor.
        compute: below level 0.
        clock_mhz: for power and seconds; None where no source states it.
        sources: where each number comes from, by component; reports print it.
        rules: whose way of counting is followed.
        widths: bits of an element by role, of tensors that a layer leaves open.
    """

    name: str = field(eq=False)
    levels: tuple[Memory, ...] = field(converter=_memories)
    compute: Compute
    clock_mhz: float | None = None
    sources: Mapping[str, str] = field(factory=dict, eq=False)
    rules: CostRules = CostRules()
    widths: Mapping[Role, int] = field(factory=dict, hash=False)

    def __attrs_post_init__(self) -> None:
        if not self.levels:
            raise CosearchError(f"architecture {self.name!r} has no memory")
        names = [level.name for level in self.levels]
        if len(set(names)) != len(names):
            raise CosearchError(f"architecture {self.name!r} has two levels of one name: {names}")

    @property
    def area_mm2(self) -> float:
        """Sum over all instances of memories and multipliers."""
        memories = added(level.instances * level.area_um2 for level in self.levels)
        return (memories + self.compute.instances * self.compute.area_um2) / 1e6

    def fanout(self, level: int) -> tuple[int, int]:
        """Return the physical fanout of a level in X and Y: inner mesh over own mesh."""
        own = self.levels[level]
        inner = self.levels[level - 1] if level else self.compute
        return max(1, inner.mesh_x // own.mesh_x), max(1, inner.mesh_y // own.mesh_y)

    def level_index(self, name: str) -> int:
        """Return the position of the level of that name, or raise UnknownNameError."""
        for i, level in enumerate(self.levels):
            if level.name == name:
                return i
        raise UnknownNameError("level", name, [level.name for level in self.levels])

    @cached_property
    def key(self) -> str:
        """A stable digest of everything that changes a cost, to cache results by."""
        facts = [
            (*(getattr(m, a) for a in _COSTED), sorted(m.keeps), sorted(m.may_keep),
             sorted((r, p) for r, p in m.partitions.items()))
            for m in self.levels
        ]  # fmt: skip
        clusters = [(m.name, m.cluster_size) for m in self.levels if m.cluster_size > 1]
        bits: list[object] = [(m.name, m.packs) for m in self.levels if m.packs]
        bits += [
            (m.name, r, p.packs) for m in self.levels for r, p in m.partitions.items() if p.packs
        ]
        bits += [(m.name, "whole words") for m in self.levels if m.whole_words]
        if self.widths or self.compute.modes:
            bits += [sorted(self.widths.items()), self.compute.modes]
        text = repr((facts, self.compute, self.rules, self.clock_mhz, *clusters, *bits))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


_COSTED = (
    "name", "entries", "energy", "word_bits", "block_size", "mesh_x", "mesh_y", "read_bandwidth",
    "write_bandwidth", "shared_bandwidth", "multiple_buffering", "leak_pj_per_cycle", "area_um2",
    "is_dram", "network_below",
)  # fmt: skip
