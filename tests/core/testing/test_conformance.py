"""The kit lets good strategies pass and catches each way of being bad."""

from pathlib import Path

import numpy as np
import pytest

from cosearch.errors import UnknownNameError
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.search.strategy import Strategy
from cosearch.search.unseen import Unseen
from cosearch.testing import CHECKS, PROBLEMS, ConformanceError, StrategyConformance, problem
from cosearch.testing import check_strategy as held_to_contract
from cosearch.testing.timing import ask_times
from cosearch_plugins.strategies.random import Random

BY_NAME = {check.__name__: check for check in CHECKS}


class Good(Strategy):
    """A minimal strategy that keeps the contract; the bad ones below break one thing each."""

    multi_objective = True

    def __init__(self, space, rng):
        super().__init__(space, rng)
        self.unseen = Unseen(space)

    def ask(self, n):
        return self.unseen.draw(n, self.rng)

    def tell(self, rows, losses, feasible, violations=None):
        self.unseen.mark(self.checked(rows, losses, feasible, violations).rows)


class UndeclaredOption(Good):
    def __init__(self, space, rng, *, hidden=3):  # noqa: ARG002
        super().__init__(space, rng)


class OtherDefault(Good):
    options = ParameterSpace((Parameter("size", (1, 2), 1),))

    def __init__(self, space, rng, *, size=2):  # noqa: ARG002
        super().__init__(space, rng)


class Floats(Good):
    def ask(self, n):
        return super().ask(n).astype(float)


class TooMany(Good):
    def ask(self, n):
        return super().ask(n + 1)


class Outside(Good):
    def ask(self, n):
        return super().ask(n) + self.space.cardinalities


class Unconstrained(Good):
    def ask(self, n):
        return self.space.sample(n, self.rng)


class Repeats(Good):
    def ask(self, n):
        return self.space.sample_feasible(n, self.rng)[0]


class GivesUpEarly(Good):
    def ask(self, n):
        return super().ask(n if len(self.unseen) < 8 else 0)


class Unseeded(Good):
    def ask(self, n):
        return self.unseen.draw(n, np.random.default_rng())


class SeedsTheWorld(Good):
    def tell(self, rows, losses, feasible, violations=None):
        np.random.seed(0)  # noqa: NPY002
        super().tell(rows, losses, feasible, violations)


class Unpicklable(Good):
    def __init__(self, space, rng):
        super().__init__(space, rng)
        self.why = lambda: None


class ForgetsOnPickling(Good):
    def __getstate__(self):
        return self.__dict__ | {"rng": np.random.default_rng(0)}


class IgnoresStrangers(Good):
    def tell(self, rows, losses, feasible, violations=None):
        self.checked(rows, losses, feasible, violations)


class NeedsAnswers(Good):
    """Asks nothing while results are out."""

    waiting = 0

    def ask(self, n):
        rows = super().ask(0 if self.waiting else n)
        self.waiting += len(rows)
        return rows

    def tell(self, rows, losses, feasible, violations=None):
        super().tell(rows, losses, feasible, violations)
        self.waiting = max(0, self.waiting - len(rows))


class MovesOnWhenTold(Good):
    """Says it is blind, and leaves a row out once it is told."""

    blind = True

    def tell(self, rows, losses, feasible, violations=None):
        super().tell(rows, losses, feasible, violations)
        self.unseen.draw(1, self.rng)


class Sorts(Good):
    def tell(self, rows, losses, feasible, violations=None):
        super().tell(rows, losses, feasible, violations)
        losses.sort(axis=0)


class Keeps(Good):
    """Remembers the caller's array and lets it decide."""

    told = None

    def ask(self, n):
        if self.told is not None and not self.told.any():
            self.rng.random()
        return super().ask(n)

    def tell(self, rows, losses, feasible, violations=None):
        super().tell(rows, losses, feasible, violations)
        self.told = losses


class Trusting(Good):
    def tell(self, rows, losses, feasible, violations=None):  # noqa: ARG002
        self.unseen.mark(np.minimum(rows, self.space.cardinalities - 1))


class OneLossOnly(Good):
    """Says it takes several losses, and breaks down."""

    def tell(self, rows, losses, feasible, violations=None):
        super().tell(rows, losses, feasible, violations)
        losses.reshape(len(rows))


@pytest.mark.parametrize(
    ("bad", "check"),
    [
        (UndeclaredOption, "options_are_declared"),
        (OtherDefault, "options_are_declared"),
        (Floats, "asks_are_well_formed"),
        (TooMany, "asks_are_well_formed"),
        (Outside, "asks_are_well_formed"),
        (Unconstrained, "asks_are_well_formed"),
        (Repeats, "nothing_is_asked_twice"),
        (GivesUpEarly, "nothing_is_asked_twice"),
        (Unseeded, "a_seed_gives_one_trace"),
        (SeedsTheWorld, "global_randomness_is_left_alone"),
        (ForgetsOnPickling, "a_pickle_continues"),
        (IgnoresStrangers, "strangers_are_welcome"),
        (NeedsAnswers, "batches_need_not_be_answered_in_order"),
        (MovesOnWhenTold, "a_blind_one_asks_alike_untold"),
        (Sorts, "told_arrays_are_left_alone"),
        (Keeps, "told_arrays_are_left_alone"),
        (Trusting, "nonsense_is_refused"),
    ],
)
def test_a_broken_contract_is_caught(bad, check):
    BY_NAME[check](Good, {})
    with pytest.raises(ConformanceError):
        BY_NAME[check](bad, {})


@pytest.mark.parametrize(
    ("bad", "check", "error"),
    [
        (Unpicklable, "a_pickle_continues", Exception),
        (OneLossOnly, "several_objectives", ValueError),
    ],
)
def test_a_breakdown_is_shown_as_it_is(bad, check, error):
    with pytest.raises(error):
        BY_NAME[check](bad, {})


def test_another_process_must_be_able_to_import_the_class():
    class Hidden(Random):
        pass

    with pytest.raises(ConformanceError, match="Hidden"):
        BY_NAME["another_process_agrees"](Hidden, {})


class HashDependent(Random):
    def ask(self, n):
        rows = super().ask(n)
        return rows[sorted(range(len(rows)), key=lambda i: hash(str(rows[i])))]


def test_a_trace_that_depends_on_the_process_is_caught(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    HashDependent.__module__ = Path(__file__).stem
    with pytest.raises(ConformanceError, match="other rows"):
        BY_NAME["another_process_agrees"](HashDependent, {})


def test_a_strategy_that_ships_passes_all_of_it():
    held_to_contract(Random)


class TestRandom(StrategyConformance):
    """What a third party writes."""

    strategy = Random


def test_subclasses_get_a_test_for_every_check():
    tests = [name for name in dir(StrategyConformance) if name.startswith("test_")]
    assert sorted(tests) == sorted(f"test_{name}" for name in BY_NAME)


def test_problems_are_found_by_name():
    assert {problem(p.name) for p in PROBLEMS} == set(PROBLEMS)
    with pytest.raises(UnknownNameError, match="smoth"):
        problem("smoth")


def test_ask_times_are_reported_for_each_history():
    times = ask_times(Random, {}, histories=(5, 20), repeats=3)
    assert [t.history for t in times] == [5, 20]
    assert all(0 < t.ask_ms <= t.worst_ms and t.tell_ms > 0 for t in times)
