import numpy as np
import pytest

from cosearch.errors import CosearchError
from cosearch.search.strategy import Strategy
from cosearch.testing.problems import TINY

ROWS = np.array([[0, 0], [1, 2]])
YES = np.array([True, True])


class Silent(Strategy):
    """Asks for nothing."""

    def ask(self, n):  # noqa: ARG002 - the contract
        return np.zeros((0, 2), dtype=np.int64)

    def tell(self, rows, losses, feasible, violations=None):
        self.checked(rows, losses, feasible, violations)


class Silents(Silent):
    """Takes several losses."""

    multi_objective = True


def silent(kind=Silent):
    return kind(TINY, np.random.default_rng(0))


def test_what_is_told_is_copied():
    losses = np.array([[1.0], [2.0]])
    told = silent().checked(ROWS, losses, YES)
    losses[:] = 7
    assert told.loss.tolist() == [1.0, 2.0]


def test_the_loss_of_an_infeasible_design_means_nothing():
    told = silent().checked(ROWS, np.array([[np.nan], [2.0]]), np.array([False, True]))
    assert told.loss.tolist() == [np.inf, 2.0]


def test_losses_of_one_objective_may_be_flat():
    assert silent().checked(ROWS, np.array([1.0, 2.0]), YES).losses.shape == (2, 1)


@pytest.mark.parametrize(
    ("rows", "losses", "feasible", "message"),
    [
        (ROWS, [[1.0], [np.nan]], YES, "not a number"),
        (ROWS, [[1.0]], YES, "needs"),
        (ROWS[:, :1], [[1.0], [2.0]], YES, "needs"),
        (ROWS, [[1.0], [2.0]], YES[:1], "needs"),
        (ROWS + 4, [[1.0], [2.0]], YES, "outside"),
        (-ROWS, [[1.0], [2.0]], YES, "outside"),
        (ROWS, [[1.0, 2.0], [2.0, 3.0]], YES, "one objective"),
    ],
)
def test_nonsense_is_refused(rows, losses, feasible, message):
    with pytest.raises(CosearchError, match=message):
        silent().tell(rows, np.array(losses), feasible)


def test_several_losses_where_they_are_declared():
    silent(Silents).tell(ROWS, np.array([[1.0, 2.0], [2.0, 3.0]]), YES)


def test_statistics_are_empty_unless_said():
    assert silent().statistics == {}


def test_violations_are_copied_and_summed_where_not_feasible():
    missed = np.array([[0.5, np.nan], [-0.5, -0.1], [np.nan, np.nan]])
    rows, losses = np.array([[0, 0], [1, 2], [1, 1]]), np.ones((3, 1))
    told = silent().checked(rows, losses, np.array([False, True, False]), missed)
    missed[:] = 7
    assert told.violations[0, 0] == 0.5
    assert told.violation.tolist() == [0.5, 0.0, np.inf]


def test_violations_of_other_rows_are_refused():
    with pytest.raises(CosearchError, match="violations"):
        silent().checked(ROWS, np.ones((2, 1)), YES, np.zeros((3, 1)))


class Blind(Silent):
    """Says that it learns nothing."""

    blind = True


def test_that_a_strategy_is_blind_is_said_of_its_own_ask_and_tell():
    class Same(Blind):
        options = Blind.options

    class Learns(Blind):
        def tell(self, rows, losses, feasible, violations=None):
            pass

    class Asks(Blind):
        def ask(self, n):
            return super().ask(n)

    class SaysSo(Blind):
        blind = True

        def ask(self, n):
            return super().ask(n)

    assert [kind.blind for kind in (Same, Learns, Asks, SaysSo)] == [True, False, False, True]
