"""Sobol and grid: orders that are settled before the first result."""

import numpy as np
import pytest
from scipy.stats import qmc

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.testing.problems import MACHINE, TINY
from cosearch_plugins.strategies.grid import Grid
from cosearch_plugins.strategies.sobol import Sobol, directions, sobol_integers

FINE = ParameterSpace(tuple(Parameter(f"p{i}", tuple(range(64))) for i in range(6)))


def test_the_first_64_dimensions_are_those_of_scipy():
    # scipy walks in Gray code order, which permutes blocks of powers of two.
    ours = sobol_integers(0, 256, directions(64)) / 2.0**30
    theirs = qmc.Sobol(64, scramble=False).random(256)
    order = np.lexsort(ours.T), np.lexsort(theirs.T)
    assert ours[order[0]] == pytest.approx(theirs[order[1]], abs=1e-9)


def test_points_do_not_depend_on_how_many_are_asked_for():
    v = directions(5)
    whole = sobol_integers(0, 100, v)
    parts = [sobol_integers(start, 10, v) for start in range(0, 100, 10)]
    assert (np.concatenate(parts) == whole).all()


def test_is_more_even_than_chance():
    rows = Sobol(FINE, np.random.default_rng(0)).ask(256)
    random = FINE.sample(256, np.random.default_rng(0))
    quasi, chance = (qmc.discrepancy((r + 0.5) / 64) for r in (rows, random))
    assert quasi < chance / 2
    assert [len(np.unique(column)) for column in rows.T] == [64] * 6


def test_more_than_64_columns_still_work():
    space = ParameterSpace(tuple(Parameter(f"p{i}", (0, 1, 2)) for i in range(70)))
    rows = Sobol(space, np.random.default_rng(0)).ask(50)
    assert rows.shape == (50, 70)
    assert all(len(np.unique(column)) == 3 for column in rows.T)


def test_the_same_sequence_whatever_the_batches():
    one = Sobol(MACHINE, np.random.default_rng(0)).ask(60)
    strategy = Sobol(MACHINE, np.random.default_rng(0))
    assert np.concatenate([strategy.ask(n) for n in (1, 9, 20, 30)]).tolist() == one.tolist()


def test_a_lexicographic_grid_counts_up():
    rows = Grid(TINY, np.random.default_rng(0), steps=1024, order="lexicographic").ask(20)
    everything = TINY.unrank(np.arange(TINY.size))
    assert rows.tolist() == everything[TINY.feasible(everything)].tolist()


def test_a_grid_of_two_steps_takes_the_ends():
    rows = Grid(FINE, np.random.default_rng(0), steps=2).ask(64)
    assert np.isin(rows, (0, 63)).all()
    assert len(np.unique(rows, axis=0)) == 64


def test_unordered_columns_take_part_with_all_choices():
    space = ParameterSpace(
        (Parameter("kind", ("a", "b", "c")), Parameter("size", tuple(range(50))))
    )
    rows = Grid(space, np.random.default_rng(0), steps=2).ask(6)
    assert sorted(map(tuple, rows.tolist())) == [(k, s) for k in range(3) for s in (0, 49)]


def test_coarse_comes_before_fine():
    strategy = Grid(FINE, np.random.default_rng(0))
    assert np.isin(strategy.ask(64), (0, 63)).all()
    assert np.isin(strategy.ask(3**6 - 64), (0, 32, 63)).all()


def test_a_spread_grid_has_been_everywhere_early():
    rows = Grid(FINE, np.random.default_rng(0), steps=64).ask(128)
    assert all(len(np.unique(column // 16)) == 4 for column in rows.T)


def test_a_grid_too_large_for_64_bits():
    space = ParameterSpace(tuple(Parameter(f"p{i}", tuple(range(100))) for i in range(12)))
    rows = Grid(space, np.random.default_rng(0), steps=1024).ask(100)
    assert len(np.unique(rows, axis=0)) == 100
