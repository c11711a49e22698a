import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.errors import (
    CosearchError,
    Infeasible,
    InputError,
    MissingExtraError,
    UnknownNameError,
    near_names,
    one_line,
)


@pytest.mark.parametrize(
    ("name", "known", "told"),
    [
        ("eyeris", ["eyeriss", "vta"], "did you mean 'eyeriss'?"),
        ("EYERISS", ["eyeriss", "vta"], "did you mean 'eyeriss'?"),
        ("conv", ["conv1", "conv2", "fc"], "did you mean 'conv2' or 'conv1'?"),
        ("zzz", ["b", "a"], "there is: a, b"),
        ("x", [], "nothing of that kind is registered"),
    ],
)
def test_near_names(name, known, told):
    assert near_names(name, known) == told


@given(st.lists(st.text("abcdef", min_size=3, max_size=8), min_size=1, max_size=3, unique=True))
def test_a_name_with_one_letter_too_many_is_always_found(known):
    assert repr(known[0]) in near_names(known[0] + "x", known)


def test_unknown_names_hold_the_facts():
    error = UnknownNameError("cat", "tm", {"tom", "kit"})
    assert (error.kind, error.name, error.known) == ("cat", "tm", ("kit", "tom"))
    assert str(error) == "there is no cat 'tm'"


def test_one_problem_stands_on_the_line_and_several_below():
    assert str(InputError("a.yaml:3", ["K: is missing"])) == "a.yaml:3: K: is missing"
    assert str(InputError("a.yaml", ["b", "c"])) == "a.yaml:\n  b\n  c"


def test_infeasible_holds_margins_of_its_own():
    margins = {"buffer": 1.5}
    error = Infeasible("too large", margins)
    margins.clear()
    assert error.margins == {"buffer": 1.5}


def test_a_missing_extra_names_the_command():
    assert MissingExtraError("x", "onnx").hint == "install it: pip install 'cosearch[onnx]'"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (CosearchError("first\nsecond", "do this"), "first second; do this"),
        (CosearchError("alone"), "alone"),
        (KeyError("x"), "KeyError: 'x'"),
        (SystemExit("bye"), "SystemExit: bye"),
    ],
)
def test_one_line(error, line):
    assert one_line(error) == line
