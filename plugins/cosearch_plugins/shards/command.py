"""`cosearch merge`: studies of parts, put together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cosearch.cli.options import JsonOption
from cosearch.cli.session import SEARCH, session_of
from cosearch.quantities import counted


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("merge", rich_help_panel=SEARCH)(merge_command)


def merge_command(
    ctx: typer.Context,
    stores: Annotated[
        list[Path], typer.Argument(metavar="STORE...", help="The files with the parts' studies.")
    ],
    out: Annotated[
        Path, typer.Option("--output", metavar="FILE", help="The store that gets the study.")
    ],
    name: Annotated[
        str, typer.Option("--study", metavar="NAME", help="Made from the settings if left out.")
    ] = "",
    json: JsonOption = False,
) -> None:
    """Put the studies of parts together, into the study that one run would have made.

    Parts are run with `--strategy shard:of=random,part=I,parts=N` (or `of=sobol`, `of=grid`), each
    anywhere, with a store of its own. What comes out is resumed and reported as any other study.

    Examples:
        cosearch merge part0.db part1.db --output whole.db
    """
    from cosearch.store.schema import missing
    from cosearch.store.store import Store
    from cosearch_plugins.shards.merging import checked, merge, parts_in

    session = session_of(ctx)
    for path in stores:
        if not path.exists():
            raise missing(path)
    parts = checked([part for path in dict.fromkeys(stores) for part in parts_in(path)])
    header = merge(parts, session.registry, out, name)
    with Store(out, write=False) as store:
        count = store.count(header.name)
    if json:
        facts = {"study": header.name, "trials": count, "parts": len(parts)}
        session.output.json({**facts, "status": header.status})
    else:
        said = f"{header.name}: {counted(count, 'trial')} of {counted(len(parts), 'part')} in {out}"
        session.output.show(said)
        session.output.note(f"report: cosearch report {header.name} --store {out}")
