"""The drawing of a mapping: a box a line, each inside the one that it is indented under."""

import xml.etree.ElementTree as ET

from cosearch_plugins.reports.html.nest_svg import LINE, nest_svg

LINES = ("DRAM  Weights <64>", "  for k in 0..4", "    buffer", "      for p in 0..2", "mac")


def boxes(svg):
    root = ET.fromstring(svg)
    return [
        {name: float(value) for name, value in element.attrib.items() if name in "xywidthheight"}
        for element in root
        if element.tag == "rect"
    ]


def test_one_box_a_line_and_text_escaped():
    svg = nest_svg(LINES)
    assert len(boxes(svg)) == len(LINES)
    assert "Weights &lt;64&gt;" in svg


def test_inner_lines_lie_inside_the_boxes_of_outer_ones():
    outer, loop, *_ = boxes(nest_svg(LINES))
    assert outer["x"] < loop["x"]
    assert outer["y"] + outer["height"] >= loop["y"] + loop["height"]
    assert outer["height"] == 4 * LINE - 2
