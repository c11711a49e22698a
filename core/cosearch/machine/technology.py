"""What components cost: energy per access, area and leakage, each with the source it came from.

A `Technology` is a plugin that prices one component at a time. `priced` asks it (or two of them:
one for energies, one for areas) about every part of an architecture and writes down who said what.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias

from attrs import define, evolve, field, frozen

from cosearch.answers import Answering, Contract, no_amount, no_text, shown
from cosearch.errors import CosearchError
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory, Partition
from cosearch.search.parameters import ParameterSpace
from cosearch.workload.einsum import Role

StorageKind: TypeAlias = Literal["regfile", "sram", "dram"]
"""How a memory is built: registers or a small register file, a compiled SRAM, or DRAM."""

UNPRICED = AccessEnergy.uniform(0.0)
"""Stands in a memory until `priced` fills in what a technology says."""


@frozen
class Storage:
    """A memory to be priced.

    Attributes:
        name: of the component; a technology read from a file looks it up.
        kind: how it is built.
        depth: rows; None is unlimited, which only DRAM may be.
        width_bits: of a row: one access moves one row.
    """

    name: str
    kind: StorageKind
    depth: int | None
    width_bits: int

    @property
    def kilobytes(self) -> float:
        """Capacity, 1 KB = 1024 bytes; infinite where unlimited."""
        return math.inf if self.depth is None else self.depth * self.width_bits / 8192


@frozen
class StoragePrice:
    """What one memory costs.

    Attributes:
        energy: of one access of a whole row.
        area_um2: NaN where the source has no areas.
        energy_source, area_source: with the table or equation.
        leak_pj_per_cycle: 0 where the source has no leakage, which `energy_source` then says.
    """

    energy: AccessEnergy
    area_um2: float
    energy_source: str
    area_source: str
    leak_pj_per_cycle: float = 0.0


@frozen
class ComputePrice:
    """What one multiply-accumulate unit costs.

    Attributes:
        energy_pj: of one multiply-accumulate.
        area_um2: NaN where the source has no areas.
        energy_source, area_source: with the table or equation.
    """

    energy_pj: float
    area_um2: float
    energy_source: str
    area_source: str


def _no_storage(answer: object, *_: object, **__: object) -> str:
    if not isinstance(answer, StoragePrice):
        return f"gave {shown(answer)}, no StoragePrice"
    if not isinstance(answer.energy, AccessEnergy):
        return f"gave the energy {shown(answer.energy)}, no AccessEnergy"
    each = answer.energy
    amounts = {"read": each.read, "fill": each.fill, "update": each.update}
    wrong = [no_amount(value, f"the energy of a {what}") for what, value in amounts.items()]
    wrong += [no_amount(answer.leak_pj_per_cycle, "the leakage"), _no_room(answer)]
    return next(filter(None, wrong), "")


def _no_compute(answer: object, *_: object, **__: object) -> str:
    if not isinstance(answer, ComputePrice):
        return f"gave {shown(answer)}, no ComputePrice"
    return no_amount(answer.energy_pj, "the energy") or _no_room(answer)


def _no_room(price: StoragePrice | ComputePrice) -> str:
    sources = no_text(price.energy_source) or no_text(price.area_source)
    return no_amount(price.area_um2, "the area", unknown=True) or (
        sources and f"{sources}: a source"
    )


class Technology(Answering, ABC):
    """A plugin that prices components; its constructor takes the declared options.

    It answers for what its source covers and raises CosearchError for the rest: it never guesses.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(())
    process: ClassVar[tuple[int, float] | None] = None
    """Node (nm) and supply (V) its absolute energies hold for; None where they are relative."""

    area_node_nm: ClassVar[int | None] = None
    """Node its areas hold for; None where it has none, or says so in its options."""

    _contract: ClassVar[Contract] = Contract(
        "technology", {"storage": _no_storage, "compute": _no_compute}, {"name": no_text}
    )

    @property
    @abstractmethod
    def name(self) -> str:
        """As users write it, with the options that matter."""

    @abstractmethod
    def storage(self, part: Storage) -> StoragePrice:
        """Return what a memory costs."""

    @abstractmethod
    def compute(self, bits: int, name: str = "MAC") -> ComputePrice:
        """Return what a multiply-accumulate unit with operands of that many bits costs."""


