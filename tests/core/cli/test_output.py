import json
from pathlib import Path

import numpy as np
import pytest
from attrs import frozen
from rich.text import Text

from cosearch.cli.output import PIPE_WIDTH, Output, as_json, table


def drawn(renderable, width=80):
    console = Output().console
    console.width = width
    with console.capture() as captured:
        console.print(renderable)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_numbers_stand_on_the_right_below_their_unit():
    lines = drawn(table(("layer", ">energy|mJ"), [("a", "1.5"), ("longer", "120.0")]))
    assert lines == ["          energy", "  layer       mJ", "  a          1.5", "  longer   120.0"]


def test_text_in_a_table_is_never_markup():
    assert drawn(table(("x",), [("[red]y[/red]",)]))[1] == "  [red]y[/red]"


def test_a_table_without_headers_has_no_empty_line():
    assert drawn(table(("", "~"), [("a", "b")])) == ["  a  b"]


def test_a_pipe_is_wide_and_has_no_colour(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    output = Output()
    output.title("heading", "about")
    output.show("x" * (PIPE_WIDTH - 1))
    assert capsys.readouterr().out == "heading  about\n" + "x" * (PIPE_WIDTH - 1) + "\n"
    assert not output.live


def test_quiet_silences_notes_and_keeps_results_and_warnings(capsys):
    output = Output(quiet=True)
    output.note("going on")
    output.warn("mind")
    output.show("result")
    out, err = capsys.readouterr()
    assert (out, err) == ("result\n", "warning: mind\n")


def test_lines_go_on_further_in_where_the_terminal_ends(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    output = Output()
    output.show("  no two contenders can be told apart: more")
    output.spec("a bayesian:acquisition=lcb,candidates=150,confidence=1", indent=2)
    output.show(Text("cosearch resume a-study-with-a-long-name"))
    assert capsys.readouterr().out.splitlines() == [
        "  no two contenders can be",
        "    told apart: more",
        "  a bayesian:acquisition=lcb,",
        "    candidates=150,",
        "    confidence=1",
        "cosearch resume a-study-with-a-long-name",
    ]


@frozen
class Point:
    x: float
    y: int


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (np.arange(3), [0, 1, 2]),
        (np.float64(1.5), 1.5),
        (np.bool_(True), True),
        (float("nan"), None),
        ([float("inf"), 1.0], [None, 1.0]),
        ({"b", "a"}, ["a", "b"]),
        (Point(1.0, 2), {"x": 1.0, "y": 2}),
        ({"p": Path("a")}, {"p": "a"}),
        (("é", 10**30), ["é", 10**30]),
    ],
)
def test_json_of_everything_a_command_reports(facts, expected):
    assert json.loads(as_json(facts)) == expected


def test_json_keeps_every_digit_of_a_number():
    value = 0.1 + 0.2
    assert json.loads(as_json([value]))[0].hex() == value.hex()


def test_what_has_no_json_form_is_refused():
    with pytest.raises(TypeError, match="object"):
        as_json(object())
