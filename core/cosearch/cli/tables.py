"""Tables without lines that fit any width: wrapped between words, or a record below the other.

No cell is cut and no word is broken. Where a terminal is too narrow for columns, a few rows become
columns, and many columns become several tables below each other, each with the names of the rows.
Where that does not help, each row becomes a record: its first cell, and below it the others behind
the names of their columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from attrs import evolve, frozen
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cosearch.quantities import added

Cell: TypeAlias = str | Text

GAP = 2
"""Blanks between columns."""

TALLEST = 3
"""Lines of a wrapped cell from which on records are easier to read."""


MANY_COLUMNS = 4
"""Columns from which on a table stays a table where it does not fit, turned or in parts."""

MANY_ROWS = 200
"""Rows up to which a table is left to rich, which takes 2 ms a row."""

FEW_ROWS = 4
"""Rows up to which a table may be turned."""

MOST_PARTS = 3
"""Tables below each other at most."""

PROSE = 24
"""Columns in which longer cells are easy to read all the same."""


@frozen
class Column:
    """A column of a table.

    Attributes:
        name, unit: of its header.
        mark: `>` for numbers on the right, `~` for faint text; both may be empty.
        wraps: whether its cells may take several lines.
    """

    name: str
    unit: str
    mark: str
    wraps: bool

    @classmethod
    def of(cls, text: str, *, first: bool) -> Column:
        """Return the column of a header such as `>energy|mJ`."""
        mark, header = (text[0], text[1:]) if text[:1] in {">", "~"} else ("", text)
        name, _, unit = header.partition("|")
        return cls(name, unit, mark, mark != ">" and not first)

    def header(self) -> Text:
        """Return the header as it stands above the cells."""
        text = Text(self.name, style="head")
        return text.append(f"\n{self.unit}", style="faint not bold") if self.unit else text

    def full(self, cells: Sequence[Text]) -> int:
        """Return the width in which nothing wraps."""
        return max((*map(_length, cells), cell_len(self.name), cell_len(self.unit)))

    def least(self, cells: Sequence[Text]) -> int:
        """Return the width below which a word breaks, a number wraps or a cell gets tall."""
        header = max(_longest_word(self.name), cell_len(self.unit))
        widest = max(map(_length, cells), default=0)
        if not self.wraps:
            return max(header, widest)
        words = max((_longest_word(cell.plain) for cell in cells), default=0)
        return max(header, words, min(-(-widest // TALLEST), PROSE))


def _length(cell: Text) -> int:
    return max(map(cell_len, cell.plain.split("\n")))


def _styled(cell: Text, style: str) -> Text:
    """Return a cell with the style of its column beneath its own."""
    if style:
        cell = cell.copy()
        cell.stylize_before(style)
    return cell


def _wrapped(cell: Text, width: int, console: Console) -> Sequence[Text]:
    fits = cell.cell_len <= width and "\n" not in cell.plain
    return [cell] if fits else list(cell.wrap(console, width, overflow="fold"))


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)


@frozen(eq=False)
class Listing:
    """A table that lays itself out for the width that it is given."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Text, ...], ...]
    title: str
    indent: int
    name_style: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield columns where they fit, records where they do not."""
        room = options.max_width - self.indent
        own = self.widths(room)
        parts = [self] if own else self._turned(room) or self._parts(room)
        for i, part in enumerate(parts):
            if i:
                yield Text("")
            widths = (own if part is self else part.widths(room)) or []
            tall = len(part.rows) > MANY_ROWS
            top = evolve(part, rows=()) if tall else part
            yield Padding(top.grid(widths), (0, 0, 0, self.indent), expand=False)
            yield from part.lines(widths, console) if tall else ()
        if not parts:
            yield from self._records()

    def widths(self, room: int) -> list[int] | None:
        """Return the width of each column; None where words would break."""
        cells = [[row[i] for row in self.rows] for i in range(len(self.columns))]
        pairs = list(zip(self.columns, cells, strict=True))
        full = [column.full(own) for column, own in pairs]
        widths = [min(f, column.least(own)) for f, (column, own) in zip(full, pairs, strict=True)]
        spare = room - GAP * (len(widths) - 1) - added(widths)
        if spare < 0:
            return None
        while spare > 0 and widths != full:
            growing = [i for i in range(len(full)) if widths[i] < full[i]]
            widths[min(growing, key=lambda i: widths[i])] += 1
            spare -= 1
        return widths

    def _turned(self, room: int) -> list[Listing]:
        """Return the table with its rows as columns, if they are few, named, and fit so."""
        names = [row[0].plain.strip() for row in self.rows]
        if not (MANY_COLUMNS < len(self.columns) > len(names) <= FEW_ROWS and all(names)):
            return []
        head = self.columns[0]
        first = Column(" ".join(filter(None, (head.name, head.unit))), "", "", wraps=False)
        columns = (first, *(Column(name, "", ">", wraps=False) for name in names))
        rows = tuple(
            (Text(" ".join(filter(None, (c.name, c.unit)))), *(row[i] for row in self.rows))
            for i, c in enumerate(self.columns)
        )
        turned = evolve(self, columns=columns, rows=rows[1:], name_style="")
        return [turned] if turned.widths(room) else []

    def _parts(self, room: int) -> list[Listing]:
        """Return the table's columns in several tables, each with the names of the rows, or none.

        Where several rows have one name, the second column names them too.
        """
        names = {row[0].plain.strip() for row in self.rows} - {""}
        named = 1 if len(names) == len(self.rows) else 2
        if len(self.columns) < MANY_COLUMNS:
            return []
        parts: list[list[int]] = [[]]
        for i in range(named, len(self.columns)):
            if not self._of([*range(named), i]).widths(room):
                return []
            if not self._of([*range(named), *parts[-1], i]).widths(room):
                parts.append([])
            parts[-1].append(i)
        if len(parts) > MOST_PARTS:
            return []
        made = [self._of([*range(named), *part]) for part in parts]
        return [made[0], *(evolve(part, title="") for part in made[1:])]

    def _of(self, chosen: Sequence[int]) -> Listing:
        rows = tuple(tuple(row[i] for i in chosen) for row in self.rows)
        return evolve(self, columns=tuple(self.columns[i] for i in chosen), rows=rows)

    def grid(self, widths: Sequence[int]) -> Table:
        """Return the columns, each as wide as it is told."""
        grid = Table(
            title=self.title or None,
            title_style="title",
            title_justify="left",
            box=None,
            pad_edge=False,
            padding=(0, GAP, 0, 0),
            header_style="head",
            show_header=any(c.name or c.unit for c in self.columns),
        )
        for i, (column, width) in enumerate(zip(self.columns, widths, strict=True)):
            grid.add_column(
                column.header(),
                justify="right" if column.mark == ">" else "left",
                style=self._style(i),
                width=max(width, 1),
                overflow="fold",
            )
        for row in self.rows:
            grid.add_row(*row)
        return grid

    def lines(self, widths: Sequence[int], console: Console) -> RenderResult:
        """Yield the rows as `grid` shows them, in a tenth of its time."""
        starts = [self.indent + GAP * i + added(widths[:i]) for i in range(len(widths))]
        for row in self.rows:
            cells = [_wrapped(*pair, console) for pair in zip(row, widths, strict=True)]
            for k in range(max(map(len, cells))):
                line, at = Text(), 0
                for i, cell in enumerate(cells):
                    if k < len(cell):
                        size = cell[k].cell_len
                        free = widths[i] - size if self.columns[i].mark == ">" else 0
                        line.append(" " * (starts[i] + free - at))
                        line.append_text(_styled(cell[k], self._style(i)))
                        at = starts[i] + free + size
                yield from line.render(console, end="\n")

    def _style(self, i: int) -> str:
        faint = self.columns[i].mark == "~"
        return "faint" if faint else self.name_style if i == 0 else ""

    def _records(self) -> RenderResult:
        if self.title:
            yield Text(self.title, style="title")
        for row in self.rows:
            name, rest = Text(row[0].plain.strip(), style=self._style(0)), Text()
            name = _named(self.columns[0], name) if self.columns[0].mark == ">" else name
            for column, cell in zip(self.columns[1:], row[1:], strict=True):
                if cell.plain.strip():
                    rest.append("; " if rest else "").append_text(_named(column, cell))
            indent = self.indent
            if name.plain.strip():
                yield Padding(name, (0, 0, 0, indent))
                indent += 2
            if rest:
                yield Padding(rest, (0, 0, 0, indent))


def _named(column: Column, cell: Text) -> Text:
    text = Text(f"{column.name} " if column.name else "", style="faint")
    text.append_text(cell)
    return text.append(f" {column.unit}") if column.unit else text


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    title: str = "",
    indent: int = 2,
    name_style: str = "name",
) -> RenderableType:
    """Return a table without lines.

    Args:
        columns: headers, with the unit after a `|`; a leading `>` aligns the column to the right
            and never wraps it, a leading `~` makes it faint.
        rows: cells in the order of the columns; text is taken as it is, without markup.
        title: above it.
        indent: columns to the left of it.
        name_style: of the first column, which never wraps.
    """
    return Listing(
        tuple(Column.of(text, first=i == 0) for i, text in enumerate(columns)),
        tuple(tuple(Text(c) if isinstance(c, str) else c for c in row) for row in rows),
        title,
        indent,
        name_style,
    )
