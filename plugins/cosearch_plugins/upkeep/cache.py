"""`cosearch cache`: the results of mappers that a store remembers for other studies."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cosearch.cli.options import STORE, JsonOption, StoreOption
from cosearch.cli.session import SEARCH, session_of
from cosearch.quantities import counted, si


class Action(StrEnum):
    """What is done."""

    SHOW = "show"
    CLEAR = "clear"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("cache", rich_help_panel=SEARCH)(cache_command)


def cache_command(
    ctx: typer.Context,
    action: Annotated[Action, typer.Argument(metavar="show|clear")] = Action.SHOW,
    store: StoreOption = STORE,
    json: JsonOption = False,
) -> None:
    """Show or clear the results of mappers that a store remembers for other studies.

    A result is used again for the same machine, layer, mapper and version of the plugins; where a
    plugin is installed editable, or is a file, for the same sources. Studies keep their own.

    Examples:
        cosearch cache
        cosearch cache clear --store cosearch.db
    """
    from cosearch.store.schema import missing
    from cosearch.store.store import Store

    if not Path(store).exists():
        raise missing(store)
    output = session_of(ctx).output
    clear = action is Action.CLEAR
    with Store(store, write=clear) as opened:
        count, size = opened.remembered()
        if clear:
            opened.forget()
    if json:
        output.json({"results": count, "bytes": size, "cleared": clear})
    else:
        verb = "forgot" if clear else "remembers"
        output.show(f"{store} {verb} {counted(count, 'result')} of mappers, {si(size, 'B')}")
