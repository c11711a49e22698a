"""What a strategy asks for, checked: it may be anybody's."""

from __future__ import annotations

import numpy as np

from cosearch.errors import PluginError
from cosearch.origin import origin
from cosearch.search.parameters import Space
from cosearch.search.strategy import Strategy
from cosearch.typing import Rows


def asked_rows(strategy: Strategy, n: int, space: Space, name: str) -> Rows:
    """Return what a strategy asks for, or raise PluginError when it is no set of rows."""
    return checked_rows(strategy.ask(n), n, space, name, strategy)


def checked_rows(asked: object, n: int, space: Space, name: str, strategy: Strategy) -> Rows:
    """Return what a strategy said to `ask(n)` as rows, or raise PluginError."""
    rows = np.asarray(asked)
    width = len(space.names)
    if rows.ndim != 2 or rows.shape[1] != width or len(rows) > n or rows.dtype.kind not in "iu":
        raise PluginError(
            f"strategy {name!r} {origin(strategy)} broke its contract: ask({n}) returned "
            f"{rows.dtype}{list(rows.shape)}, not int64[m, {width}] with m <= {n}"
        )
    return rows.astype(np.int64)
