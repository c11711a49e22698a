"""Comparing a model with published figures."""

import math

import pytest

from cosearch.validate.compare import Figure, Point, Rejected, validate

COUNT = Figure("count", 12)
ENERGY = Figure("energy", 1.5, tolerance=0.01, rounding=0.001)


def point(expected, case=None):
    return Point("p", "data.csv:2", case, expected)


def scores(expected, found):
    return validate([point(expected)], lambda _: found).summary


def test_all_figures_agree():
    report = validate([point({"a": COUNT, "e": ENERGY})], lambda _: {"a": 12, "e": 1.5, "x": 9})
    assert report.agreed
    assert report.summary == {
        "points": 1,
        "counts_compared": 1,
        "counts_exact": 1,
        "cycles_compared": 0,
        "cycles_exact": 0,
        "energy_compared": 1,
        "energy_exact": 1,
        "ratios_compared": 0,
        "ratios_exact": 0,
        "energy_to_last_digit": 1,
        "invalid_points": 0,
        "invalid_agreed": 0,
    }


@pytest.mark.parametrize("count", [11, 13, 12.25, math.nan])
def test_counts_are_equal_or_wrong(count):
    report = validate([point({"a": COUNT, "e": ENERGY})], lambda _: {"a": count, "e": 1.5})
    assert not report.agreed
    assert (report.exact("count"), report.exact("energy")) == (0, 1)
    (only,) = report.differing
    assert [d.name for d in only.differences] == ["a"]
    assert [row[:2] for row in only.table] == [("a", 12), ("e", 1.5)]


@pytest.mark.parametrize(("value", "exact", "to_digit"), [(1.5, 1, 1), (1.505, 1, 0), (1.52, 0, 0)])
def test_energies_have_a_tolerance_and_a_last_digit(value, exact, to_digit):
    found = scores({"e": ENERGY}, {"e": value})
    assert (found["energy_exact"], found["energy_to_last_digit"]) == (exact, to_digit)


def test_a_figure_that_the_model_does_not_have_differs():
    (only,) = validate([point({"a": COUNT})], lambda _: {}).differing
    assert math.isnan(only.differences[0].found)


def test_invalid_points_agree_on_the_reason():
    expected = Rejected("capacity: buf", "tile 9 exceeds 8")
    for found, agreed in (
        (Rejected("capacity: buf", "other words"), 1),
        (Rejected("spread: MAC"), 0),
        ({"a": 1}, 0),
    ):
        summary = scores(expected, found)
        assert (summary["points"], summary["invalid_points"]) == (0, 1)
        assert summary["invalid_agreed"] == agreed


def test_a_valid_point_that_the_model_rejects():
    report = validate([point({"a": COUNT, "e": ENERGY})], lambda _: Rejected("capacity: buf"))
    assert not report.agreed
    assert (report.exact("count"), report.exact("energy")) == (0, 0)
    assert report.differing[0].found == Rejected("capacity: buf")


def test_no_points_agree_with_nothing():
    assert not validate([], lambda _: {}).agreed


def test_the_model_gets_the_case():
    points = [point({"a": Figure("count", n)}, case=n) for n in (1, 2, 3)]
    assert validate(points, lambda n: {"a": n}).agreed
