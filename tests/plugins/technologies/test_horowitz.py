import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.machine.technology import Storage
from cosearch_plugins.technologies.horowitz import Horowitz, power_law


@pytest.mark.parametrize(("kilobytes", "pj"), [(8, 10.0), (32, 20.0), (1024, 100.0)])
def test_published_caches(kilobytes, pj):
    part = Storage("cache", "sram", kilobytes * 128, 64)
    assert Horowitz().storage(part).energy.read == pytest.approx(pj)


def test_dram_is_a_published_range():
    part = Storage("DRAM", "dram", None, 64)
    assert Horowitz().storage(part).energy.read == 1300.0
    assert Horowitz(dram="high").storage(part).energy.read == 2600.0


def test_a_multiplier_and_an_adder_of_twice_the_width():
    assert Horowitz().compute(8).energy_pj == pytest.approx(0.2 + 0.05)
    assert Horowitz().compute(16).energy_pj == pytest.approx(0.79 + 0.1, abs=0.01)


def test_areas_of_memories_are_not_invented():
    price = Horowitz().storage(Storage("cache", "sram", 1024, 64))
    assert price.area_um2 != price.area_um2
    assert "no areas of memories" in price.area_source
    assert Horowitz().compute(8).area_um2 == pytest.approx(282 + 67)


@given(st.floats(0.01, 1e5), st.floats(1.0, 10.0))
def test_more_capacity_never_costs_less(kilobytes, factor):
    points = {8: 10.0, 32: 20.0, 1024: 100.0}
    assert power_law(points, kilobytes * factor) >= power_law(points, kilobytes) * (1 - 1e-12)
