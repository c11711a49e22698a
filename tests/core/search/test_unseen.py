import numpy as np
import pytest

import cosearch.search.unseen
from cosearch.search.parameters import Parameter, ParameterSpace, Rule
from cosearch.search.unseen import Unseen
from cosearch.testing.problems import MACHINE, SINGLE, TINY

HUGE = ParameterSpace(tuple(Parameter(f"p{i}", tuple(range(100))) for i in range(12)))
NOTHING = ParameterSpace(
    (Parameter("a", (1, 2, 3)),), (Rule("never", lambda c: np.zeros(len(c["a"]), bool)),)
)


def test_draws_every_feasible_row_once_and_then_nothing():
    unseen, rng = Unseen(TINY), np.random.default_rng(0)
    rows = np.concatenate([unseen.draw(4, rng) for _ in range(5)])
    everything = TINY.unrank(np.arange(TINY.size))
    assert sorted(TINY.rank(rows)) == sorted(TINY.rank(everything[TINY.feasible(everything)]))
    assert len(unseen.draw(4, rng)) == 0


def test_a_single_row_is_drawn_once():
    unseen, rng = Unseen(SINGLE), np.random.default_rng(0)
    assert len(unseen.draw(5, rng)) == 1
    assert len(unseen.draw(5, rng)) == 0


def test_marked_rows_are_not_drawn():
    unseen, rng = Unseen(TINY), np.random.default_rng(0)
    everything = TINY.unrank(np.arange(TINY.size))
    unseen.mark(everything[:-1])
    assert unseen.draw(5, rng).tolist() == []
    assert len(unseen) == TINY.size - 1


def test_a_space_without_feasible_rows_gives_none():
    assert len(Unseen(NOTHING).draw(3, np.random.default_rng(0))) == 0


def test_a_large_space_gives_up_after_so_many_draws(monkeypatch):
    monkeypatch.setattr(cosearch.search.unseen, "MAX_DRAWS", 5000)
    space = ParameterSpace(
        HUGE.parameters, (Rule("never", lambda c: np.zeros(len(c["p0"]), bool)),)
    )
    unseen = Unseen(space)
    assert len(unseen.draw(3, np.random.default_rng(0))) == 0
    assert unseen.draws == 5000


@pytest.mark.parametrize("space", [MACHINE, HUGE], ids=["numbered", "too large to number"])
def test_new_names_the_first_of_equal_rows(space):
    unseen = Unseen(space)
    rows, _ = space.sample_feasible(3, np.random.default_rng(0))
    rows = rows[[0, 1, 0, 2, 1]]
    assert unseen.new(rows).tolist() == [True, True, False, True, False]
    assert len(unseen.take(rows, 2)) == 2
    assert unseen.new(rows).tolist() == [False, False, False, True, False]


def test_take_leaves_out_what_breaks_a_known_constraint():
    unseen = Unseen(TINY)
    everything = TINY.unrank(np.arange(TINY.size))
    assert len(unseen.take(everything)) == 17


def test_find_marks_nothing_and_varies():
    unseen, rng = Unseen(MACHINE), np.random.default_rng(0)
    first, second = unseen.find(100, rng), unseen.find(100, rng)
    assert len(unseen) == 0
    assert len(np.unique(first, axis=0)) == len(np.unique(second, axis=0)) == 100
    assert first.tolist() != second.tolist()


def test_find_varies_also_once_the_space_is_enumerated():
    unseen, rng = Unseen(TINY), np.random.default_rng(0)
    unseen.find(17, rng)
    found = [unseen.find(4, rng) for _ in range(4)]
    assert len(np.unique(np.concatenate(found), axis=0)) > 10
    assert all(len(rows) == 4 for rows in found)


@pytest.mark.parametrize("seed", range(20))
def test_once_enumerated_it_is_a_queue_of_what_is_left(seed):
    unseen, rng = Unseen(TINY), np.random.default_rng(seed)
    unseen.find(17, rng)
    queue = np.concatenate([unseen._rest[unseen._at :], *unseen._back]).tolist()
    seen = []
    for n in rng.integers(0, 9, size=12).tolist():
        found = unseen.find(n, rng).tolist()
        left = [row for row in queue if row not in seen and TINY.feasible(np.array([row]))[0]]
        assert found == left[:n]
        queue = left[n:] + found
        some = found[: n // 4]
        unseen.mark(np.array(some, dtype=np.int64).reshape(-1, len(TINY.names)))
        seen += some


def test_draws_are_uniform_over_feasible_rows():
    counts = np.zeros(TINY.size)
    for seed in range(600):
        counts[TINY.rank(Unseen(TINY).draw(1, np.random.default_rng(seed)))] += 1
    expected = 600 / 17
    chi = ((counts[counts > 0] - expected) ** 2 / expected).sum()
    assert (counts > 0).sum() == 17
    assert chi < 45  # 16 degrees of freedom: beyond 45 with probability 1e-4
