"""Who shares a word, and how far words travel: by hand."""

import numpy as np
import pytest

from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.loopnest.model.grid import Grid, groups, groups_by_size, offsets
from cosearch.loopnest.nest import Nest
from cosearch.workload.einsum import conv

ALL = ("Weights", "Inputs", "Outputs")


@pytest.mark.parametrize(
    ("grid", "children", "hops"),
    [
        (Grid(4, 1), [0], 0),
        (Grid(4, 1), [3], 3),
        (Grid(4, 1), [0, 1, 2, 3], 3),
        (Grid(1, 4), [0], 1.5),  # up from the middle, between rows 1 and 2
        (Grid(1, 4), [0, 3], 3),
        (Grid(1, 3), [1], 0),
        (Grid(4, 3), [0, 4, 8], 2),  # a column: one up, one down
        (Grid(4, 3), list(range(12)), 3 + 4 * 2),
    ],
)
def test_hops_to_a_group(grid, children, hops):
    assert grid.double_hops(np.array([children])) == 2 * hops


def test_neighbours_stay_in_the_grid():
    grid = Grid(4, 3)
    assert sorted(grid.neighbours(0, 12)) == [1, 4]
    assert sorted(grid.neighbours(5, 12)) == [1, 4, 6, 9]
    assert sorted(grid.neighbours(3, 12)) == [2, 7]
    assert sorted(grid.neighbours(5, 6)) == [1, 4]


def test_windows_spread_over_children_meet_on_diagonals():
    layer = conv(K=1, C=1, P=4, Q=1, R=3)
    spread = LevelMapping("glb", ALL, (), [Loop("P", 4)], [Loop("R", 3)])
    nest = Nest.of(layer, Mapping((spread,)))
    places = [offsets(nest, t, 0) for t in layer.tensors]
    weights, inputs, outputs = (groups(list(map(tuple, p.tolist()))) for p in places)
    assert sorted(map(len, weights)) == [4, 4, 4]
    assert sorted(map(len, inputs)) == [1, 1, 2, 2, 3, 3]
    assert sorted(map(len, outputs)) == [3, 3, 3, 3]
    for together, at in zip((weights, inputs, outputs), places, strict=True):
        alike = [group for same in groups_by_size(at) for group in same.tolist()]
        assert sorted(alike) == sorted(together)


def test_a_tensor_of_one_word_is_shared_by_all():
    (alone,) = groups_by_size(np.zeros((5, 0), dtype=np.int64))
    assert alone.tolist() == [[0, 1, 2, 3, 4]]
