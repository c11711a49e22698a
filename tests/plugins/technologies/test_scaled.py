import pytest

from cosearch.errors import CosearchError, UnknownNameError
from cosearch.hooks.discovery import load_registry
from cosearch.machine.technology import Storage
from cosearch_plugins.technologies.eyeriss_chip import EyerissChip
from cosearch_plugins.technologies.horowitz import Horowitz
from cosearch_plugins.technologies.pat import LinearTable
from cosearch_plugins.technologies.scaled import Scaled
from cosearch_plugins.technologies.scaling import area_ratio, energy_ratio

BUFFER = Storage("buffer", "sram", 4096, 64)


@pytest.fixture(scope="module")
def registry():
    return load_registry(third_party=False)


def test_at_its_own_node_a_technology_is_itself():
    same = Scaled(Horowitz(), 45, 0.9)
    assert same.storage(BUFFER).energy == Horowitz().storage(BUFFER).energy
    assert same.compute(8).area_um2 == Horowitz().compute(8).area_um2


def test_energy_and_area_follow_the_scaling_equations():
    scaled, base = Scaled(Horowitz(), 16, 0.8), Horowitz()
    ratio = energy_ratio((45, 0.9), (16, 0.8))
    assert scaled.storage(BUFFER).energy.read == pytest.approx(
        base.storage(BUFFER).energy.read * ratio
    )
    assert scaled.compute(8).area_um2 == pytest.approx(
        base.compute(8).area_um2 * area_ratio(45, 16)
    )
    assert "Stillmaker" in scaled.storage(BUFFER).energy_source


def test_dram_is_left_as_it_is():
    part = Storage("DRAM", "dram", None, 64)
    assert Scaled().storage(part) == Horowitz().storage(part)


def test_relative_energies_stay_and_say_so():
    scaled = Scaled(EyerissChip(), 16, 0.8).storage(BUFFER)
    chip = EyerissChip().storage(BUFFER)
    assert scaled.energy == chip.energy
    assert "relative, not scaled" in scaled.energy_source
    assert scaled.area_um2 == pytest.approx(chip.area_um2 * area_ratio(65, 16))


def test_what_belongs_to_no_node_is_refused():
    with pytest.raises(CosearchError, match="belong to no node"):
        Scaled(LinearTable()).storage(BUFFER)


def test_the_base_is_found_by_name_with_options_of_its_own(registry):
    named = registry.made("technologies", "scaled:base=horowitz:dram=high")
    assert named.name == "scaled:base=horowitz:dram=high,node_nm=16,supply_v=0.8"


def test_an_unknown_base_suggests_near_names(registry):
    with pytest.raises(UnknownNameError, match="horowit"):
        registry.made("technologies", "scaled:base=horowit")
