"""The map of the field: every figure is computed, and those with a closed value have it."""

from cosearch.hooks.discovery import load_registry
from cosearch_plugins.papers import field
from cosearch_plugins.workloads import analog_nasbench

REGISTRY = load_registry(third_party=False)


def test_figures_of_the_crossbar_are_those_of_its_page():
    area, rate = field._isaac(REGISTRY)
    assert (area.published, area.here) == ("62.5", "62.5")
    assert rate.here == "38.4"
    (ratio,) = field._feedback(REGISTRY)
    assert ratio.here == "8.0"
    saved, step = field._random_weights(REGISTRY)
    assert saved.here == "88.9"
    assert step.here == "76.1"


def test_the_best_cut_moves_to_the_input_as_the_link_gets_faster():
    figure = next(field._split(REGISTRY))
    cuts = [int(part.split()[0]) for part in figure.here.split(", ")]
    assert cuts == sorted(cuts, reverse=True)
    assert cuts[0] == 11
    assert cuts[-1] == 0


def test_spiking_figures_are_those_of_the_page():
    time, energy, share, plus, logic = field._spiking(REGISTRY)
    assert (time.published, time.here) == ("215", "at most 237")
    assert (energy.published, energy.here) == ("13", "0.28")
    assert share.here == "31 of LUTs, 43 of block RAMs"
    assert (plus.published, plus.here) == ("780", "789")
    assert logic.here == "2,914 LUTs, 16"


def test_memory_and_exits_are_those_of_their_page():
    (memory,) = field._memory(REGISTRY)
    assert memory.here == "920 (1071), proven"
    (exits,) = field._exits(REGISTRY)
    assert exits.here == "15, 46, 92, 100"


def test_accuracies_of_analog_hardware_or_what_to_install(monkeypatch):
    monkeypatch.setattr(analog_nasbench, "PACKAGE", "no-such-distribution")
    (figure,) = field._analog(REGISTRY)
    assert "cosearch[analog]" in figure.here
