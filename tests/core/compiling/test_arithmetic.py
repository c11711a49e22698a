"""The larger, the smaller and the whole of numbers, as the built-ins have them."""

import itertools

import numpy as np

from cosearch.compiling.arithmetic import larger, smaller, whole
from cosearch.compiling.digest import digest_of
from cosearch.compiling.functions import outermost

NUMBERS = (-3, 0, 7, 2**52 + 1, -2.5, 0.0, 6.999, 1e300, np.inf, -np.inf)


def both(a, b):
    return larger(a, b), smaller(a, b)


def cut(x):
    return whole(x)


def test_they_are_those_of_the_built_ins():
    compiled = outermost(both, allocates=False)
    for a, b in itertools.product(NUMBERS, repeat=2):
        assert compiled(a, b) == (max(a, b), min(a, b)), (a, b)


def test_a_fraction_is_cut_off_towards_zero():
    compiled = outermost(cut, allocates=False)
    for x in (0.0, 2.999, -2.999, 4.0e15, 5):
        assert compiled(x) == int(x)


def test_the_digest_tells_them_apart():
    source = "def f(a, b):\n    return op(a, b)\n"
    digests = set()
    for op in (larger, smaller):
        scope = {"op": op}
        exec(source, scope)
        digests.add(digest_of(scope["f"], ()))
    assert len(digests) == 2
