"""Results as records, as frames and as tables of a notebook."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from cosearch.errors import MissingExtraError
from cosearch.quantities import counted, digits

if TYPE_CHECKING:
    import pandas as pd

Record: TypeAlias = dict[str, Any]
"""A row of a table: plain values by column."""

SHOWN = 20
"""Rows that a notebook shows."""


class Tabular:
    """A result that has records."""

    def records(self) -> list[Record]:
        """Return plain data, one dict a row."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """What this is, in a line."""
        raise NotImplementedError

    def to_frame(self) -> pd.DataFrame:
        """Return the records as a pandas DataFrame; raises MissingExtraError without pandas."""
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("to_frame()", "pandas") from None
        return pd.DataFrame(self.records())

    def _repr_html_(self) -> str:
        """Return a table, as notebooks show a result."""
        return html_table(self.title, self.records())

    def __str__(self) -> str:
        """Return the title."""
        return self.title


def without_clashes(record: Mapping[str, Any], parameters: Mapping[str, Any]) -> Record:
    """Return a record with parameters in front, renamed where the record has such a column."""
    own = {f"{k} (parameter)" if k in record else k: v for k, v in parameters.items()}
    return {**own, **record}


def html_table(title: str, records: Sequence[Record]) -> str:
    """Return records as an HTML table under a title; everything is escaped."""
    columns = list(dict.fromkeys(name for record in records for name in record))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_cell(r.get(c)))}</td>" for c in columns) + "</tr>"
        for r in records[:SHOWN]
    )
    more = len(records) - SHOWN
    rest = f"<p>and {counted(more, 'row')} more: .records()</p>" if more > 0 else ""
    return f"<p>{html.escape(title)}</p><table><tr>{head}</tr>{rows}</table>{rest}"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return digits(value, 5) if isinstance(value, float) else str(value)
