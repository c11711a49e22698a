"""What strategies ask of a space: numbering, encoding and its inverse, masks, moves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import CosearchError, InputError
from cosearch.search.parameters import Parameter, ParameterSpace, Rule, Space


class Columns(Space):
    """A space of given cardinalities, of which some columns are ordered."""

    def __init__(self, cards, ordered):
        self._cards, self._ordered = np.array(cards), np.array(ordered)

    @property
    def names(self):
        return tuple(f"c{i}" for i in range(len(self._cards)))

    @property
    def cardinalities(self):
        return self._cards

    @property
    def ordered(self):
        return self._ordered


columns = st.lists(st.tuples(st.integers(1, 7), st.booleans()), min_size=1, max_size=4).map(
    lambda pairs: Columns([c for c, _ in pairs], [o for _, o in pairs])
)


@given(columns)
@settings(max_examples=40)
def test_rows_are_numbered_one_to_one(space):
    rows = space.unrank(np.arange(space.size))
    assert len(np.unique(rows, axis=0)) == space.size
    assert (rows < space.cardinalities).all()
    assert (space.rank(rows) == np.arange(space.size)).all()


def test_the_last_column_counts_fastest():
    assert Columns([2, 3], [False, False]).unrank(np.array([0, 1, 3])).tolist() == [
        [0, 0],
        [0, 1],
        [1, 0],
    ]


def test_a_space_too_large_to_number_says_so():
    space = Columns([1 << 16] * 4, [False] * 4)
    with pytest.raises(CosearchError, match="cannot be numbered"):
        space.rank(np.zeros((1, 4), dtype=np.int64))


@given(columns, st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_different_rows_have_different_encodings(space, seed):
    rows = space.sample(20, np.random.default_rng(seed))
    encoded = space.encode(rows)
    assert ((encoded >= 0) & (encoded <= 1)).all()
    assert len(np.unique(encoded, axis=0)) == len(np.unique(rows, axis=0))


def test_a_long_column_is_not_one_hot():
    space = Columns([5040, 3, 64], [False, False, False])
    rows = space.sample(50, np.random.default_rng(0))
    assert space.encode(rows).shape[1] == 1 + 3 + 64


def product_at_most(limit):
    return Rule(f"a b exceeds {limit}", lambda c: c["a"] * c["b"] <= limit)


RULED = ParameterSpace(
    (
        Parameter("a", (1, 2, 4, 8)),
        Parameter("b", (1, 3, 9)),
        Parameter("c", ("x", "y")),
        Parameter("d", (0, 1, 2)),
    ),
    (product_at_most(12), Rule("no d with y", lambda c: (c["c"] == "x") | (c["d"] == 0))),
)


def test_masks_rule_out_no_feasible_row_and_every_row_of_a_decided_rule():
    rows = RULED.unrank(np.arange(RULED.size))
    feasible = RULED.feasible(rows)
    passed = np.ones(len(rows), dtype=bool)
    for column in range(4):
        allowed = RULED.allowed(rows, column)
        assert allowed.shape == (len(rows), RULED.cardinalities[column])
        passed &= np.take_along_axis(allowed, rows[:, [column]], axis=1)[:, 0]
    assert (passed == feasible).all()


def test_a_rule_speaks_once_its_columns_are_chosen():
    row = np.array([[3, 0, 0, 0]])
    assert RULED.allowed(row, 0).all()
    assert RULED.allowed(row, 1).tolist() == [[True, False, False]]
    assert RULED.allowed(row, 2).all()


@given(columns)
@settings(max_examples=20)
def test_a_plain_space_decides_its_last_column(space):
    rows = space.sample(5, np.random.default_rng(0))
    for column in range(len(space.names)):
        assert space.allowed(rows, column).all()


@given(columns, st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_a_neighbour_differs_in_one_column(space, seed):
    rng = np.random.default_rng(seed)
    rows = space.sample(30, rng)
    before = rows.copy()
    moved = space.perturb(rows, rng)
    assert (rows == before).all()
    assert ((moved >= 0) & (moved < space.cardinalities)).all()
    changes = (moved != rows).sum(axis=1)
    assert (changes == (1 if (space.cardinalities > 1).any() else 0)).all()


def test_ordered_columns_mostly_take_small_steps():
    space = Columns([50], [True])
    rows = np.full((4000, 1), 25)
    steps = np.abs(space.perturb(rows, np.random.default_rng(0)) - rows)
    assert 0.7 < (steps == 1).mean() < 0.85


@given(columns, st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_a_child_takes_every_column_from_a_parent(space, seed):
    rng = np.random.default_rng(seed)
    a, b = space.sample(10, rng), space.sample(10, rng)
    child = space.crossover(a, b, rng)
    assert ((child == a) | (child == b)).all()


BITS = Parameter("bits", (8, 16), 16)
RATE = Parameter("rate", (0.0, 0.5, 1.0), 0.5, free=True)


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (BITS, "8", 8),
        (RATE, "0.25", 0.25),
        (RATE, "1", 1.0),
        (Parameter("ageing", (False, True)), "yes", True),
        (Parameter("path", ("",), free=True), "a/b", "a/b"),
    ],
)
def test_text_becomes_a_value(parameter, text, value):
    assert parameter.parse(text) == value


@pytest.mark.parametrize(
    ("parameter", "text", "message"),
    [
        (BITS, "9", "one of 8, 16"),
        (BITS, "eight", "one of 8, 16"),
        (RATE, "2", "a number from 0.0 to 1.0"),
        (RATE, "nan", "a number from"),
        (Parameter("n", (1, 9), free=True), "1.5", "a whole number from 1 to 9"),
    ],
)
def test_text_that_is_no_value_says_what_is(parameter, text, message):
    with pytest.raises(CosearchError, match=message):
        parameter.parse(text)


def test_a_default_must_be_allowed():
    with pytest.raises(CosearchError):
        Parameter("bits", (8, 16), 9)


def test_a_configuration_and_its_row():
    row = RULED.index({"a": 4, "c": "y"})
    assert row.tolist() == [2, 0, 1, 0]
    assert RULED.decode(row) == {"a": 4, "b": 1, "c": "y", "d": 0}
    assert RULED.broken(np.array([3, 2, 1, 1])) == ("a b exceeds 12", "no d with y")


def test_an_unknown_parameter_suggests_near_ones():
    with pytest.raises(CosearchError, match="no parameter"):
        RULED.complete({"aa": 1})


def test_sampling_counts_its_raw_draws():
    rows, draws = RULED.sample_feasible(40, np.random.default_rng(0))
    assert RULED.feasible(rows).all()
    assert len(rows) == 40
    assert draws >= 64
    few, draws = RULED.sample_feasible(10_000, np.random.default_rng(0), max_draws=500)
    assert draws == 500
    assert 0 < len(few) < 500


def test_a_free_number_may_be_less_than_the_least_choice():
    sides = Parameter("rows", (8, 16), 8, free=True, least=1)
    assert [sides.check(value) for value in (1, 7, 16)] == [1, 7, 16]
    for value in (0, 17):
        with pytest.raises(InputError, match="is not a whole number from 1 to 16"):
            sides.check(value)
