"""How a plugin tests itself: with what `cosearch.testing` has for it, and a search end to end."""

import pytest
from cosearch_example.strategy import HillClimb
from cosearch_example.workload import LeNet5

from cosearch.errors import Infeasible
from cosearch.hooks.discovery import load_registry
from cosearch.testing import StrategyConformance


class TestHillClimb(StrategyConformance):
    strategy = HillClimb
    strategy_options = {"restart": 5}  # noqa: RUF012


def tinycore():
    return load_registry().find("hardware_models", "tinycore").make()


def test_the_baseline_can_be_built():
    model = tinycore()
    assert model.build(model.baseline).area_mm2 > 0


def test_a_design_that_breaks_the_rule_says_so():
    with pytest.raises(Infeasible, match="larger than the SRAM"):
        tinycore().build({"multipliers": 64, "registers": 64, "sram_kb": 4})


def test_lenet5_has_the_multiply_accumulates_of_its_paper_network():
    assert LeNet5().network().macs == 117_600 + 240_000 + 48_000 + 10_080 + 840
