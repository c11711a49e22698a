import numpy as np
import pytest

import cosearch.search.unseen
from cosearch.search.parameters import Parameter, ParameterSpace, Rule
from cosearch_plugins.strategies.bayesian import Bayesian

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
    strategy = Bayesian(SPACE, np.random.default_rng(0), local=0.0, candidates=150)
    searched(strategy, 5)
    before = strategy.statistics["raw_draws"]
    searched(strategy, 10)
    assert strategy.statistics["model_asks"] == 10
    drawn = (strategy.statistics["raw_draws"] - before) / 10
    share = SPACE.feasible(SPACE.sample(4000, np.random.default_rng(0))).mean()
    assert 150 / share * 0.8 < drawn < 4 * 150 / share


def test_warms_up_with_random_rows():
    few, many = (searched(Bayesian(SPACE, np.random.default_rng(0), warmup=w), 12) for w in (5, 30))
    assert few[:5].tolist() == many[:5].tolist()
    assert few[5:].tolist() != many[5:].tolist()


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
