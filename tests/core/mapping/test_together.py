import pytest

from cosearch.mapping.mapper import Mapped
from cosearch.mapping.together import gap_alone, map_together
from cosearch.search.objective import OBJECTIVES, weighted_sum

EDP, ENERGY, LATENCY, ED2P = (
    next(o for o in OBJECTIVES if o.name == name) for name in ("edp", "energy", "latency", "ed2p")
)
AREA = next(o for o in OBJECTIVES if o.name == "area")


def mapped(energy, cycles, gap=0.0):
    return Mapped([0], energy, cycles, gap=gap)


LAYERS = [
    [mapped(10.0, 10.0), mapped(3.0, 31.0)],
    [mapped(100.0, 1.0)],
]


def search(asked):
    """Answer as a proving mapper would."""
    return [min(LAYERS[i], key=lambda m: value(aim, m)) for i, aim in asked]


def value(aim, m):
    return float(aim.of({"energy_pj": m.energy_pj, "cycles": m.cycles}))


def first(objective):
    return [min(layer, key=lambda m: value(objective, m)) for layer in LAYERS]


def test_a_layer_takes_another_mapping_for_the_network():
    own = first(EDP)
    assert own[0].energy_pj == 3.0
    found = map_together(EDP, [1, 1], [(1.0, 1.0), (1.0, 1.0)], own, search)
    assert [m.energy_pj for m in found.chosen] == [10.0, 100.0]
    assert found.gap <= 1e-11
    assert found.alone == pytest.approx(1 - (93**0.5 + 10) ** 2 / (103 * 32))
    assert found.found[0][0] is own[0]


@pytest.mark.parametrize("objective", [ENERGY, LATENCY])
def test_sums_are_made_of_the_layers_own_best(objective):
    found = map_together(objective, [2, 3], [(0.0, 0.0)] * 2, first(objective), None)
    assert found.chosen == tuple(first(objective))
    assert found.gap == pytest.approx(0.0, abs=1e-15)


def test_gaps_of_layers_are_gaps_of_their_sum():
    own = [mapped(10.0, 1.0, gap=0.5), mapped(30.0, 1.0)]
    assert gap_alone(ENERGY, [1, 1], own) == pytest.approx(5 / 40)
    assert gap_alone(ENERGY, [2, 1], own) == pytest.approx(10 / 50)


@pytest.mark.parametrize(
    ("objective", "own"),
    [
        (EDP, [mapped(3.0, 31.0, gap=None), mapped(100.0, 1.0)]),
        (AREA, LAYERS[0]),
        (weighted_sum(1.0, 2.0), LAYERS[0]),
    ],
)
def test_where_nothing_is_proven_nothing_is_asked_and_nothing_claimed(objective, own):
    found = map_together(objective, [1, 1], [(0.0, 0.0)] * 2, own, None)
    assert (found.gap, found.alone, found.chosen) == (None, None, tuple(own))


def test_a_search_that_finds_nothing_adds_nothing():
    own = first(EDP)
    found = map_together(EDP, [1, 1], [(1.0, 1.0)] * 2, own, lambda asked: [None] * len(asked))
    assert found.chosen == tuple(own)
    assert 0 < found.gap <= found.alone
