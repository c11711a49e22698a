import pytest

from cosearch.errors import UnknownNameError
from cosearch.hooks.discovery import load_registry
from cosearch_hardware.pricing import AREA, AREA_16_NM, CHIP, CHIP_16_NM, SCALED, TECHNOLOGY
from cosearch_hardware.pricing import TECHNOLOGY_16_NM as SCALED_OPTION

REGISTRY = load_registry(third_party=False)


def sources(spec):
    model = REGISTRY.find("hardware_models", spec).make()
    return model.build(model.baseline).sources


def test_areas_come_from_the_same_technology_unless_said():
    assert AREA.default == AREA.unless
    alone = sources("systolic:technology=horowitz")["input buffer"]
    mixed = sources("systolic:technology=horowitz,area=eyeriss-chip")["input buffer"]
    assert "Horowitz" in alone
    assert "Eyeriss chip" not in alone
    assert "Horowitz" in mixed
    assert "Eyeriss chip" in mixed


def test_a_name_may_carry_options():
    named = sources("nvdla:technology=scaled:node_nm=7")
    assert any("7 nm" in line for line in named.values())


def test_an_unknown_name_suggests_near_ones():
    with pytest.raises(UnknownNameError) as caught:
        sources("eyeriss:technology=horowits")
    assert "horowitz" in caught.value.hint


@pytest.mark.parametrize(
    ("option", "default"),
    [(TECHNOLOGY, CHIP), (SCALED_OPTION, SCALED), (AREA_16_NM, CHIP_16_NM)],
)
def test_a_model_made_by_hand_has_the_prices_of_one_made_by_name(option, default):
    assert REGISTRY.made("technologies", option.default).name == default.name
