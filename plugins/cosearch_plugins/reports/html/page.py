"""A page of sections: headings, paragraphs, tables, charts; everything that is text is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from cosearch.errors import MissingExtraError

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --faint: #667; --line: #d8dde3; --accent: #0b6bcb; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1100px; padding: 1.5rem 1rem 4rem; color: var(--ink);
       font: 15px/1.5 system-ui, sans-serif; background: #fff; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .2rem; border-top: 1px solid var(--line); padding-top: 1rem; }
h3 { font-size: .95rem; font-weight: 600; margin: .6rem 0 .1rem; overflow-wrap: anywhere; }
p { margin: .2rem 0 .8rem; color: var(--faint); overflow-wrap: anywhere; }
nav { margin: 1rem 0; display: flex; flex-wrap: wrap; gap: .3rem .9rem; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92em; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem .25rem 0; text-align: right; white-space: nowrap; }
th { border-bottom: 1px solid var(--line); font-weight: 600; }
th:first-child, td:first-child, .words { text-align: left; }
tbody tr:hover { background: #f4f7fa; }
pre { background: #f6f8fa; padding: .8rem; overflow-x: auto; font-size: .88em; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); gap: 1rem; }
.grid > :only-child { grid-column: 1 / -1; }
.chart { min-width: 0; }
.wide { min-width: 760px; }
@media (max-width: 600px) {
  table, tbody, tr, td { display: block; } thead { display: none; }
  tr { border-bottom: 1px solid var(--line); padding: .3rem 0; }
  td { text-align: left; white-space: normal; overflow-wrap: anywhere; padding: 0; }
  td:empty { display: none; }
  td[data-of]:not([data-of=""])::before { content: attr(data-of) ": "; color: var(--faint); }
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e6ea; --faint: #9aa4af; --line: #39414a; --accent: #6db3f2; }
  body { background: #14171b; } tbody tr:hover { background: #20252b; } pre { background: #1d2126; }
}
details { margin: .4rem 0; overflow-x: auto; } details svg text:not([fill]) { fill: var(--ink); } summary { cursor: pointer; }
"""  # noqa: E501

FIT = """
addEventListener("load", () => {
  for (const chart of document.querySelectorAll(".js-plotly-plot")) Plotly.Plots.resize(chart);
});
"""
"""A chart is drawn before the parts that follow it have taken their room."""

MIDDLE, GRID = "#7a8590", "rgba(128,128,128,0.25)"
"""Of text and lines in charts: to be read on a light and on a dark page."""

CHART_HEIGHT = 380


@frozen
class Section:
    """A part of a page.

    Attributes:
        title: its heading.
        about: a sentence below it.
        body: HTML, made by the functions of this module.
    """

    title: str
    about: str
    body: str


def page(title: str, about: str, sections: Sequence[Section]) -> str:
    """Return a whole page.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    links = "".join(f'<a href="#s{i}">{html.escape(s.title)}</a>' for i, s in enumerate(sections))
    parts = "".join(
        f'<section id="s{i}"><h2>{html.escape(s.title)}</h2><p>{html.escape(s.about)}</p>'
        f"{s.body}</section>"
        for i, s in enumerate(sections)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style>"
        f"<script>{_plotly_source()}</script></head><body>"
        f"<h1>{html.escape(title)}</h1><p>{html.escape(about)}</p><nav>{links}</nav>{parts}"
        f"<script>{FIT}</script></body></html>\n"
    )


def _plotly_source() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise MissingExtraError("the HTML report", "html") from None
    source: str = get_plotlyjs()
    return source


def chart(figure: Figure, name: str, *, wide: bool = False) -> str:
    """Return a chart that can be zoomed and whose traces can be switched off.

    Its title becomes a heading above it, which wraps where a title inside would run over.

    Args:
        figure: a plotly figure; its texts are HTML already.
        name: of its element, unique on the page.
        wide: scroll it sideways on narrow screens rather than squeeze it.
    """
    title, figure.layout.title = figure.layout.title.text or "", None
    top = 60 if wide else 34
    figure.update_layout(
        template="plotly_white",
        height=figure.layout.height or CHART_HEIGHT,
        autosize=True,
        margin={"l": 60, "r": 20, "t": top, "b": 50},
        font={"size": 12, "color": MIDDLE},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(gridcolor=GRID, zerolinecolor=GRID)
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GRID)
    if figure.layout.legend.y is None:
        figure.update_layout(legend={"orientation": "h", "y": -0.26, "yanchor": "top"})
    drawn: str = figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=name,
        default_width="100%",
        config={"responsive": True, "displayModeBar": False},
    )
    if wide:
        drawn = f'<div class="scroll"><div class="wide">{drawn}</div></div>'
    return f'<div class="chart"><h3>{title}</h3>{drawn}</div>'


def grid(parts: Iterable[str]) -> str:
    """Return parts beside each other where there is room, below each other where not."""
    return f'<div class="grid">{"".join(parts)}</div>'


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], words: Sequence[str] = ()) -> str:
    """Return a table; cells are text, on the right but in the first column and in those of words.

    Args:
        columns: their names.
        rows: a cell a column.
        words: names of columns that hold words.
    """
    sides = [' class="words"' if name in words else "" for name in columns]
    head = "".join(
        f"<th{side}>{html.escape(c)}</th>" for c, side in zip(columns, sides, strict=True)
    )
    cells = (
        "".join(
            f'<td{side} data-of="{html.escape(name)}">{html.escape(cell)}</td>'
            for cell, side, name in zip(row, sides, columns, strict=True)
        )
        for row in rows
    )
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    whole = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{whole}</div>'


def text(lines: Iterable[str]) -> str:
    """Return lines as they are."""
    return f"<pre>{html.escape(chr(10).join(lines))}</pre>"


def folded(summary: str, body: str) -> str:
    """Return a part that opens on a click."""
    return f"<details><summary>{html.escape(summary)}</summary>{body}</details>"
