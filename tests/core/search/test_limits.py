import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cosearch.search.limits import Limits

MISSED = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.floats(-1, 9), max_size=4), max_size=6
)


def test_a_limit_keeps_its_column_and_new_ones_come_behind():
    limits = Limits()
    assert limits.table([{"area": 0.5}, {}]).tolist()[0] == [0.5]
    later = limits.table([{"power": 2.0, "area": -0.1}])
    assert limits.names == ("area", "power")
    assert later.tolist() == [[-0.1, 2.0]]


@given(MISSED, MISSED)
def test_what_is_told_can_be_read_back(first, second):
    limits = Limits()
    for missed in (first, second):
        table = limits.table(missed)
        assert table.shape == (len(missed), len(limits))
        for row, violations in zip(table, missed, strict=True):
            known = {n: v for n, v in zip(limits.names, row, strict=True) if not np.isnan(v)}
            assert known == violations
