import numpy as np
import pytest

from cosearch.search.strategy import Told
from cosearch_plugins.strategies.parts.margins import Margins


def told(x, violations, feasible):
    return Told(np.zeros((len(x), 0), dtype=np.int64), np.ones((len(x), 1)), feasible, violations)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shown", [True, False])
def test_what_meets_every_limit_is_told_from_what_misses_one(shown, seed):
    x = np.random.default_rng(seed).normal(size=(60, 3))
    used = np.exp(np.stack([x[:, 0] + 0.5 * x[:, 1], x[:, 2] - 0.5], axis=1))
    feasible = (used <= 1).all(axis=1)
    violations = used - 1 if shown else np.where(used > 1, used - 1, np.nan)
    margins = Margins(3, 3)
    margins.add(x[:40], told(x[:40], violations[:40], feasible[:40]))
    drawn = margins.drawn(x[40:], np.random.default_rng(2))
    assert (drawn == feasible[40:]).mean() >= 0.9


def test_a_limit_that_is_met_later_is_learned_from_all_feasible_designs():
    x = np.linspace(-1, 1, 20)[:, None]
    margins = Margins(1, 1)
    feasible = x[:, 0] < 0
    margins.add(x[:10], told(x[:10], np.zeros((10, 0)), feasible[:10]))
    assert margins.drawn(x, np.random.default_rng(0)).all()
    missed = np.exp(x[10:]) - 1
    margins.add(x[10:], told(x[10:], missed, feasible[10:]))
    drawn = margins.drawn(x, np.random.default_rng(0))
    assert not drawn[15:].any()
    assert drawn[:5].all()


def test_what_is_used_is_bounded():
    margins = Margins(1, 1)
    x = np.zeros((4, 1))
    violations = np.array([[np.inf], [1e300], [-1.0], [5.0]])
    margins.add(x, told(x, violations, np.array([False, False, True, False])))
    assert margins.drawn(x, np.random.default_rng(0)).dtype == bool
