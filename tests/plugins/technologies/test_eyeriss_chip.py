import pytest

from cosearch.machine.technology import Storage
from cosearch_plugins.technologies.eyeriss_chip import CORE_MM2, EyerissChip
from cosearch_plugins.technologies.pat import LinearTable


def chip_areas() -> tuple[float, float, float]:
    chip = EyerissChip()
    buffer = chip.storage(Storage("buffer", "sram", 13_824, 64)).area_um2
    spads = sum(
        chip.storage(Storage("spad", "regfile", words, 16)).area_um2 for words in (12, 224, 24)
    )
    return buffer, 168 * spads, 168 * chip.compute(16).area_um2


def test_the_parts_add_up_to_the_published_core():
    assert sum(chip_areas()) / 1e6 == pytest.approx(CORE_MM2)


def test_published_shares():
    buffer, spads, _ = chip_areas()
    assert spads / buffer == pytest.approx(2.5)
    assert (buffer + spads) / 1e6 / CORE_MM2 == pytest.approx(2 / 3)


def test_energies_are_those_of_the_linear_table():
    for part in (Storage("spad", "regfile", 224, 16), Storage("DRAM", "dram", None, 64)):
        assert EyerissChip().storage(part).energy == LinearTable().storage(part).energy
    assert EyerissChip().compute(16).energy_pj == LinearTable().compute(16).energy_pj


def test_narrower_multipliers_are_smaller():
    chip = EyerissChip()
    assert chip.compute(8).area_um2 < chip.compute(16).area_um2
