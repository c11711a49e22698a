"""The policy's probabilities and its gradient, against enumeration and finite differences."""

import itertools

import numpy as np
import pytest

from cosearch.search.parameters import Parameter, ParameterSpace, Rule
from cosearch_plugins.schemes.rhnas.edits import NOBODY, EditPolicy, Episodes, Proximal, nobody

SPACE = ParameterSpace(
    (Parameter("a", (0, 1, 2)), Parameter("b", (0, 1)), Parameter("c", (0, 1, 2, 3))),
    (Rule("a + b below 3", lambda c: c["a"] + c["b"] < 3),),
)
CONTEXT = np.array([0.3, 0.7])


def policy(seed=0):
    found = EditPolicy(SPACE, 2, 5, 1.5, np.random.default_rng(seed))
    found.theta[:] += np.random.default_rng(seed + 1).normal(0, 0.3, len(found.theta))
    return found


def episodes_of(rows, parents):
    masks = tuple(SPACE.allowed(rows, j) for j in range(3))
    return Episodes(parents, rows, CONTEXT, masks)


@pytest.mark.parametrize("parent", [[NOBODY] * 3, [1, 0, 2]])
def test_probabilities_of_all_rows_add_up_to_one(parent):
    rows = np.array(list(itertools.product(range(3), range(2), range(4))))
    rows = rows[SPACE.feasible(rows)]
    parents = np.repeat([parent], len(rows), axis=0)
    logs = policy().read(episodes_of(rows, parents)).log_probability
    assert np.exp(logs.sum(axis=1)).sum() == pytest.approx(1.0)


def test_rows_are_written_as_often_as_their_probability_says():
    rng, parents = np.random.default_rng(3), np.repeat([[1, 1, 3]], 4000, axis=0)
    written = policy().write(parents, CONTEXT, 1.0, rng).rows
    rows, counts = np.unique(written, axis=0, return_counts=True)
    logs = policy().read(episodes_of(rows, parents[: len(rows)])).log_probability.sum(axis=1)
    np.testing.assert_allclose(counts / 4000, np.exp(logs), atol=0.03)
    assert SPACE.feasible(rows).all()


def test_the_gradient_is_that_of_finite_differences():
    rng, p = np.random.default_rng(5), policy()
    parents = np.array([[0, 1, 2], [NOBODY] * 3, [2, 0, 0]])
    e = p.write(parents, CONTEXT, 1.0, rng)
    weight = rng.normal(size=e.rows.shape)

    def value():
        read = p.read(e)
        entropy = sum(-(q * np.log(np.maximum(q, 1e-30))).sum() for q in read.probabilities)
        return (weight * read.log_probability).sum() + 0.3 * entropy

    found = p.gradient(e, p.read(e), weight, 0.3)
    for i in rng.choice(len(p.theta), 60, replace=False):
        before = p.theta[i]
        p.theta[i] = before + 1e-5
        above = value()
        p.theta[i] = before - 1e-5
        below = value()
        p.theta[i] = before
        assert found[i] == pytest.approx((above - below) / 2e-5, abs=1e-5)


def test_learning_makes_rewarded_rows_likelier():
    p, rng = policy(), np.random.default_rng(1)
    learner = Proximal(p, 0.03, 4, 0.2, 0.0)
    for _ in range(30):
        e = p.write(nobody(32, SPACE), CONTEXT, 1.0, rng)
        learner.learn([e], [np.where(e.rows[:, 2] == 3, 1.0, -0.3)])
    assert (p.write(nobody(200, SPACE), CONTEXT, 1.0, rng).rows[:, 2] == 3).mean() > 0.8
