import importlib
from types import SimpleNamespace

import pytest

from cosearch.errors import CosearchError, MissingExtraError
from cosearch.machine.technology import Storage
from cosearch_plugins.technologies import hwcomponents
from cosearch_plugins.technologies.hwcomponents import HwComponents

JOULES = SimpleNamespace(energy=2e-12)


class Sram:
    """Stands in for the package's class: the same constructor and attributes."""

    area, leak_power = 5e-9, 1e-6

    def __init__(self, tech_node, width, size):
        if tech_node < 22e-9:
            raise ValueError("node too small\nand more")
        self.width, self.size = width, size

    def read(self):
        return SimpleNamespace(energy=1e-15 * self.size)

    def write(self):
        return JOULES


class Dram:
    area, leak_power = 0, 0

    def __init__(self, width):
        self.width = width

    def read(self):
        return JOULES

    write = read


class Mac:
    area = 2e-10

    def __init__(self, tech_node, adder_width, multiplier_width):
        assert tech_node == pytest.approx(45e-9)
        assert adder_width == 2 * multiplier_width

    def compute(self):
        return JOULES


@pytest.fixture
def package(monkeypatch):
    modules = {
        "hwcomponents_cacti": SimpleNamespace(SRAM=Sram, LPDDR4=Dram),
        "hwcomponents_library.library.aladdin": SimpleNamespace(AladdinIntMAC=Mac),
    }
    hwcomponents._package.cache_clear()
    monkeypatch.setattr(hwcomponents, "importlib", SimpleNamespace(import_module=modules.get))
    yield
    hwcomponents._package.cache_clear()


def test_units_are_converted(package):
    price = HwComponents(clock_mhz=1000.0).storage(Storage("buffer", "sram", 1024, 64))
    assert price.energy.read == pytest.approx(65.536)
    assert price.energy.fill == price.energy.update == pytest.approx(2.0)
    assert price.area_um2 == pytest.approx(5000.0)
    assert price.leak_pj_per_cycle == pytest.approx(1e-3)
    assert "45 nm" in price.energy_source


def test_dram_and_arithmetic(package):
    technology = HwComponents()
    assert technology.storage(Storage("DRAM", "dram", None, 64)).area_um2 == 0.0
    assert technology.compute(16).energy_pj == pytest.approx(2.0)
    assert technology.compute(16).area_um2 == pytest.approx(200.0)


def test_what_the_package_refuses_is_one_line(package):
    with pytest.raises(CosearchError, match=r"cannot price 'buffer': node too small$"):
        HwComponents(node_nm=7).storage(Storage("buffer", "sram", 64, 64))


def test_without_the_package_the_extra_is_named():
    hwcomponents._package.cache_clear()
    try:
        importlib.import_module("hwcomponents_cacti")
    except ImportError:
        with pytest.raises(MissingExtraError, match="optional package") as caught:
            HwComponents()
        assert "cosearch[hwcomponents]" in caught.value.hint
    else:
        pytest.skip("hwcomponents is installed")
