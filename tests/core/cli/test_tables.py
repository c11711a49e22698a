"""Tables at any width: nothing is cut, no word is broken, no line is too long."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from cosearch.cli.output import THEME
from cosearch.cli.tables import table

words = st.text("abcdefg0123.%", min_size=1, max_size=9)
sentences = st.lists(words, max_size=8).map(" ".join)


@st.composite
def tables(draw):
    marks = draw(st.lists(st.sampled_from(["", ">", "~"]), min_size=1, max_size=6))
    columns = [mark + draw(words) + draw(st.sampled_from(["", "|uJ"])) for mark in marks]
    kinds = [words if mark == ">" or i == 0 else sentences for i, mark in enumerate(marks)]
    rows = draw(st.lists(st.tuples(*kinds), min_size=1, max_size=4))
    return columns, rows


def drawn(renderable, width):
    console = Console(width=width, theme=THEME, highlight=False)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


@settings(deadline=None, max_examples=60)
@given(tables(), st.integers(14, 160))
def test_every_word_is_there_whole_and_no_line_is_longer_than_the_terminal(made, width):
    columns, rows = made
    text = drawn(table(columns, rows), width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    shown = text.replace(";", " ").split()
    wanted = [word for row in rows for cell in row for word in cell.split()]
    for word in set(wanted):
        assert shown.count(word) >= wanted.count(word)


@settings(deadline=None, max_examples=25)
@given(tables(), st.integers(14, 160))
def test_a_table_of_many_rows_is_drawn_as_one_of_few(made, width):
    few = drawn(table(*made), width)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cosearch.cli.tables.MANY_ROWS", 0)
        many = drawn(table(*made), width)
    assert [x.rstrip() for x in many.splitlines()] == [x.rstrip() for x in few.splitlines()]


def test_where_columns_do_not_fit_each_row_is_a_record():
    made = table(("layer", "~what", ">energy|uJ"), [("conv1", "7x7 conv, 3 to 64", "389.56")])
    assert drawn(made, 20).splitlines()[0].strip() == "conv1"
    assert " ".join(drawn(made, 20).split()) == "conv1 what 7x7 conv, 3 to 64; energy 389.56 uJ"
    assert "energy" in drawn(made, 80).splitlines()[0]


def test_headers_wrap_before_cells_do():
    made = table(("", ">trials to reach"), [("a", "12")])
    assert [line.rstrip() for line in drawn(made, 11).splitlines()] == [
        "     trials",
        "         to",
        "      reach",
        "  a      12",
    ]


MEMORIES = table(
    ("level", "tensor", ">tile", ">instances", ">reads", ">fills", ">updates", ">energy|pJ"),
    [
        ("DRAM", "Weights", "288", "1", "10,368", "0", "0", "2,073,600.0"),
        ("", "Outputs", "288", "1", "0", "0", "288", "57,600.0"),
        ("pe", "Outputs", "1", "4", "2,520", "0", "2,592", "10,224.0"),
    ],
    title="memories",
)


def test_many_columns_stay_a_table_in_parts_below_each_other():
    assert [line.rstrip() for line in drawn(MEMORIES, 52).splitlines()] == [
        "  memories",
        "  level  tensor   tile  instances   reads  fills",
        "  DRAM   Weights   288          1  10,368      0",
        "         Outputs   288          1       0      0",
        "  pe     Outputs     1          4   2,520      0",
        "",
        "                                energy",
        "  level  tensor   updates           pJ",
        "  DRAM   Weights        0  2,073,600.0",
        "         Outputs      288     57,600.0",
        "  pe     Outputs    2,592     10,224.0",
    ]


def test_rows_of_one_name_are_named_by_two_columns():
    rows = [("16", str(8 * i), "250.2", "0.206x", "1,168,128") for i in range(1, 6)]
    made = table((">kb", ">pe_dim", ">EDP", ">gain", ">cycles"), rows)
    lines = [line.split() for line in drawn(made, 32).splitlines()]
    assert lines[0] == ["kb", "pe_dim", "EDP", "gain"]
    assert lines[7] == ["kb", "pe_dim", "cycles"]
    assert lines[9] == ["16", "16", "1,168,128"]


def test_a_few_rows_become_columns():
    rows = [
        ("eyeriss", "1.30 mJ", "1,555,200", "12.2", "proven"),
        ("nvdla", "119 uJ", "7", "7.0", ""),
    ]
    made = table(("machine", ">energy", ">cycles", ">area|mm2", "mappings"), rows)
    assert drawn(made, 80).splitlines()[-1].split() == ["nvdla", "119", "uJ", "7", "7.0"]
    assert [line.rstrip() for line in drawn(made, 36).splitlines()] == [
        "  machine     eyeriss   nvdla",
        "  energy      1.30 mJ  119 uJ",
        "  cycles    1,555,200       7",
        "  area mm2       12.2     7.0",
        "  mappings     proven",
    ]
