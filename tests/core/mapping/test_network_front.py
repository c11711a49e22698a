from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.errors import CosearchError
from cosearch.mapping.network_front import Front, best_combination, network_hull

point = st.tuples(st.integers(1, 40), st.integers(1, 40))
fronts = st.lists(st.lists(point, min_size=1, max_size=6), min_size=1, max_size=4)


def front(points):
    energy, cycles = np.array(points, dtype=np.float64).T
    return Front(energy, cycles)


@given(fronts, st.data(), st.sampled_from([(1, 1), (1, 2), (1, 0), (0, 1)]))
def test_no_choice_of_mappings_is_better(layers, data, powers):
    counts = [data.draw(st.integers(1, 3)) for _ in layers]
    found = best_combination([front(points) for points in layers], counts, *powers)
    least = min(
        sum(n * e for n, (e, _) in zip(counts, choice, strict=True)) ** powers[0]
        * sum(n * c for n, (_, c) in zip(counts, choice, strict=True)) ** powers[1]
        for choice in itertools.product(*layers)
    )
    assert found.energy_pj ** powers[0] * found.cycles ** powers[1] == least


@given(fronts)
def test_a_choice_adds_up_to_what_it_says(layers):
    for corner in network_hull([front(points) for points in layers], [2] * len(layers)):
        chosen = [points[i] for points, i in zip(layers, corner.choice, strict=True)]
        assert corner.energy_pj == 2 * sum(e for e, _ in chosen)
        assert corner.cycles == 2 * sum(c for _, c in chosen)


def test_repeated_layers_gain_nothing_from_different_mappings():
    points = [(1, 10), (4, 5), (10, 1)]
    once = best_combination([front(points)], [4])
    apart = best_combination([front(points)] * 4, [1] * 4)
    assert once.energy_pj * once.cycles == apart.energy_pj * apart.cycles


def test_the_best_network_is_not_made_of_the_best_layers():
    layers = [[(10, 10), (3, 31)], [(100, 1)]]
    own = [min(points, key=lambda p: p[0] * p[1]) for points in layers]
    edp = sum(e for e, _ in own) * sum(c for _, c in own)
    best = best_combination([front(points) for points in layers], [1, 1])
    assert best.energy_pj * best.cycles < edp


@pytest.mark.parametrize("counts", [[1], [1, 0]])
def test_nonsense_is_refused(counts):
    with pytest.raises(CosearchError):
        best_combination([front([(1, 1)])] * 2, counts)
