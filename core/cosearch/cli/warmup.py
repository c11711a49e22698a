"""`cosearch warmup`: compile once what later commands would compile first."""

from __future__ import annotations

from typing import Annotated

import typer

from cosearch.cli.session import LOOK, session_of
from cosearch.errors import CosearchError, UnknownNameError
from cosearch.registry.registry import Registry

KERNEL = "cosearch.loopnest.kernel.feed:KERNEL=cosearch.loopnest.kernel.feed"
"""What every loop-nest machine is priced with."""

SAMPLING = "cosearch.loopnest.space.sampling:SAMPLING=cosearch.loopnest.space.sampling"
"""What random mappings are drawn with: strategies begin with it, mappers that prove do not."""

KINDS = ("mappers", "hardware_models")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("warmup", rich_help_panel=LOOK)(warmup_command)


def warmup_command(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Mappers and hardware models; all when left out.", show_default=False),
    ] = None,
) -> None:
    """Compile the machine code that mappers and machines need, on all cores.

    It is kept where `cosearch doctor` says, and compiled anew only when its sources change. Without
    this command the first search of each kind compiles what it needs.

    Examples:
        cosearch warmup
        cosearch warmup exact eyeriss
    """
    session = session_of(ctx)
    addresses = addresses_of(session.registry, names or [])
    from cosearch.compiling.parts import found, prepare

    seconds = prepare(*(found(address) for address in addresses))
    session.output.show(f"all compiled code is ready, after {seconds:.0f} s")


def addresses_of(registry: Registry, names: list[str]) -> list[str]:
    """Return the parts that some mappers and hardware models need, or that all of them need."""
    wanted = [KERNEL] if names else [KERNEL, SAMPLING]
    for kind in KINDS:
        for name in registry.names(kind):
            if names and name not in names:
                continue
            try:
                wanted += registry.load(kind, name).compiled
            except CosearchError:
                if names:
                    raise
    known = {name for kind in KINDS for name in registry.names(kind)}
    for name in names:
        if name not in known:
            raise UnknownNameError("mapper or hardware model", name, sorted(known))
    return list(dict.fromkeys(wanted))
