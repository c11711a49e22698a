"""Many arrays and numbers that compiled code takes as one object."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numba import njit

from cosearch.compiling.bundle import Bools, Bundle, Floats, Ints2


class Sums(Bundle):
    weight: float
    values: Floats
    places: Ints2
    taken: Bools
    offset: int = 3
    doubled: bool = False


def total(sums, row):
    """Add what a row of places picks out of the values."""
    out = sums.weight + sums.offset
    for column in range(sums.places.shape[1]):
        place = sums.places[row, column]
        if sums.taken[place]:
            out += sums.values[place]
    return 2 * out if sums.doubled else out


compiled_total = njit(total)

FEW = 5


@settings(deadline=None)  # the first call compiles
@given(
    st.floats(-1e6, 1e6),
    arrays(np.float64, FEW, elements=st.floats(-1e6, 1e6)),
    arrays(np.int64, (2, 3), elements=st.integers(0, FEW - 1)),
    arrays(np.bool_, FEW),
    st.booleans(),
)
def test_compiled_code_reads_what_python_reads(weight, values, places, taken, doubled):
    sums = Sums(weight, values, places, taken, doubled=doubled)
    for row in range(2):
        assert compiled_total(sums, row) == total(sums, row)


def some():
    return Sums(0.5, np.arange(5.0), np.array([[1, 2], [3, 4]]), np.ones(5, dtype=bool))


def test_what_compiled_code_writes_python_reads():
    @njit
    def double(sums):
        for i in range(len(sums.values)):
            sums.values[i] *= 2

    sums = some()
    double(sums)
    assert sums.values.tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_replaced_and_pickled_bundles_point_to_their_own_arrays():
    sums = some()
    other = sums.replace(values=np.ones(5), offset=1)
    copied = pickle.loads(pickle.dumps(sums))
    del sums
    assert compiled_total(other, 0) == 3.5
    assert compiled_total(copied, 1) == 10.5


@pytest.mark.parametrize(
    "values",
    [np.arange(5), np.arange(10.0)[::2], np.ones((5, 1)), [1.0, 2.0]],
    ids=["whole numbers", "with gaps", "two dimensions", "a list"],
)
def test_an_array_of_another_kind_is_refused_by_name(values):
    with pytest.raises(TypeError, match=r"Sums\.values is to be float64 of 1 dimensions"):
        some().replace(values=values)


@pytest.mark.parametrize("arguments", [(), (1.0,) * 7])
def test_missing_and_surplus_fields_are_refused(arguments):
    with pytest.raises(TypeError, match="Sums takes weight, values"):
        Sums(*arguments)


def test_a_bundle_is_frozen():
    with pytest.raises(AttributeError, match="frozen"):
        some().offset = 4


def test_an_annotation_without_a_meaning_to_compiled_code_is_refused():
    with pytest.raises(TypeError, match="says nothing to compiled code"):

        class Wrong(Bundle):
            names: list
