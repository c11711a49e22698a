"""What can be built, learned from attempts, on a rule that is known here."""

import numpy as np

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch_plugins.schemes.rhnas.buildable import EVERY, Buildable

SPACE = ParameterSpace(tuple(Parameter(f"m{i}", range(6)) for i in range(5)))


def built(rows):
    return rows.sum(axis=1) <= 9


def test_nothing_is_said_before_both_kinds_were_met():
    known = Buildable(SPACE, np.random.default_rng(0))
    rows = SPACE.unrank(np.arange(64))
    known.learn(rows, np.ones(len(rows), dtype=bool))
    assert (known.odds(rows) == 0).all()
    assert len(known.passed(rows)) == len(rows)


def test_a_rule_is_learned_and_most_that_break_it_are_left_out():
    rng = np.random.default_rng(0)
    known = Buildable(SPACE, rng)
    for _ in range(20):
        rows = SPACE.sample(EVERY, rng)
        known.learn(rows, built(rows))
    others = SPACE.sample(2_000, rng)
    right = (known.odds(others) >= 0) == built(others)
    assert right.mean() > 0.9
    passed = known.passed(others)
    assert built(passed).mean() > 2 * built(others).mean()
    assert 0 < (~built(passed)).sum() < 0.25 * (~built(others)).sum()
