"""What the charts hold."""

import numpy as np

from cosearch_plugins.reports.html import charts


def test_names_are_escaped_in_charts():
    band = (np.ones(2),) * 3
    figure = charts.curves("<b>", {"<i>": band}, "x", "y")
    assert figure.layout.title.text == "&lt;b&gt;"
    assert {trace.name for trace in figure.data} == {None, "&lt;i&gt;"}


def test_axes_are_in_units_that_take_a_prefix():
    assert charts.axis_of("energy_pj") == (1e-12, "energy, J")
    assert charts.axis_of("area_mm2") == (1.0, "area, mm2")
    assert charts.axis_of("cycles") == (1.0, "cycles")
    assert charts.in_joules("pJ*cycles") == (1e-12, "J*cycles")


def test_the_front_is_what_no_point_dominates():
    points = {"a": (np.array([1.0, 2, 3]), np.array([3.0, 4, 1]), ["", "", ""])}
    front = charts.scatter("t", points, "x", "y", front=True).data[-1]
    assert (list(front.x), list(front.y)) == ([1, 3], [3, 1])


def test_ranks_closer_than_the_critical_difference_are_joined():
    figure = charts.ranks(["a", "b", "c"], [1.0, 1.4, 3.0], 0.5)
    bars = [trace for trace in figure.data if trace.mode == "lines"]
    assert [list(bar.x) for bar in bars] == [[1.0, 1.4]]


def test_the_roof_is_the_lower_of_multipliers_and_memory():
    points = {"layers": (np.array([1.0, 100.0]), np.array([1.0, 8.0]), ["a", "b"])}
    roof = charts.roofline("t", points, 16.0, 0.5).data[-1]
    assert max(roof.y) == 16.0
    assert np.allclose(np.minimum(np.array(roof.x) * 0.5, 16.0), roof.y)


def test_shares_are_of_the_whole_and_the_largest_is_on_top():
    (bar,) = charts.shares("t", {"small": 1e6, "<large>": 3e6}, 1e-6, "uJ").data
    assert list(bar.y) == ["small", "&lt;large&gt;"]
    assert list(bar.x) == [1.0, 3.0]
    assert list(bar.text) == ["25.0 %", "75.0 %"]


def test_a_band_lies_between_the_quartiles():
    lower, median, upper = np.array([1.0, 1.0]), np.array([2.0, 1.5]), np.array([4.0, 3.0])
    low, high, line = charts.curves("t", {"a": (lower, median, upper)}, "x", "y").data
    assert (list(low.y), list(high.y), list(line.y)) == ([1, 1], [4, 3], [2, 1.5])
    assert (low.fill, high.fill) == (None, "tonexty")
