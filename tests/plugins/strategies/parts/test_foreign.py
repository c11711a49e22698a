import random

import numpy as np

from cosearch.testing.problems import TINY
from cosearch_plugins.strategies.parts.foreign import Foreign, Generations

RULED_OUT = np.array([3, 4])


class Scripted(Foreign):
    """Proposes what it was given, and notes what it is told."""

    def __init__(self, space, rng, script):
        super().__init__(space, rng)
        self.script, self.told = list(script), []

    def _begin(self, objectives):
        self.objectives = objectives

    def _next(self):
        return (np.array(self.script.pop(0)), len(self.script)) if self.script else None

    def _learn(self, row, result, handle):
        self.told.append((row.tolist(), result.losses.tolist(), result.missed, handle))


def told(strategy, rows, losses, feasible=None, violations=None):
    feasible = np.isfinite(losses) if feasible is None else feasible
    strategy.tell(rows, np.array(losses)[:, None], np.array(feasible), violations)


def test_repeats_and_known_rules_are_answered_and_do_not_reach_the_caller():
    strategy = Scripted(TINY, np.random.default_rng(0), [[0, 0], RULED_OUT, [0, 1], [0, 1]])
    told(strategy, np.array([[0, 0], [1, 1]]), [3.0, 7.0])
    asked = strategy.ask(2)
    assert asked[0].tolist() == [0, 1]
    assert len(np.unique(asked, axis=0)) == 2
    assert strategy.told[2:] == [([0, 0], [3.0], 0.0, 3), ([3, 4], [7.0], 1.0, 2)]
    told(strategy, asked[:1], [2.0])
    assert strategy.told[4:] == [([0, 1], [2.0], 0.0, 1), ([0, 1], [2.0], 0.0, 0)]


def test_an_infeasible_design_is_told_as_the_worst_with_its_violation():
    strategy = Scripted(TINY, np.random.default_rng(0), [])
    rows = np.array([[0, 0], [0, 1], [0, 2]])
    told(strategy, rows, [5.0, np.inf, np.inf], violations=np.array([[-1], [0.5], [np.nan]]))
    assert [t[1:3] for t in strategy.told] == [([5.0], 0.0), ([5.0], 0.5), ([5.0], 1.0)]


def test_what_is_infeasible_before_any_loss_is_worse_than_what_comes():
    """Losses are 1e11 on some machines: a fixed penalty made the first misses the best of all."""
    strategy, penalties = Scripted(TINY, np.random.default_rng(0), []), []

    def learn(_row, result, _handle):
        penalties.append((result.penalised, result.logged))

    strategy._learn = learn
    missed = np.array([[0.5], [2.0]])
    told(strategy, np.array([[0, 0], [0, 1]]), [np.inf, np.inf], violations=missed)
    told(strategy, np.array([[0, 2], [1, 0]]), [4e11, 1e11])
    told(strategy, np.array([[1, 1]]), [np.inf], violations=missed[:1])
    near, far, worst, best, later = penalties
    assert best < worst < later < near < far


class Counting(Generations):
    """Proposes the rows of TINY four at a time."""

    multi_objective = True

    def __init__(self, space, rng):
        super().__init__(space, rng)
        self.at, self.finished = 0, []

    def _begin(self, objectives):
        pass

    def _generation(self):
        rows = TINY.unrank(np.arange(self.at, min(self.at + 4, TINY.size)))
        self.at += len(rows)
        return rows

    def _finish(self, results):
        self.finished.append([float(result.losses[0]) for result in results])


def test_a_generation_is_finished_in_order_once_all_of_it_is_known():
    strategy = Counting(TINY, np.random.default_rng(0))
    told(strategy, np.array([[0, 1]]), [9.0])
    asked = strategy.ask(3)
    assert TINY.rank(asked).tolist() == [0, 2, 3]
    assert TINY.rank(strategy.ask(1))[0] > 3  # random: the generation is out
    told(strategy, asked[::-1], [3.0, 2.0, 0.0])
    strategy.ask(1)
    assert strategy.finished == [[0.0, 9.0, 2.0, 3.0]]


class Careless(Scripted):
    """Draws from the standard library's and numpy's global generators."""

    def _next(self):
        with self._apart():
            return np.array([random.randrange(4), np.random.randint(5)]), None  # noqa: NPY002


def test_what_it_draws_from_global_generators_comes_from_the_seed_and_changes_nothing():
    asked = []
    for before in (1, 2):
        random.seed(before)
        np.random.seed(before)  # noqa: NPY002
        held = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
        strategy = Careless(TINY, np.random.default_rng(3), [])
        told(strategy, np.array([[1, 1]]), [7.0])
        asked.append(strategy.ask(6).tolist())
        assert (random.getstate(), np.random.get_state()[1].tolist()) == held  # noqa: NPY002
    assert asked[0] == asked[1]
