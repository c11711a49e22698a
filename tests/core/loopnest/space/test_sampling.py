"""Random rows: uniform, the same for one seed, and cut into parts at will."""

import numpy as np

from cosearch.loopnest.space.sampling import random_rows

CHOICES = np.array([2, 5, 720, 1], dtype=np.int64)


def test_one_seed_one_sequence():
    rows = random_rows(1000, CHOICES, 7)
    assert (rows == random_rows(1000, CHOICES, 7)).all()
    assert (rows != random_rows(1000, CHOICES, 8)).any()
    parts = [random_rows(n, CHOICES, 7, begin=b) for b, n in ((0, 1), (1, 600), (601, 399))]
    assert (np.concatenate(parts) == rows).all()


def test_every_choice_is_equally_likely():
    rows = random_rows(200_000, CHOICES, 2**63 + 11)
    for column, choices in zip(rows.T, CHOICES, strict=True):
        counts = np.bincount(column, minlength=choices)
        assert len(counts) == choices
        expected = len(rows) / choices
        # five standard deviations of a binomial count
        assert (np.abs(counts - expected) <= 5 * np.sqrt(expected)).all()


def test_columns_are_independent():
    rows = random_rows(100_000, np.array([16, 16], dtype=np.int64), 3)
    pairs = np.bincount(rows[:, 0] * 16 + rows[:, 1], minlength=256)
    assert (np.abs(pairs - len(rows) / 256) < 5 * np.sqrt(len(rows) / 256)).all()
