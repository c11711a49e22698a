"""What only compiled code can call says so when Python calls it."""

import pytest

from cosearch.compiling.functions import allocating, compiled, inlined, outermost


def twice(x):
    return 2 * x


@pytest.mark.parametrize("decorate", [compiled, inlined, allocating])
def test_python_cannot_call_what_has_no_wrapper(decorate):
    inner = decorate(twice)

    def entry(x):
        return inner(x) + 1

    assert outermost(entry, allocates=True)(3) == 7
    for call in (lambda: inner(3), lambda: inner(x=3), inner):
        with pytest.raises(TypeError, match=r"test_functions\.twice can be called from compiled"):
            call()
    assert inner.py_func(3) == 6
