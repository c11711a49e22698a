import pytest

from cosearch.hooks.discovery import load_registry
from cosearch_plugins.papers.shi2020.runs import MODELS
from cosearch_plugins.papers.shi2020.setting import SETTINGS, VARIANTS

REGISTRY = load_registry()


@pytest.mark.parametrize("setting", [*SETTINGS.values(), *VARIANTS], ids=lambda s: s.name)
@pytest.mark.parametrize("rules", ["open", "row-stationary", "timeloop-rows"])
def test_every_setting_is_the_chip_priced_in_some_way(setting, rules):
    for model in MODELS:
        machine = REGISTRY.find("hardware_models", setting.hardware(model, rules)).make()
        scratchpads, buffer, dram = machine.build(machine.baseline).architecture.levels
        words = {role: part.entries for role, part in scratchpads.partitions.items()}
        assert words == {"Inputs": 12, "Weights": 224, "Outputs": 24}
        assert buffer.entries * buffer.word_bits == 108 * 8192
        assert (dram.shared_bandwidth is None) == (setting.link_bits == 0)
        assert scratchpads.instances == (256 if model == "shi2020-transformer" else 168)


def test_the_variants_are_different_and_hold_the_settings():
    assert len(set(VARIANTS)) == len({v.name for v in VARIANTS}) == len(VARIANTS)
    assert set(SETTINGS.values()) <= set(VARIANTS)
