import numpy as np
import pytest

import cosearch.unseen
from cosearch.space import Parameter, ParameterSpace, Rule
from cosearch_plugins.strategies.bayesian import Bayesian, Features

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
def test_learns_an_unknown_constraint(kernel):
    rows = searched(Bayesian(SPACE, np.random.default_rng(0), kernel=kernel, local=0.0), 60)
    base = judge(SPACE.sample(4000, np.random.default_rng(0)))[1].mean()
    assert base < 0.8
    assert judge(rows[20:])[1].mean() > 0.9


def test_counts_the_raw_draws_of_its_rejection_sampling(monkeypatch):
    monkeypatch.setattr(cosearch.unseen, "ENUMERABLE", 0)
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


def test_features_are_the_domains_own():
    space = ParameterSpace(
        SPACE.parameters, (), lambda c: np.stack([c["p0"] * c["p1"], np.ones(len(c["p0"]))], 1)
    )
    features = Features(space, np.random.default_rng(0), indicators=False)
    assert len(features) == 2
    x = features(space.sample(500, np.random.default_rng(1)))
    assert x[:, 0].std() == pytest.approx(1.0, abs=0.2)
    assert (x[:, 1] == 0).all()
    assert len(Features(space, np.random.default_rng(0), indicators=True)) == 2 + 4 * 8


def test_without_features_it_sees_the_encoding_alone():
    own = ParameterSpace(SPACE.parameters, SPACE.rules, lambda c: np.ones((len(c["p0"]), 1)))
    rows = own.sample(7, np.random.default_rng(3))
    seen = Features(own, np.random.default_rng(0), indicators=False, raw=True)
    assert seen(rows).shape == own.encode(rows).shape
    blind, sees = (
        searched(Bayesian(own, np.random.default_rng(0), kernel="matern", features=features), 40)
        for features in ("space", "encoding")
    )
    assert judge(sees[20:])[0].mean() < judge(blind[20:])[0].mean()
