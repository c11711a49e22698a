"""Loop orders as numbers."""

import math

import numpy as np
import pytest

from cosearch.errors import CosearchError
from cosearch.loopnest.kernel.pack import order_word
from cosearch.loopnest.orders import order_of_word, orders


@pytest.mark.parametrize("dims", [1, 3, 5, 8])
def test_ranks_and_words_of_all_permutations(dims):
    everything = orders(dims)
    assert len(everything.table) == math.factorial(dims)
    assert (everything.rank(everything.table) == np.arange(len(everything.table))).all()
    for order, word in zip(everything.table[::97], everything.words[::97], strict=True):
        assert order_word(tuple(int(d) for d in order)) == word
        assert order_of_word(int(word), dims) == tuple(order)


def test_fixed_dimensions_stay_inside():
    some = orders(5, (3, 1))
    assert len(some.table) == 6
    assert (some.table[:, :2] == (3, 1)).all()
    assert (some.rank(some.table) == np.arange(6)).all()
    assert [some.rank_of(order.tolist()) for order in some.table] == list(range(6))


def test_many_dimensions():
    nine = orders(9, (8, 7, 6, 5))
    for order, word in zip(nine.table[::7], nine.words[::7], strict=True):
        assert order_word(tuple(int(d) for d in order)) == word
        assert order_of_word(int(word), 9) == tuple(order)
    with pytest.raises(CosearchError, match="11 dimensions"):
        orders(11)
