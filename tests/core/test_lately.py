import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.lately import Lately


def test_what_was_not_asked_for_longest_is_dropped():
    lately = Lately(2)
    lately.keep("a", 1)
    lately.keep("b", 2)
    assert lately.find("a") == 1
    lately.keep("c", 3)
    assert [lately.find(key) for key in "abc"] == [1, None, 3]


def test_a_value_is_made_once_and_what_raises_leaves_nothing():
    lately, made = Lately(4), []
    assert [lately.get("a", lambda: made.append(1) or 7) for _ in range(3)] == [7, 7, 7]
    assert made == [1]
    with pytest.raises(ZeroDivisionError):
        lately.get("b", lambda: 1 / 0)
    assert lately.find("b") is None
    lately.clear()
    assert len(lately) == 0


@given(st.lists(st.integers(0, 9)), st.integers(1, 5))
def test_it_agrees_with_a_list_in_order_of_use(keys, most):
    lately, used = Lately(most), []
    for key in keys:
        if key in used:
            assert lately.find(key) == -key
            used.remove(key)
        else:
            assert lately.find(key) is None
            lately.keep(key, -key)
        used = [*used, key][-most:]
        assert len(lately) == len(used)


def test_threads_share_it():
    lately = Lately(3)

    def ask(start):
        return all(lately.get(k % 7, lambda k=k: -(k % 7)) == -(k % 7) for k in range(start, 9000))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))
    assert len(lately) == 3


@pytest.mark.parametrize("again", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_a_copy_holds_the_same_and_is_its_own(again):
    lately = Lately(2)
    lately.keep("a", 1)
    other = again(lately)
    other.keep("b", 2)
    other.keep("c", 3)
    assert [other.find(key) for key in "abc"] == [None, 2, 3]
    assert [lately.find(key) for key in "abc"] == [1, None, None]
