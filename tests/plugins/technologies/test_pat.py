import math

import pytest

from cosearch.machine.technology import Storage
from cosearch_plugins.technologies.pat import LinearTable

PUBLISHED = (
    (16, 32, 1.956),
    (128, 32, 2.000),
    (1024, 32, 2.352),
    (8192, 32, 5.166),
)
"""Accumulators of DOSA's Timeloop data: words, bits, pJ an access."""


@pytest.mark.parametrize(("depth", "width", "pj"), PUBLISHED)
def test_energies_that_timeloop_printed(depth, width, pj):
    energy = LinearTable().storage(Storage("accumulator", "sram", depth, width)).energy
    assert energy.read == energy.fill == energy.update == pytest.approx(pj, abs=5e-4)


@pytest.mark.parametrize(
    ("kilobytes", "pj"), [(2, 8.60), (32, 20.66), (128, 59.26), (512, 213.6), (1024, 419.5)]
)
def test_scratchpad_rows_of_sixteen_words(kilobytes, pj):
    row = Storage("scratchpad", "sram", kilobytes * 8192 // 128, 128)
    assert LinearTable().storage(row).energy.read == pytest.approx(pj, rel=1e-3)


def test_a_single_register():
    part = Storage("register", "regfile", 1, 8)
    assert LinearTable().storage(part).energy.read == pytest.approx(0.487462, abs=5e-7)


def test_dram_and_multiplier():
    table = LinearTable()
    assert table.storage(Storage("DRAM", "dram", None, 512)).energy.read == 6400.0
    assert table.compute(16).energy_pj == 1.0
    assert table.compute(8).energy_pj == 0.25


def test_it_has_no_areas_and_says_so():
    price = LinearTable().storage(Storage("buffer", "sram", 1024, 64))
    assert math.isnan(price.area_um2)
    assert "no areas" in price.area_source
    assert math.isnan(LinearTable().compute(8).area_um2)
