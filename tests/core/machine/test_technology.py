import math

import pytest
from attrs import evolve

from cosearch.errors import CosearchError
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory, Partition
from cosearch.machine.technology import (
    OFF_CHIP,
    UNPRICED,
    ComputePrice,
    Storage,
    StoragePrice,
    Technology,
    priced,
    storage_of,
)


class PerBit(Technology):
    """One pJ a bit read, two a bit written, and an um2 a stored bit."""

    def __init__(self, label: str = "per-bit", area: float = 1.0) -> None:
        self.label, self.area = label, area
        self.asked: list[Storage] = []

    @property
    def name(self) -> str:
        return self.label

    def storage(self, part: Storage) -> StoragePrice:
        self.asked.append(part)
        energy = AccessEnergy(part.width_bits, 2.0 * part.width_bits, 3.0 * part.width_bits)
        if part.depth is None:
            return StoragePrice(energy, 0.0, self.label, OFF_CHIP)
        area = self.area * part.depth * part.width_bits
        return StoragePrice(energy, area, self.label, self.label, 0.5)

    def compute(self, bits: int, name: str = "MAC") -> ComputePrice:
        assert name == "MAC"
        return ComputePrice(bits, self.area * bits, self.label, self.label)


def machine(**buffer: object) -> Architecture:
    return Architecture(
        "two levels",
        (
            evolve(Memory("buffer", 100, UNPRICED, word_bits=16, mesh_x=2), **buffer),
            Memory("DRAM", None, UNPRICED, word_bits=16, is_dram=True),
        ),
        Compute(0.0, 2, 3, 16),
        sources={"clock": "none"},
    )


def test_every_component_is_priced_and_says_by_whom():
    priced_machine = priced(machine(), PerBit())
    buffer, dram = priced_machine.levels
    assert buffer.energy == AccessEnergy(16, 32, 48)
    assert buffer.area_um2 == 1600
    assert buffer.leak_pj_per_cycle == 0.5
    assert (dram.area_um2, dram.leak_pj_per_cycle) == (0.0, 0.0)
    assert priced_machine.compute.energy_pj == 16
    assert priced_machine.area_mm2 == pytest.approx((2 * 1600 + 6 * 16) / 1e6)
    assert priced_machine.sources["buffer"] == "per-bit"
    assert priced_machine.sources["clock"] == "none"
    assert "mixed sources" not in priced_machine.sources


def test_mixing_two_technologies_is_said():
    mixed = priced(machine(), PerBit("one"), PerBit("other", area=5.0))
    assert mixed.levels[0].energy.read == 16
    assert mixed.levels[0].area_um2 == 5 * 1600
    assert mixed.sources["buffer"] == "energy: one; area: other"
    assert "2 different sources" in mixed.sources["mixed sources"]


def test_a_technology_without_areas_gives_nan_and_no_mixture():
    without = priced(machine(), PerBit(), PerBit("no areas", area=math.nan))
    assert math.isnan(without.area_mm2)
    assert "mixed sources" not in without.sources


def test_an_access_moves_a_whole_row():
    technology = PerBit()
    priced(machine(block_size=8), technology)
    assert technology.asked[0] == Storage("buffer", "sram", 13, 128)


def test_kinds_are_told_or_follow_from_the_memory():
    technology = PerBit()
    priced(machine(), technology, kinds={"buffer": "regfile"})
    assert {part.name: part.kind for part in technology.asked} == {
        "buffer": "regfile",
        "DRAM": "dram",
    }


def test_ganged_memories_share_one_row_and_its_price():
    technology = PerBit()
    one = priced(machine(), PerBit()).levels[0]
    shared = priced(machine(), technology, ganged={"buffer": 2}).levels[0]
    assert technology.asked[0].width_bits == 32
    assert shared.energy == one.energy
    assert shared.area_um2 == one.area_um2
    assert shared.leak_pj_per_cycle == one.leak_pj_per_cycle / 2


def test_the_parts_of_a_memory_are_priced_one_by_one():
    parts = {
        "Weights": Partition(64, UNPRICED),
        "Outputs": Partition(16, UNPRICED, word_bits=32),
    }
    technology = PerBit()
    memory = priced(machine(entries=80, partitions=parts), technology).levels[0]
    assert memory.partitions["Weights"].energy.read == 16
    assert memory.partitions["Outputs"].energy.read == 32
    assert memory.area_um2 == 64 * 16 + 16 * 32
    assert memory.leak_pj_per_cycle == 1.0
    assert memory.energy.read == 32, "the dearest part's"
    assert technology.asked[0].name == "buffer_weights"


def test_only_dram_may_be_unlimited():
    with pytest.raises(CosearchError, match="'buffer' is built as sram and has no size"):
        priced(machine(entries=None), PerBit())


def test_capacity_in_kilobytes():
    assert Storage("buffer", "sram", 1024, 64).kilobytes == 8.0
    assert math.isinf(Storage("DRAM", "dram", None, 64).kilobytes)


def test_rows_hold_whole_blocks():
    memory = Memory("buffer", 10, UNPRICED, word_bits=8, block_size=4)
    assert storage_of(memory, "sram", 10).depth == 3
