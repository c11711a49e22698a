import pytest

from cosearch.errors import CosearchError
from cosearch_plugins.technologies.scaling import NODES, area_ratio, energy_factor, energy_ratio


def test_the_factors_that_the_papers_corrigendum_works_out():
    assert energy_factor(65, 1.3) == pytest.approx(2.604, abs=1e-3)


def test_nothing_changes_at_home():
    assert energy_ratio((45, 0.9), (45, 0.9)) == 1.0
    assert area_ratio(65, 65) == 1.0


@pytest.mark.parametrize("node", NODES)
def test_energy_grows_with_voltage(node):
    factors = [energy_factor(node, volts) for volts in (0.8, 0.9, 1.0, 1.1, 1.2)]
    assert factors == sorted(factors)


def test_newer_nodes_are_smaller_and_spend_less():
    areas = [area_ratio(65, node) for node in NODES]
    energies = [energy_factor(node, 0.9) for node in NODES]
    assert areas == sorted(areas)
    assert energies == sorted(energies)


@pytest.mark.parametrize(("node", "volts", "said"), [(5, 0.7, "5 nm"), (7, 0.2, "0.2 V")])
def test_outside_the_tables_nothing_is_guessed(node, volts, said):
    with pytest.raises(CosearchError, match=said):
        energy_factor(node, volts)


def test_an_unknown_node_names_the_known_ones():
    with pytest.raises(CosearchError, match="28 nm") as caught:
        area_ratio(65, 28)
    assert "45" in caught.value.hint
