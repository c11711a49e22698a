import numpy as np

from cosearch_plugins.strategies.parts.pending import RECENT, Pending


def test_rows_wait_until_they_are_told():
    pending, rows = Pending(2), np.array([[1, 2], [3, 4]])
    assert pending.rows.shape == (0, 2)
    pending.add(rows)
    pending.remove(rows[:1])
    assert pending.rows.tolist() == [[3, 4]]


def test_rows_that_are_never_told_are_given_up():
    pending = Pending(1)
    pending.add(np.arange(RECENT + 5)[:, None])
    assert len(pending) == RECENT
    assert pending.rows[0, 0] == 5
