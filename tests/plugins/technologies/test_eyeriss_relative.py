import pytest

from cosearch.machine.technology import Storage
from cosearch_plugins.technologies.eyeriss_relative import RelativeCosts


@pytest.mark.parametrize(("kind", "units"), [("regfile", 1.0), ("sram", 6.0), ("dram", 200.0)])
@pytest.mark.parametrize("depth", [16, 4096])
def test_published_costs_whatever_the_size(kind, units, depth):
    price = RelativeCosts().storage(Storage("memory", kind, depth, 16))
    assert price.energy.read == units


def test_proportional_to_width():
    price = RelativeCosts().storage(Storage("buffer", "sram", 100, 64))
    assert price.energy.fill == 24.0
    assert RelativeCosts().compute(16).energy_pj == 1.0
