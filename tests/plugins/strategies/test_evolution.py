"""Evolutionary, NSGA-II and annealing: who survives, who breeds, who moves."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import CosearchError
from cosearch.search.objective import pareto_front
from cosearch.search.unseen import Unseen
from cosearch.testing.problems import MACHINE, SINGLE, TINY
from cosearch_plugins.strategies.annealing import Annealing
from cosearch_plugins.strategies.evolutionary import Evolutionary
from cosearch_plugins.strategies.nsga2 import Nsga2, crowding, front_numbers
from cosearch_plugins.strategies.parts.breeding import Breeding, neighbour

points = st.lists(
    st.tuples(*[st.sampled_from([0.0, 1.0, 2.0, 3.0, math.inf])] * 2), min_size=1, max_size=25
).map(np.array)


def told(strategy, n=20, seed=0):
    rows, _ = strategy.space.sample_feasible(n, np.random.default_rng(seed))
    rows = np.unique(rows, axis=0)
    losses = np.arange(len(rows), dtype=float)[:, None]
    strategy.tell(rows, losses, np.ones(len(rows), dtype=bool))
    return rows


def test_the_worst_leave_or_the_oldest():
    elitist = Evolutionary(MACHINE, np.random.default_rng(0), population=5)
    ageing = Evolutionary(MACHINE, np.random.default_rng(0), population=5, ageing=True)
    rows = told(elitist)
    told(ageing)
    assert elitist._rows.tolist() == rows[:5].tolist()
    assert ageing._rows.tolist() == rows[-5:].tolist()


def test_a_tournament_is_won_by_the_best_drawn():
    strategy = Evolutionary(MACHINE, np.random.default_rng(0), population=10, tournament=64)
    told(strategy)
    assert strategy._losses[strategy._select(50)].max() == strategy._losses.min()
    fair = Evolutionary(MACHINE, np.random.default_rng(0), population=10, tournament=1)
    told(fair)
    assert len(np.unique(fair._select(200))) == 10


def test_without_crossover_a_child_is_a_neighbour():
    rng = np.random.default_rng(0)
    parents, _ = MACHINE.sample_feasible(50, rng)
    others, _ = MACHINE.sample_feasible(50, rng)
    children = Breeding(MACHINE, 0.0, 1.0).children(parents, others, rng)
    assert ((children != parents).sum(axis=1) == 1).all()


def test_offspring_are_new_even_when_parents_are_not():
    rng, unseen = np.random.default_rng(0), Unseen(TINY)
    everything = TINY.unrank(np.arange(TINY.size))
    parents = everything[TINY.feasible(everything)]
    unseen.mark(parents[:12])
    found = Breeding(TINY, 0.5, 1.0).offspring(
        10, parents, lambda k: rng.integers(0, 12, size=k), unseen, rng
    )
    assert sorted(map(tuple, found.tolist())) == sorted(map(tuple, parents[12:].tolist()))


def test_a_neighbour_is_near_and_new():
    rng, unseen = np.random.default_rng(0), Unseen(MACHINE)
    row = np.array([2, 2, 3, 1, 0, 0])
    unseen.mark(row[None, :])
    near = np.concatenate([neighbour(row, MACHINE, unseen, rng) for _ in range(8)])
    assert len(np.unique(near, axis=0)) == 8
    assert ((near != row).sum(axis=1) <= 2).all()
    assert len(neighbour(np.zeros(2, dtype=np.int64), SINGLE, marked(SINGLE), rng)) == 0


def marked(space):
    unseen = Unseen(space)
    unseen.mark(space.unrank(np.arange(space.size)))
    return unseen


@given(points)
@settings(max_examples=60)
def test_fronts_are_peeled_off_one_by_one(losses):
    finite = np.where(np.isinf(losses), 9.0, losses)
    fronts, left = front_numbers(losses), np.ones(len(losses), dtype=bool)
    for number in range(fronts.max() + 1):
        members = np.flatnonzero(left)[pareto_front(finite[left])]
        assert set(members) == set(np.flatnonzero(fronts == number))
        left[members] = False
    assert not left.any()


def test_crowding_by_hand():
    losses = np.array([[0.0, 4.0], [1.0, 2.0], [3.0, 1.0], [4.0, 0.0], [9.0, 9.0]])
    distance = crowding(losses, np.array([0, 0, 0, 0, 1]))
    assert np.isinf(distance[[0, 3, 4]]).all()
    assert distance[1] == pytest.approx(3 / 9 + 3 / 9)
    assert distance[2] == pytest.approx(3 / 9 + 2 / 9)


@given(points)
@settings(max_examples=40)
def test_crowding_is_never_nan(losses):
    distance = crowding(losses, front_numbers(losses))
    assert not np.isnan(distance).any()
    assert (distance >= 0).all()


def test_nsga2_spreads_over_the_front():
    strategy = Nsga2(MACHINE, np.random.default_rng(0), population=24)
    rows = MACHINE.unrank(np.arange(MACHINE.size))
    rows = rows[MACHINE.feasible(rows)]

    def judge(some):
        size = (some[:, :3] + 1.0).prod(axis=1)
        return np.stack([size, ((some[:, :3] - 5) ** 2).sum(axis=1) + some[:, 3]], axis=1)

    true = judge(rows)
    true = {tuple(point) for point in true[pareto_front(true)]}
    found = []
    for _ in range(40):
        asked = strategy.ask(10)
        strategy.tell(asked, judge(asked), np.ones(10, dtype=bool))
        found.append(judge(asked))
    everything = np.concatenate(found)
    reached = {tuple(point) for point in everything[pareto_front(everything)]} & true
    assert len(reached) > 0.8 * len(true)


def test_nsga2_keeps_to_its_number_of_losses():
    strategy = Nsga2(MACHINE, np.random.default_rng(0))
    row, yes = np.zeros((1, 6), dtype=np.int64), np.ones(1, dtype=bool)
    strategy.tell(row, np.ones((1, 2)), yes)
    with pytest.raises(CosearchError, match="2 losses first and now 3"):
        strategy.tell(row, np.ones((1, 3)), yes)


def test_the_temperature_falls_and_rises_again():
    strategy = Annealing(MACHINE, np.random.default_rng(0), hot=1.0, cold=0.01, horizon=10)
    seen = []
    row, yes = np.zeros((1, 6), dtype=np.int64), np.ones(1, dtype=bool)
    for _ in range(11):
        seen.append(strategy.temperature)
        strategy.tell(row, np.ones((1, 1)), yes)
    assert seen[0] == seen[10] == 1.0
    assert seen[5] == pytest.approx(0.1)
    assert seen[9] == pytest.approx(0.01**0.9)


def test_a_rise_is_accepted_as_often_as_metropolis_says():
    strategy = Annealing(MACHINE, np.random.default_rng(0), chains=1)
    accepted = 0
    for _ in range(3000):
        chain = strategy._chains[0]
        chain.row, chain.loss = np.zeros(6, dtype=np.int64), 1.0
        strategy._step(chain, np.ones(6, dtype=np.int64), math.e**0.5, temperature=0.5)
        accepted += chain.loss > 1.0
    assert accepted / 3000 == pytest.approx(math.exp(-1.0), abs=0.03)


def test_an_infinite_loss_is_never_walked_to():
    strategy = Annealing(MACHINE, np.random.default_rng(0), chains=1)
    chain = strategy._chains[0]
    chain.row, chain.loss = np.zeros(6, dtype=np.int64), 1.0
    for _ in range(100):
        strategy._step(chain, np.ones(6, dtype=np.int64), math.inf, temperature=100.0)
    assert chain.loss == 1.0