def storage_of(memory: Memory, kind: StorageKind, entries: int | None, ganged: int = 1) -> Storage:
    """Return a memory (or a part of it with that many entries) as rows of whole blocks.

    Args:
        memory: whose block size and word width count.
        kind: how it is built.
        entries: words of one instance; None is unlimited.
        ganged: instances that share one physical memory, side by side in wider rows (Timeloop's
            cluster size); its price is for the shared memory.
    """
    depth = None if entries is None else -(-entries // memory.block_size)
    return Storage(memory.name, kind, depth, memory.word_bits * memory.block_size * ganged)


def priced(
    architecture: Architecture,
    energy: Technology,
    area: Technology | None = None,
    *,
    kinds: Mapping[str, StorageKind] | None = None,
    ganged: Mapping[str, int] | None = None,
) -> Architecture:
    """Return the architecture with the energy, area, leakage and source of every component.

    Args:
        architecture: whose memories need no prices yet.
        energy: prices energies and leakage.
        area: prices areas; the same as for energies if None.
        kinds: memory name to how it is built; `dram` where `is_dram`, `sram` otherwise.
        ganged: memory name to how many instances share one physical memory.

    Raises:
        CosearchError: a technology cannot price a component.
    """
    area = area or energy
    ledger = _Ledger(energy, area)
    levels = []
    for memory in architecture.levels:
        kind = (kinds or {}).get(memory.name, "dram" if memory.is_dram else "sram")
        levels.append(ledger.memory(memory, kind, (ganged or {}).get(memory.name, 1)))
    compute = ledger.compute(architecture.compute)
    sources = {**architecture.sources, **ledger.entries()}
    return evolve(architecture, levels=levels, compute=compute, sources=sources)


OFF_CHIP = "off-chip: no area"
"""The area source of a memory that is not on the chip."""


@define
class _Ledger:
    """Prices components and remembers where every number came from."""

    energy: Technology
    area: Technology
    said: dict[str, tuple[str, str]] = field(factory=dict)
    different: set[str] = field(factory=set)

    def memory(self, memory: Memory, kind: StorageKind, ganged: int) -> Memory:
        """Return the memory with its prices.

        A partitioned memory is as many memories as it has parts, named `scratchpads_weights` and
        so on; the price of an access of the whole is that of its dearest part, which no access
        pays.
        """
        if not memory.partitions:
            cost, room = self._storage(memory, kind, memory.entries, ganged, memory.name)
            return evolve(
                memory,
                energy=_share(cost.energy, ganged),
                area_um2=room / ganged,
                leak_pj_per_cycle=cost.leak_pj_per_cycle / ganged,
            )
        parts: dict[Role, Partition] = {}
        area = leak = 0.0
        for role, part in memory.partitions.items():
            word_bits = part.word_bits or memory.word_bits
            named = evolve(memory, name=f"{memory.name}_{role.lower()}", word_bits=word_bits)
            cost, room = self._storage(named, kind, part.entries, ganged, memory.name)
            parts[role] = evolve(part, energy=_share(cost.energy, ganged))
            area += room / ganged
            leak += cost.leak_pj_per_cycle / ganged
        dearest = max((part.energy for part in parts.values()), key=lambda e: e.read)
        return evolve(
            memory, energy=dearest, partitions=parts, area_um2=area, leak_pj_per_cycle=leak
        )

    def _storage(
        self, memory: Memory, kind: StorageKind, entries: int | None, ganged: int, component: str
    ) -> tuple[StoragePrice, float]:
        """Return the price by the energy technology, and the area by the other, um2."""
        part = storage_of(memory, kind, entries, ganged)
        if part.depth is None and kind != "dram":
            raise CosearchError(
                f"memory {memory.name!r} is built as {kind} and has no size",
                "give it entries: only DRAM is priced without",
            )
        cost, room = self.energy.storage(part), self.area.storage(part)
        self._note(component, cost.energy_source, room.area_source, room.area_um2)
        return cost, room.area_um2

    def compute(self, unit: Compute) -> Compute:
        """Return the multiplier with its prices."""
        work = self.energy.compute(unit.word_bits, unit.name)
        room = self.area.compute(unit.word_bits, unit.name)
        self._note(unit.name, work.energy_source, room.area_source, room.area_um2)
        return evolve(unit, energy_pj=work.energy_pj, area_um2=room.area_um2)

    def _note(self, component: str, energy: str, area: str, area_um2: float) -> None:
        self.said[component] = (energy, area)
        self.different.add(energy)
        if area_um2 > 0:
            self.different.add(area)

    def entries(self) -> dict[str, str]:
        """Return a line a component, and one that says so when sources are mixed."""
        lines = {
            name: energy if energy == area else f"energy: {energy}; area: {area}"
            for name, (energy, area) in self.said.items()
        }
        if len(self.different) > 1:
            lines["mixed sources"] = (
                f"energies and areas rest on {len(self.different)} different sources; "
                "compare designs priced alike, and trust no sum across them further than that"
            )
        return lines


def _share(energy: AccessEnergy, ganged: int) -> AccessEnergy:
    """Return one instance's share of an access to the memory that several share."""
    return AccessEnergy(energy.read / ganged, energy.fill / ganged, energy.update / ganged)
