import numpy as np
import pytest

import cosearch.search.unseen
from cosearch.search.hypervolume import hypervolume, reference_point
from cosearch.search.parameters import Parameter, ParameterSpace, Rule
from cosearch_plugins.strategies.bayesian import Bayesian
from cosearch_plugins.strategies.parts.pending import RECENT
from cosearch_plugins.strategies.random import Random
from cosearch_plugins.strategies.sobol import Sobol

VALUES = tuple(range(8))
SPACE = ParameterSpace(
    tuple(Parameter(f"p{i}", VALUES) for i in range(4)),
    (Rule("p0 + p1 exceeds 8", lambda c: c["p0"] + c["p1"] <= 8),),
)


def judge(rows):
    loss = np.exp(((rows - [2, 5, 3, 6]) ** 2).sum(axis=1) / 12.0)
    return loss[:, None], rows[:, 2] + rows[:, 3] <= 9


def searched(strategy, trials):
    asked = []
    for _ in range(trials):
        rows = strategy.ask(1)
        strategy.tell(rows, *judge(rows))
        asked.append(rows[0])
    return np.array(asked)


@pytest.mark.parametrize("kernel", ["linear", "matern", "rbf"])
def test_learns_an_unknown_constraint_and_searches_along_it(kernel):
    strategy = Bayesian(SPACE, np.random.default_rng(0), kernel=kernel, local=0.0)
    rows = searched(strategy, 60)
    everything = SPACE.unrank(np.arange(SPACE.size))
    everything = everything[SPACE.feasible(everything)]
    feasible = judge(everything)[1]
    believed = strategy._label_model.probability(strategy._features(everything)) > 0.5
    assert (believed == feasible).mean() > 0.95
    assert feasible.mean() < 0.8
    asked, anywhere = rows[20:, 2:].sum(axis=1), everything[:, 2:].sum(axis=1)
    assert (asked > 11).mean() < 0.05 < (anywhere > 11).mean()
    assert np.abs(asked - 9).mean() < np.abs(anywhere - 9).mean()


def test_counts_the_raw_draws_of_its_rejection_sampling(monkeypatch):
    monkeypatch.setattr(cosearch.search.unseen, "ENUMERABLE", 0)
    options = {"start": "random", "warmup": 5, "local": 0.0, "candidates": 150}
    strategy = Bayesian(SPACE, np.random.default_rng(0), **options)
    searched(strategy, 5)
    before = strategy.statistics["raw_draws"]
    searched(strategy, 10)
    assert strategy.statistics["model_asks"] == 10
    drawn = (strategy.statistics["raw_draws"] - before) / 10
    share = SPACE.feasible(SPACE.sample(4000, np.random.default_rng(0))).mean()
    assert 150 / share * 0.8 < drawn < 4 * 150 / share


def test_a_random_start_counts_designs():
    few, many = (
        searched(Bayesian(SPACE, np.random.default_rng(0), start="random", warmup=w), 12)
        for w in (5, 30)
    )
    assert few[:5].tolist() == many[:5].tolist()
    assert few[5:].tolist() != many[5:].tolist()


def test_what_is_believed_infeasible_is_tried_when_nothing_better_comes():
    def doubted(explore):
        strategy = Bayesian(SPACE, np.random.default_rng(0), explore=explore)
        for _ in range(20):
            rows = strategy.ask(10)
            feasible = rows[:, 0] == 0
            strategy.tell(rows, np.where(feasible, 1.0, np.inf)[:, None], feasible)
        return (strategy._history.rows[-100:, 0] > 2).mean()

    assert doubted(0.3) > 0.1 > doubted(0.0)


def test_told_trials_count_as_warm_up():
    strategy = Bayesian(SPACE, np.random.default_rng(0))
    rows, _ = SPACE.sample_feasible(40, np.random.default_rng(1))
    strategy.tell(rows, *judge(rows))
    assert judge(strategy.ask(1))[0][0, 0] < np.median(judge(rows)[0])


def test_without_features_it_sees_the_encoding_alone():
    own = ParameterSpace(SPACE.parameters, SPACE.rules, lambda c: np.ones((len(c["p0"]), 1)))
    blind, sees = (
        searched(Bayesian(own, np.random.default_rng(0), kernel="matern", features=features), 40)
        for features in ("space", "encoding")
    )
    assert judge(sees[20:])[0].mean() < judge(blind[20:])[0].mean()


@pytest.mark.parametrize(("until", "expected"), [(8, 10), (99, 60)])
def test_sobol_points_come_until_three_designs_are_feasible(until, expected):
    strategy, sobol = (
        Bayesian(SPACE, np.random.default_rng(0)),
        Sobol(SPACE, np.random.default_rng(9)),
    )
    sobol._shift = strategy._sobol._shift
    same = 0
    for trial in range(66):
        rows = strategy.ask(1)
        same += bool((rows == sobol.ask(1)).all()) and same == trial
        ok = np.array([trial + 1 >= until])
        strategy.tell(rows, judge(rows)[0], ok)
    assert same == expected


def test_of_several_losses_it_finds_the_front_sooner_than_chance():
    def both(rows):
        first, second = judge(rows)[0], judge(7 - rows)[0]
        return np.hstack([first, second]), np.ones(len(rows), dtype=bool)

    everything = SPACE.unrank(np.arange(SPACE.size))
    losses = both(everything[SPACE.feasible(everything)])[0]
    corner = reference_point(losses)
    found = {}
    for kind in (Bayesian, Random):
        strategy, met = kind(SPACE, np.random.default_rng(0)), []
        for _ in range(60):
            rows = strategy.ask(1)
            told = both(rows)
            strategy.tell(rows, *told)
            met.append(told[0][0])
        found[kind] = hypervolume(np.array(met), corner) / hypervolume(losses, corner)
    assert found[Bayesian] > max(found[Random], 0.9)


def test_rows_that_are_never_told_are_given_up():
    strategy = Bayesian(SPACE, np.random.default_rng(0))
    searched(strategy, 12)
    for _ in range(30):
        strategy.ask(10)
    assert len(strategy._pending) == RECENT
    assert len(strategy.ask(2)) == 2


def test_misses_that_are_told_keep_it_from_what_cannot_be_built():
    def excess(rows):
        return np.where(rows[:, 2] + rows[:, 3] > 6, (rows[:, 2] + rows[:, 3]) / 6 - 1, np.nan)

    built = {}
    for margins in (False, True):
        strategy = Bayesian(SPACE, np.random.default_rng(1), margins=margins)
        built[margins] = 0
        for _ in range(40):
            rows = strategy.ask(1)
            missed = excess(rows)[:, None]
            feasible = np.isnan(missed[:, 0])
            strategy.tell(rows, judge(rows)[0], feasible, missed)
            built[margins] += int(feasible[0])
    assert built[True] >= built[False]
