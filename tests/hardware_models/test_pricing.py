import pytest

from cosearch.errors import UnknownNameError
from cosearch_hardware.pricing import SAME, technologies, technology_named


def test_areas_come_from_the_same_technology_unless_said():
    energy, area = technologies("pat", SAME)
    assert energy is area
    assert technologies("pat", "eyeriss-chip")[1].name == "eyeriss-chip"


def test_a_name_may_carry_options():
    assert technology_named("scaled:node_nm=7,supply_v=0.7").name.endswith("supply_v=0.7")


def test_an_unknown_name_suggests_near_ones():
    with pytest.raises(UnknownNameError) as caught:
        technology_named("horowits")
    assert "horowitz" in caught.value.hint
