import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.quantities import counted, digits, duration, energy, loss, percent, ratio, si, whole


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1, "1.00"),
        (1.005, "1.00"),
        (12.345, "12.3"),
        (999.6, "1000"),
        (0.01234, "0.0123"),
        (123456789, "123456789"),
        (1e12, "1.00e+12"),
        (1e-9, "1.00e-09"),
        (-2.5, "-2.50"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        (float("nan"), "n/a"),
    ],
)
def test_three_significant_digits(value, text):
    assert digits(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.23e9, "1.23 GMACs"),
        (999.9e6, "1.00 GMACs"),
        (1.0, "1.00 MACs"),
        (0.0, "0 MACs"),
        (24, "24 MACs"),
        (1000, "1.00 kMACs"),
        (4.1e-3, "4.10 mMACs"),
        (1e-18, "0.00100 fMACs"),
        (5e16, "50.0 PMACs"),
    ],
)
def test_prefixes(value, text):
    assert si(value, "MACs") == text


@given(st.floats(1e-14, 1e17))
def test_a_prefixed_number_is_the_number_to_three_digits(value):
    scale = {
        "P": 1e15,
        "T": 1e12,
        "G": 1e9,
        "M": 1e6,
        "k": 1e3,
        "": 1.0,
        "m": 1e-3,
        "u": 1e-6,
        "n": 1e-9,
        "p": 1e-12,
        "f": 1e-15,
    }
    number, unit = si(value, "J").split()
    assert float(number) * scale[unit[:-1]] == pytest.approx(value, rel=6e-3)


def test_units_of_the_engine():
    assert energy(4.1e9) == "4.10 mJ"
    assert whole(1234567.0) == "1,234,567"
    assert ratio(1.8449) == "1.84x"
    assert [ratio(v) for v in (1.0, 1.0043, 0.9961)] == ["1.00x", "1.0043x", "0.9961x"]
    assert percent(0.9333) == "93.3 %"
    assert loss(5e9, "pJ") == "5.00 mJ"
    assert loss(2e6, "cycles") == "2.00 Mcycles"
    assert loss(2.5e12, "pJ*cycles") == "2.500 J*cycles"
    assert loss(12.34, "mm2") == "12.3 mm2"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0381, "38 ms"),
        (4.23, "4.2 s"),
        (59.99, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_one_of_a_thing_is_not_several():
    assert [counted(n, "trial") for n in (0, 1, 2, 2000)] == [
        "0 trials",
        "1 trial",
        "2 trials",
        "2,000 trials",
    ]
    assert (counted(1, "study", "studies"), counted(3, "study", "studies")) == (
        "1 study",
        "3 studies",
    )
