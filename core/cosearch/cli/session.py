"""What every command gets: the output, the plugins, and the panels of `--help`."""

from __future__ import annotations

import typer
from attrs import frozen

from cosearch.cli.output import Output
from cosearch.registry.registry import Registry

SEARCH = "Search"
"""Panel of the commands that search, or work with what a search stored."""

MACHINE = "One machine"
"""Panel of the commands that work on a machine and its mappings."""

LOOK = "Look around"
"""Panel of the commands that say what there is."""


@frozen(eq=False)
class Session:
    """One call of the command line.

    Attributes:
        output: the only way to print.
        registry: every plugin.
    """

    output: Output
    registry: Registry


def session_of(ctx: typer.Context) -> Session:
    """Return the session of a command; `ctx: typer.Context` is the command's first parameter."""
    session = ctx.obj
    if not isinstance(session, Session):
        raise TypeError("the command line is called through cosearch.cli.main")
    return session
