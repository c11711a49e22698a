"""The one sink for everything a command shows: for people, for pipes, for scripts.

Commands get it from their session (`session_of(ctx).output`) and never print by themselves:

- `output.show(...)`: results, to standard output. In colour on a terminal; plain, and never
  wrapped, in a pipe, in CI and under NO_COLOR.
- `output.json(facts)`: the result as JSON instead. One call a command, nothing else beside it.
- `output.note(...)`: what is going on, to standard error; `--quiet` silences it.
- `output.live`: whether someone watches, so that a progress display makes sense.

Tables have no boxes, units in their headers and numbers on the right: `table(("layer",
">energy|mJ"), rows)`. How numbers are written is in `cosearch.quantities`.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

import attrs
import numpy as np
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text
from rich.theme import Theme

from cosearch.api.console import SafeConsole
from cosearch.cli.tables import Cell, table
from cosearch.errors import printable

__all__ = ["Cell", "Output", "as_json", "table"]

PIPE_WIDTH = 200
"""Columns of a line that no terminal limits: wide enough for every table."""

PROSE_WIDTH = 100
"""Columns of a paragraph at most: longer lines are hard to read."""

HANG = 2
"""Blanks before lines that continue one."""

LINE = 90
"""Characters of a JSON list that stays on one line."""

THEME = Theme(
    {
        "title": "bold",
        "head": "bold",
        "name": "cyan",
        "good": "green",
        "bad": "red",
        "warn": "yellow",
        "faint": "dim",
        "number": "default",
        "repr.number": "none",
    }
)
"""Few colours, all of the terminal's own palette, so that light and dark both work."""


class Output:
    """Where a command's results and notes go.

    Args:
        quiet: silences notes and progress.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._stream = sys.stdout
        self.console = _console(stderr=False)
        self.errors = _console(stderr=True)
        self._narrow = self.console.is_terminal or "COLUMNS" in os.environ

    @property
    def live(self) -> bool:
        """Whether someone watches standard error: a terminal, no CI, not quiet."""
        return self.errors.is_terminal and not self.quiet and not os.environ.get("CI")

    def show(self, *parts: RenderableType) -> None:
        """Print results; text is taken as it is, without markup, unless it is a `Text`.

        Lines longer than the terminal go on below, further in; those of a `Text`, such as a
        command to copy, run on. Tables are fitted to the terminal.
        """
        for part in parts:
            made = "\n".join(map(self._fitted, part.split("\n"))) if isinstance(part, str) else part
            self._write(made, soft_wrap=isinstance(part, str | Text))

    def _fitted(self, line: str) -> str:
        if cell_len(line) <= self.console.width or not self._narrow:
            return line
        lead = " " * (len(line) - len(line.lstrip()) + HANG)
        return textwrap.fill(
            line,
            self.console.width,
            subsequent_indent=lead,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def prose(self, text: str, style: str = "", indent: int = 0) -> None:
        """Print a paragraph, filled to the terminal or 100 columns."""
        width = min(self.console.width, PROSE_WIDTH)
        self._write(Padding(Text(text, style=style), (0, 0, 0, indent)), width=width)

    def spec(self, text: str, indent: int = 0) -> None:
        """Print a name with its options, broken behind commas and blanks; options hang below it."""
        lines = [" " * indent]
        for piece in re.findall(r"[^, ]*(?:[, ]|$)", text):
            full = cell_len(lines[-1] + piece.rstrip()) > min(self.console.width, PROSE_WIDTH)
            if full and lines[-1].strip():
                lines.append(" " * (indent + HANG))
            lines[-1] += piece
        self.show(*(line.rstrip() for line in lines))

    def _write(self, part: RenderableType, **options: Any) -> None:  # noqa: ANN401 - rich's
        """Print without the blanks with which rich fills up lines."""
        with self.console.capture() as captured:
            self.console.print(part, markup=False, highlight=False, **options)
        for line in captured.get().splitlines():
            self.console.file.write(line.rstrip() + "\n")

    def title(self, text: str, about: str = "") -> None:
        """Print a heading and, fainter, what it is about: beside it, or below where it is long."""
        line = Text(text, style="title")
        beside = len(text) + len(about) + 2 <= min(self.console.width, PROSE_WIDTH)
        if about and beside:
            line.append(f"  {about}", style="faint not bold")
        self.show(line)
        if about and not beside:
            self.prose(about, "faint", indent=2)

    def note(self, text: str, style: str = "faint") -> None:
        """Say what is going on, on standard error."""
        if not self.quiet:
            self.tell(Text(text, style=style))

    def warn(self, text: str) -> None:
        """Say what the user should know, on standard error, also when quiet."""
        self.tell(Text.assemble(("warning: ", "warn"), text))

    def tell(self, text: Text) -> None:
        """Print on standard error: filled on a terminal, one line in a pipe."""
        self.errors.print(text, soft_wrap=not self.errors.is_terminal)

    def write(self, text: str) -> None:
        """Print text exactly as it is, such as a file's content, on standard output."""
        self._stream.write(printable(text) if self._stream.isatty() else text)

    def json(self, facts: object) -> None:
        """Print facts as JSON on standard output."""
        self._stream.write(as_json(facts) + "\n")


def _console(*, stderr: bool) -> Console:
    options: dict[str, Any] = {"theme": THEME, "highlight": False, "emoji": False}
    options |= {"stderr": True} if stderr else {"file": sys.stdout}
    console = SafeConsole(**options)
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return SafeConsole(**options, width=PIPE_WIDTH)


_CONTROLS = re.compile("[\x7f-\x9f\ud800-\udfff]")
"""What JSON leaves as it is and a terminal would take for a command."""


def as_json(facts: object) -> str:
    """Return facts as JSON text.

    Arrays become lists, attrs objects become objects, infinite and not-a-number become null.
    """
    text = _laid_out(_plain(facts), "")
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _laid_out(facts: Any, indent: str) -> str:  # noqa: ANN401 - any JSON value
    """Return JSON text, indented, with short lists of plain values on one line."""
    if not isinstance(facts, dict | list) or not facts:
        return json.dumps(facts, ensure_ascii=False, allow_nan=False)
    inner = indent + "  "
    if isinstance(facts, dict):
        items = [f"{_laid_out(key, '')}: {_laid_out(facts[key], inner)}" for key in facts]
        return "{\n" + ",\n".join(inner + item for item in items) + f"\n{indent}}}"
    items = [_laid_out(item, inner) for item in facts]
    line = f"[{', '.join(items)}]"
    if len(line) <= LINE and not any(isinstance(item, dict) for item in facts):
        return line
    return "[\n" + ",\n".join(inner + item for item in items) + f"\n{indent}]"


def _plain(facts: Any) -> Any:  # noqa: ANN401 - whatever a command reports
    if isinstance(facts, float):
        return facts if math.isfinite(facts) else None
    if facts is None or isinstance(facts, str | int):
        return facts
    if isinstance(facts, Mapping):
        return {str(key): _plain(value) for key, value in facts.items()}
    if isinstance(facts, np.ndarray | np.generic):
        return _plain(facts.tolist())
    if isinstance(facts, set | frozenset):
        return [_plain(item) for item in sorted(facts)]
    if isinstance(facts, PurePath):
        return str(facts)
    if attrs.has(type(facts)):
        return _plain({a.name: getattr(facts, a.name) for a in attrs.fields(type(facts))})
    if isinstance(facts, Iterable):
        return [_plain(item) for item in facts]
    raise TypeError(f"{type(facts).__name__} has no JSON form")
