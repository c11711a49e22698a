"""Discrete soft actor-critic: what critics come to think, the temperature, delayed rewards."""

from functools import cache

import numpy as np
import pytest

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch_plugins.strategies.soft_actor_critic import SoftActorCritic

PAIR = ParameterSpace((Parameter("first", (0, 1, 2)), Parameter("second", (0, 1, 2, 3))))


def hard(rows):
    """The best row is (2, 1); its first choice with any other second is the worst of all."""
    best = (rows == [2, 1]).all(axis=1)
    return np.where(best, 1.0, np.where(rows[:, 0] == 2, 9.0, 3.0))


@cache
def told(undecided=0.3, sharpness=3.0, rounds=30):
    """Return a strategy that was told of every row of PAIR, over and over, and these rows."""
    strategy = SoftActorCritic(
        PAIR,
        np.random.default_rng(0),
        batch=12,
        undecided=undecided,
        sharpness=sharpness,
        replay=24,
    )
    rows = np.array([(a, b) for a in range(3) for b in range(4)])
    for _ in range(rounds):
        strategy.tell(rows, hard(rows)[:, None], np.ones(len(rows), dtype=bool))
    return strategy, rows


def test_critics_of_the_last_choice_learn_the_rewards():
    strategy, rows = told(sharpness=1.0)
    rewards = 1.0 / hard(rows)
    for critic in strategy._critics:
        _, values = critic.scores(rows)
        assert values[1][np.arange(12), rows[:, 1]] == pytest.approx(rewards, abs=0.08)


def test_critics_of_the_first_choice_learn_the_soft_value_of_what_follows():
    strategy, rows = told(sharpness=1.0)
    temperature = np.exp(strategy._log_temperature)
    masks = strategy._policy.masks(rows)
    policy = strategy._policy.read(rows, masks).probabilities[1]
    rewards = (1.0 / hard(rows)).reshape(3, 4)
    for a in range(3):
        p = policy[4 * a]
        soft = (p * (rewards[a] - temperature * np.log(p))).sum()
        thought = min(c.scores(rows)[1][0][0, a] for c in strategy._critics)
        assert thought == pytest.approx(soft, abs=0.1)


def test_a_choice_is_judged_by_what_can_follow_it():
    strategy, rows = told(undecided=0.0)
    chances = strategy._policy.read(rows, strategy._policy.masks(rows)).probabilities
    assert chances[0][0].argmax() == 2
    assert chances[1][8].argmax() == 1


def test_wanted_entropy_moves_the_temperature():
    cold, _ = told(undecided=0.0)
    warm, rows = told(undecided=0.9)
    assert cold._log_temperature < warm._log_temperature

    def entropy(strategy):
        found = strategy._policy.read(rows, strategy._policy.masks(rows)).probabilities
        return -sum(float((p * np.log(p + 1e-30)).sum(axis=1).mean()) for p in found)

    assert entropy(cold) < entropy(warm)


def test_infeasible_rows_are_avoided():
    strategy = SoftActorCritic(PAIR, np.random.default_rng(0), batch=12, undecided=0.0, replay=24)
    rows = np.array([(a, b) for a in range(3) for b in range(4)])
    for _ in range(20):
        strategy.tell(rows, np.ones((12, 1)), rows[:, 0] == 1)
    chances = strategy._policy.read(rows, strategy._policy.masks(rows)).probabilities
    assert chances[0][0].argmax() == 1


def test_delayed_rewards_are_found_sooner_than_by_chance():
    space = ParameterSpace(tuple(Parameter(f"p{i}", tuple(range(4))) for i in range(6)))
    needed = []
    for seed in range(3):
        strategy = SoftActorCritic(space, np.random.default_rng(seed), steps=8, replay=32)
        tried, losses = 0, np.array([np.inf])
        while tried < 400 and losses.min() > 1.0:
            rows, tried = strategy.ask(4), tried + 4
            losses = np.exp((rows != [1, 3, 0, 2, 2, 1]).sum(axis=1) / 2.0)
            strategy.tell(rows, losses[:, None], np.ones(4, dtype=bool))
        needed.append(tried)
    assert np.median(needed) < 300  # of 4,096 rows: chance needs 2,048


def test_on_the_split_beside_enumeration(registry):
    from cosearch_plugins.papers.split_race import SplitRace

    race = SplitRace(registry)
    assert race.nanoseconds.size == 720
    best = np.argwhere(race.nanoseconds == race.nanoseconds.min())
    assert len(best) == 1
    assert race.designs("discrete-sac", 0) <= 720
