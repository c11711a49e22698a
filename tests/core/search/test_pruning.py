"""Whatever strategy searches a shrinking space, nothing leaves that could have been better."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.hooks.discovery import load_registry
from cosearch.search.pruning import Floor, Floors, PrunedSpace
from cosearch.search.unseen import Unseen
from cosearch.testing.problems import MACHINE, problem

HILL = problem("smooth")
REGISTRY = load_registry(third_party=False)
STRATEGIES = ("random", "sobol", "grid", "evolutionary", "annealing", "cmaes", "bayesian", "ppo")


class Toy(Floors):
    """Floors of half the loss; what has buffer 4 is impossible."""

    def _find(self, row):
        if row[2] == 4:
            return Floor(reason="no such buffer")
        return Floor(tuple(HILL.judge(row[None, :])[0][0] * 0.5))


def answer(rows):
    losses, _ = HILL.judge(rows)
    return losses, rows[:, 2] != 4


ROWS = MACHINE.unrank(np.arange(MACHINE.size))
ROWS = ROWS[MACHINE.feasible(ROWS)]
BEST = answer(ROWS)[0][answer(ROWS)[1]].min()


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_pruned_search_finds_the_best_and_ends_with_all_else_ruled_out(name):
    floors = Toy()
    space = PrunedSpace(MACHINE, floors)
    strategy = REGISTRY.find("strategies", name).make(space, np.random.default_rng(0))
    best, tried = np.inf, []
    while len(rows := strategy.ask(4)) and len(tried) < 4 * len(ROWS):
        losses, feasible = answer(rows)
        impossible = rows[:, 2] == 4
        assert not impossible.any()
        assert (0.5 * losses[:, 0] < best).all()
        floors.learn(rows, losses, feasible)
        best = min(best, losses[feasible].min(initial=np.inf))
        strategy.tell(rows, losses, feasible)
        tried += [row.tobytes() for row in rows]
    assert best == BEST
    assert len(tried) == len(set(tried)) < len(ROWS)
    for row in ROWS:
        assert row.tobytes() in tried or not space.feasible(row[None, :])[0]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, len(ROWS) - 1), max_size=20), st.integers(0, 2**32 - 1))
def test_what_is_drawn_is_open_and_unseen(picked, seed):
    floors, rng = Toy(), np.random.default_rng(seed)
    space = PrunedSpace(MACHINE, floors)
    unseen = Unseen(space)
    told = ROWS[np.unique(picked).astype(int)]
    unseen.mark(told)
    floors.learn(told, *answer(told))
    rows = unseen.draw(40, rng)
    assert space.feasible(rows).all()
    assert not {r.tobytes() for r in rows} & {r.tobytes() for r in told}
    gone = {p.row for p in floors.gone}
    assert not gone & {tuple(r) for r in told}
    for pruned in floors.gone:
        best = answer(told)[0][answer(told)[1]].min(initial=np.inf)
        assert pruned.floor.reason or best <= pruned.floor.losses[0]
        assert pruned.after == len(told)


def test_of_several_losses_a_dominated_floor_leaves():
    class Two(Floors):
        def _find(self, row):
            return Floor((float(row[0]), 5.0 - row[0]))

    floors = Two()
    floors.learn(np.array([[9, 9]]), np.array([[2.0, 2.0]]), np.array([True]))
    rows = np.array([[i, 0] for i in range(6)])
    assert floors.open(rows).tolist() == [True, True, False, False, True, True]


def test_without_floors_only_the_impossible_leaves():
    floors = Toy(by_losses=False)
    floors.learn(ROWS[:1], np.array([[0.0]]), np.array([True]))
    assert (floors.open(ROWS) == (ROWS[:, 2] != 4)).all()
