"""Primes and the ways to spread them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.loopnest.slots import FactorColumn, compositions, prime_factors


@given(st.integers(1, 10**6))
def test_prime_factors_multiply_up(n):
    found = prime_factors(n)
    assert math.prod(p**e for p, e in found.items()) == n
    assert all(all(p % q for q in range(2, math.isqrt(p) + 1)) for p in found)


@pytest.mark.parametrize(("exponent", "slots"), [(0, 3), (1, 1), (4, 3), (6, 5)])
def test_compositions_are_all_and_each_once(exponent, slots):
    table = compositions(exponent, slots)
    assert len(np.unique(table, axis=0)) == len(table)
    assert len(table) == math.comb(exponent + slots - 1, slots - 1)
    assert (table.sum(axis=1) == exponent).all()


def test_choices_are_found_by_their_exponents():
    column = FactorColumn(0, 2, np.arange(3), compositions(4, 3)[::2])
    wanted = column.exponents.astype(np.int64)
    assert (column.indices(wanted) == np.arange(len(wanted))).all()
    assert column.indices(compositions(4, 3)[1:2].astype(np.int64)).tolist() == [-1]
